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
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
)

// publisherFunc is a Publisher.
type publisherFunc func() []centrifugo.Result

func (f publisherFunc) Publish(context.Context, []centrifugo.Broadcast) []centrifugo.Result {
	return f()
}

// execTx is a transaction that calls a function instead of the server.
type execTx struct {
	pgx.Tx
	exec func() error
}

func (tx execTx) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, tx.exec()
}

// SendBatch calls the function for the whole batch.
func (tx execTx) SendBatch(context.Context, *pgx.Batch) pgx.BatchResults {
	return batchResults{err: tx.exec()}
}

// batchResults are the results of a batch that is only closed.
type batchResults struct {
	pgx.BatchResults
	err error
}

func (r batchResults) Close() error { return r.err }

func newDecision() *delivery {
	d := &delivery{broadcasts: []centrifugo.Broadcast{{Channels: []string{"user:1"}}}, items: []int{0}}
	a := &activity.Activity{ID: uuid.New(), TenantID: uuid.New(), Visibility: activity.ResourceWide}
	d.inbox.Add(a, uuid.New(), watchers.Owner, uuid.Nil)
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

// TestJudgeKeepsWhatWasAnswered has results of which Centrifugo answered a part: the later
// activities of an unanswered one's resource stay pending with it.
func TestJudgeKeepsWhatWasAnswered(t *testing.T) {
	t.Parallel()
	slow, quick := uuid.New(), uuid.New()
	batch := make([]outbox.Item, 5)
	for i, resource := range []uuid.UUID{quick, slow, slow, quick, slow} {
		batch[i].ResourceID = resource
	}
	unanswered := centrifugo.Result{Err: &centrifugo.Error{Class: centrifugo.Unavailable}, Failed: []string{"user:1"}}
	f := New(nil, nil, nil, Options{})
	d := &delivery{outcomes: make([]outbox.Outcome, 5), items: []int{0, 1, 2, 3}}
	d.outcomes[4].Verdict = outbox.FanOutJob // it was not published
	if err := f.judge(batch, d, []centrifugo.Result{{}, unanswered, {}, {}}); err != nil {
		t.Fatal(err)
	}
	want := []outbox.Verdict{outbox.Delivered, outbox.Pending, outbox.Pending, outbox.Delivered, outbox.Pending}
	for i, o := range d.outcomes {
		if o.Verdict != want[i] || (o.Verdict == outbox.Pending) != errors.Is(o.Err, outbox.ErrUnavailable) {
			t.Errorf("item %d: got %v with %v, want %v", i, o.Verdict, o.Err, want[i])
		}
	}
	d = &delivery{outcomes: make([]outbox.Outcome, 5), items: []int{0}}
	if err := f.judge(batch, d, []centrifugo.Result{unanswered}); !errors.Is(err, outbox.ErrUnavailable) {
		t.Errorf("nothing answered: got %v, want ErrUnavailable", err)
	}
}

// TestSendWritesFirstAfterAFailure publishes once although the inbox rows cannot be written, and
// then only after they are.
func TestSendWritesFirstAfterAFailure(t *testing.T) {
	t.Parallel()
	published := 0
	f := New(publisherFunc(func() []centrifugo.Result {
		published++
		return make([]centrifugo.Result, 1)
	}), nil, nil, Options{})
	failure := errors.New("permission denied")
	for range 5 {
		if _, err := f.send(t.Context(), execTx{exec: func() error { return failure }}, newDecision()); err == nil {
			t.Fatal("got no error, want that of the inbox")
		}
	}
	if published != 1 {
		t.Errorf("published %d times, want 1", published)
	}
	_, err := f.send(t.Context(), execTx{exec: func() error { return nil }}, newDecision())
	if err != nil || published != 2 {
		t.Errorf("got %v and %d publications, want no error and 2", err, published)
	}
}

// TestReached finds how far a step got whose publications were answered in part.
func TestReached(t *testing.T) {
	t.Parallel()
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		t.Fatal(err)
	}
	f := New(nil, channels, nil, Options{})
	job := &outbox.Job{}
	job.TenantID = uuid.New()
	candidates := make([]watchers.Candidate, 4)
	channel := make([]string, 4)
	for i := range candidates {
		candidates[i].PrincipalID = uuid.UUID{15: byte(i + 1)}
		channel[i] = channels.User(activity.Principal{TenantID: job.TenantID, PrincipalID: candidates[i].PrincipalID})
	}
	for name, c := range map[string]struct {
		failed []string
		want   uuid.UUID
		ok     bool
	}{
		"the last ones":    {channel[2:], candidates[1].PrincipalID, true},
		"all":              {channel, uuid.Nil, false},
		"a shared channel": {[]string{"resource:x", channel[3]}, candidates[2].PrincipalID, false},
	} {
		failed := map[string]bool{}
		for _, name := range c.failed {
			failed[name] = true
		}
		if got, ok := f.reached(job, candidates, failed); ok != c.ok || ok && got != c.want {
			t.Errorf("%s: got %s, %v, want %s, %v", name, got, ok, c.want, c.ok)
		}
	}
}
