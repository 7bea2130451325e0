package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/outbox"
)

// writer commits activities at a steady rate, each at its time whether or not those before it are
// done.
type writer struct {
	pool     *pgxpool.Pool
	rate     int
	duration time.Duration
	envelope func(n int) activity.Envelope                // called by one goroutine
	note     func(recorded outbox.Recorded, times commit) // called by many
}

func (w *writer) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for n := range int(w.duration.Seconds() * float64(w.rate)) {
		envelope := w.envelope(n)
		select {
		case <-ctx.Done():
			return g.Wait()
		case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(w.rate)))):
		}
		g.Go(func() error { return w.record(ctx, envelope) })
	}
	return g.Wait()
}

func (w *writer) record(ctx context.Context, envelope activity.Envelope) error {
	tx, err := w.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	recorded, err := outbox.Record(ctx, tx, envelope)
	if err != nil {
		return err
	}
	return w.commit(ctx, tx, recorded)
}

func (w *writer) commit(ctx context.Context, tx pgx.Tx, recorded outbox.Recorded) error {
	times := commit{sent: time.Now()}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	times.returned = time.Now()
	w.note(recorded, times)
	return nil
}
