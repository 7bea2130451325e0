package fanout_test

import (
	"context"
	"testing"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// connect returns a client, which is closed at the end of the test, and the names of channels.
func connect(
	t *testing.T,
	server *devstack.Centrifugo,
	formats centrifugo.Formats,
) (*centrifugo.Client, *centrifugo.Channels) {
	t.Helper()
	client := centrifugotest.Client(t, server)
	channels, err := centrifugo.ParseFormats(formats)
	if err != nil {
		t.Fatal(err)
	}
	return client, channels
}

// startWorker runs a worker until the end of the test.
func startWorker(t *testing.T, db *pgtest.DB, handler outbox.Handler, o outbox.Options) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- outbox.NewWorker(db.Pool, handler, o).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
