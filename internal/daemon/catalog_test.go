package daemon

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/migrations"
)

// blockingQuerier fails each query after it receives a value.
type blockingQuerier chan struct{}

func (q blockingQuerier) Query(ctx context.Context, _ string, _ ...any) (pgx.Rows, error) {
	select {
	case <-q:
		return nil, errors.New("unavailable")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestAfterCatalogReady starts an actor after the catalog's first attempt to load, even if that
// fails, and does not start it after a stop.
func TestAfterCatalogReady(t *testing.T) {
	t.Parallel()
	querier := make(blockingQuerier)
	d := &cell{taxonomy: taxonomy.NewWatcher(querier, taxonomy.WatcherOptions{}), schema: newSchemaGate()}
	d.schema.report(migrations.Status{Current: 1, Latest: 1}, nil)
	started := make(chan struct{})
	act := d.afterCatalogReady(func(context.Context) error {
		close(started)
		return errors.New("the actor's error")
	})
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := act(stopped); err != nil {
		t.Errorf("after a stop: got %v, want nil", err)
	}
	select {
	case <-started:
		t.Fatal("after a stop: the actor started")
	default:
	}

	ctx, cancel := context.WithCancel(t.Context())
	loading := make(chan error, 1)
	go func() { loading <- d.taxonomy.Run(ctx) }()
	done := make(chan error, 1)
	go func() { done <- act(ctx) }()
	select {
	case <-started:
		t.Error("the actor started before the catalog's first attempt")
	case querier <- struct{}{}:
	}
	if err := <-done; err == nil || err.Error() != "the actor's error" {
		t.Errorf("got %v, want the actor's error", err)
	}
	cancel()
	if err := <-loading; err != nil {
		t.Error(err)
	}
}
