package fanout

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/watchers"
)

// publisherFunc is a Publisher.
type publisherFunc func() []centrifugo.Result

func (f publisherFunc) Publish(context.Context, []centrifugo.Broadcast) []centrifugo.Result {
	return f()
}

// execTx is a transaction whose Exec calls a function.
type execTx struct {
	pgx.Tx
	exec func() error
}

func (tx execTx) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, tx.exec()
}

func newDecision() *decision {
	d := &decision{broadcasts: []centrifugo.Broadcast{{Channels: []string{"user:1"}}}, items: []int{0}}
	d.inbox.Add(activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()}, uuid.New(), watchers.Owner)
	return d
}

func TestSendReturnsAPanicOfThePublisher(t *testing.T) {
	t.Parallel()
	f := New(publisherFunc(func() []centrifugo.Result { panic("nil map") }), nil, nil, Options{})
	results, err := f.send(t.Context(), execTx{exec: func() error { return nil }}, newDecision())
	if err == nil || !strings.Contains(err.Error(), "publisher panicked: nil map") || results != nil {
		t.Errorf("got %v, %v, want the panic as an error", results, err)
	}
}

// TestSendWaitsForThePublisher lets the inbox fail while a publication is in flight.
func TestSendWaitsForThePublisher(t *testing.T) {
	t.Parallel()
	failure := errors.New("connection lost")
	for name, exec := range map[string]func() error{
		"error": func() error { return failure },
		"panic": func() error { panic(failure) },
	} {
		inFlight, publish, returned := make(chan struct{}), make(chan struct{}), make(chan any, 1)
		f := New(publisherFunc(func() []centrifugo.Result {
			close(inFlight)
			<-publish
			return make([]centrifugo.Result, 1)
		}), nil, nil, Options{})
		failed := make(chan struct{})
		tx := execTx{exec: func() error {
			<-inFlight
			defer close(failed)
			return exec()
		}}
		go func() {
			var outcome any
			defer func() {
				if p := recover(); p != nil {
					outcome = p
				}
				returned <- outcome
			}()
			_, err := f.send(t.Context(), tx, newDecision())
			outcome = err
		}()
		<-failed
		select {
		case outcome := <-returned:
			t.Errorf("%s: send ended with %v while the publication was in flight", name, outcome)
		default:
		}
		close(publish)
		if outcome, _ := (<-returned).(error); !errors.Is(outcome, failure) {
			t.Errorf("%s: got %v, want %v", name, outcome, failure)
		}
	}
}
