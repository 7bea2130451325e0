package fanout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/outbox"
)

// Publisher publishes messages, as *centrifugo.Client does. Result i belongs to broadcast i.
type Publisher interface {
	Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result
}

// send publishes the broadcasts of a decision and meanwhile writes its inbox rows. It never
// returns, nor panics, while a publication is in flight.
func (f *Fanout) send(ctx context.Context, tx pgx.Tx, d *decision) ([]centrifugo.Result, error) {
	if len(d.broadcasts) == 0 {
		return nil, d.inbox.Write(ctx, tx)
	}
	var (
		publishing sync.WaitGroup
		results    []centrifugo.Result
		publishErr error
	)
	publishing.Go(func() { results, publishErr = f.publish(ctx, d.broadcasts) })
	defer publishing.Wait()
	err := d.inbox.Write(ctx, tx)
	publishing.Wait()
	return results, cmp.Or(err, publishErr)
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
