package fanout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/outbox"
)

// Publisher publishes messages, as *centrifugo.Client does. Result i belongs to broadcast i.
type Publisher interface {
	Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result
}

// Times of sending.
const (
	// publishTimeout bounds the publishing of a batch, which the transaction waits for. It is less
	// than the transaction's idle_in_transaction_session_timeout.
	publishTimeout = 15 * time.Second
	// writeFirstFor is for how long after a failure to write inbox rows they are written before
	// anything is published, not meanwhile.
	writeFirstFor = time.Minute
)

// send publishes the broadcasts of a delivery and meanwhile writes its inbox rows. It never
// returns, nor panics, while a publication is in flight. If rows could not be written lately, it
// publishes once they are: what cannot be settled would be published again and again.
func (f *Fanout) send(ctx context.Context, tx pgx.Tx, d *delivery) ([]centrifugo.Result, error) {
	if len(d.broadcasts) == 0 {
		return nil, f.write(ctx, tx, d)
	}
	if failed := f.unwritten.Load(); failed != 0 && time.Now().UnixNano()-failed < int64(writeFirstFor) {
		if err := f.write(ctx, tx, d); err != nil {
			return nil, err
		}
		return f.publish(ctx, d.broadcasts)
	}
	var (
		publishing sync.WaitGroup
		results    []centrifugo.Result
		publishErr error
	)
	publishing.Go(func() { results, publishErr = f.publish(ctx, d.broadcasts) })
	defer publishing.Wait()
	err := f.write(ctx, tx, d)
	publishing.Wait()
	return results, cmp.Or(err, publishErr)
}

// write writes the inbox rows of a delivery.
func (f *Fanout) write(ctx context.Context, tx pgx.Tx, d *delivery) error {
	err := d.inbox.Write(ctx, tx)
	if err != nil {
		f.unwritten.Store(time.Now().UnixNano())
	}
	return err
}

// publish calls the publisher. A panic of the publisher becomes an error.
func (f *Fanout) publish(
	ctx context.Context,
	broadcasts []centrifugo.Broadcast,
) (results []centrifugo.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("publisher panicked: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	return f.publisher.Publish(ctx, broadcasts), nil
}

// codeUnknownChannel is Centrifugo's "unknown channel": the namespace is not configured
// (https://centrifugal.dev/docs/server/codes).
const codeUnknownChannel = 102

// outcome returns the outcome of an activity from the result of its broadcast. It returns an error,
// which fails the batch, if the activity is not the cause: the server is unavailable, or it lacks a
// namespace that Fanfare requires. A namespace that only the writer of the activity named makes the
// activity undeliverable.
func (f *Fanout) outcome(r centrifugo.Result) (outbox.Outcome, error) {
	if r.Err == nil {
		return outbox.Outcome{}, nil
	}
	var failed *centrifugo.Error
	if !errors.As(r.Err, &failed) {
		return outbox.Outcome{}, fmt.Errorf("publish: %w", r.Err)
	}
	ours := failed.Code == codeUnknownChannel && slices.ContainsFunc(r.Failed, f.channels.Includes)
	switch {
	case failed.Class == centrifugo.Permanent && !ours:
		return outbox.Outcome{Verdict: outbox.DeadLettered, Err: r.Err, Channels: r.Failed}, nil
	case failed.Class == centrifugo.Transient:
		return outbox.Outcome{Verdict: outbox.Retry, Err: r.Err, Channels: r.Failed}, nil
	default:
		return outbox.Outcome{}, fmt.Errorf("publish: %w: %w", outbox.ErrUnavailable, r.Err)
	}
}
