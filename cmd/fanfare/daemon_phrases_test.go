package main

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// hanging answers once it may.
type hanging chan struct{}

func (h hanging) Query(ctx context.Context, _ string, _ ...any) (pgx.Rows, error) {
	select {
	case <-h:
		return nil, errors.New("away")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// What delivers and serves begins once the taxonomy was looked for, found or not, and never when it
// is stopped before.
func TestOncePhrased(t *testing.T) {
	t.Parallel()
	answer := make(hanging)
	d := &daemon{phrases: activity.NewPhrasebook(answer, nil)}
	began := make(chan struct{})
	act := d.oncePhrased(func(context.Context) error {
		close(began)
		return errors.New("what the actor returns")
	})
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := act(stopped); err != nil {
		t.Errorf("stopped before: got %v, want nil", err)
	}
	select {
	case <-began:
		t.Fatal("stopped before: it began all the same")
	default:
	}

	ctx, end := context.WithCancel(t.Context())
	reading := make(chan error, 1)
	go func() { reading <- d.phrases.Run(ctx) }()
	done := make(chan error, 1)
	go func() { done <- act(ctx) }()
	select {
	case <-began:
		t.Error("it began before the taxonomy was looked for")
	case answer <- struct{}{}:
	}
	if err := <-done; err == nil || err.Error() != "what the actor returns" {
		t.Errorf("got %v, want what the actor returns", err)
	}
	end()
	if err := <-reading; err != nil {
		t.Error(err)
	}
}
