package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/stream"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestPositionText(t *testing.T) {
	t.Parallel()
	for _, want := range []stream.Position{
		{Epoch: "aBcD", Offset: 17, Settled: time.UnixMilli(1790000000123)},
		{Settled: time.UnixMilli(0)},
		{Epoch: "a.b c%", Offset: 1<<64 - 1, Settled: time.UnixMilli(1<<48 - 1)},
	} {
		got, err := stream.ParsePosition(want.String())
		if err != nil || got != want {
			t.Errorf("ParsePosition(%q): got %+v, %v, want %+v", want.String(), got, err, want)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("17.1790000000123.aBcD")
	f.Add("0.0.")
	f.Add("0.-1.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := stream.ParsePosition(text)
		if err != nil {
			return
		}
		if again, err := stream.ParsePosition(p.String()); err != nil || again != p {
			t.Errorf("ParsePosition(%q) is %+v, and its text parses as %+v, %v", text, p, again, err)
		}
	})
}

// stack is a database, a Centrifugo, and a worker that publishes to the streams of tenants.
type stack struct {
	t      *testing.T
	db     *pgtest.DB
	server *devstack.Centrifugo
	client *centrifugo.Client
	tokens *centrifugo.Tokens
	names  *centrifugo.Channels
	tenant uuid.UUID
	serial int
}

func newStack(t *testing.T) *stack {
	t.Helper()
	server, err := devstack.StartCentrifugo(t.Context(), devstack.CentrifugoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := centrifugo.New(centrifugo.Options{APIURL: server.APIURLs(), APIKey: server.APIKey()})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: server.TokenSecret()})
	if err != nil {
		t.Fatal(err)
	}
	names, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{
		t: t, db: pgtest.New(t), server: server, client: client, tokens: tokens, names: names, tenant: uuid.New(),
	}
	worker := outbox.NewWorker(
		s.db.Pool,
		fanout.New(client, names, preferences.NewFilter(nil), fanout.Options{Stream: true}),
		outbox.Options{Retries: outbox.Retries{Longest: 50 * time.Millisecond}},
	)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, server.Stop(context.Background())); err != nil {
			t.Error(err)
		}
		client.Close()
	})
	return s
}

// hub starts a hub. stop stops it; the end of the test does that too.
func (s *stack) hub(o stream.Options) (h *stream.Hub, stop func()) {
	s.t.Helper()
	o.WebSocketURL, o.Channel, o.History = s.server.WebSocketURL(), s.names.Tenant, s.client
	if o.Tokens == nil {
		o.Tokens = s.tokens
	}
	o.Settle = 20 * time.Millisecond
	o.Log = stream.Recorded{Pool: s.db.Pool}
	h = stream.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(stop)
	return h, stop
}

// record commits n activities and returns their ids.
func (s *stack) record(n int) []uuid.UUID {
	s.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		_, r, err := outbox.TxActivity(
			s.t.Context(),
			s.db.Pool,
			s.envelope(),
			func(context.Context, pgx.Tx, *activity.Envelope) (any, error) { return nil, nil },
		)
		if err != nil {
			s.t.Fatal(err)
		}
		ids[i] = r.ID
	}
	return ids
}

// recordAhead records activities as the database would at a later time: their ids and times are
// those of then.
func (s *stack) recordAhead(n int, ahead time.Duration) []uuid.UUID {
	s.t.Helper()
	ids := make([]uuid.UUID, n)
	err := pgx.BeginFunc(s.t.Context(), s.db.Pool, func(tx pgx.Tx) error {
		// Without this setting, the log refuses to be changed.
		if _, err := tx.Exec(s.t.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		for i := range ids {
			recorded, err := outbox.Record(s.t.Context(), tx, s.envelope())
			if err != nil {
				return err
			}
			ids[i] = uuidv7.At(uuidv7.Time(recorded.ID).Add(ahead), recorded.ID)
			if _, err := tx.Exec(s.t.Context(), `
				WITH later AS (
				    UPDATE fanfare.activities SET id = $2, recorded_at = recorded_at + $3::interval WHERE id = $1
				)
				UPDATE fanfare.outbox SET activity_id = $2, recorded_at = recorded_at + $3::interval
				WHERE activity_id = $1`, recorded.ID, ids[i], ahead); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

// envelope returns an envelope with an action of its own.
func (s *stack) envelope() activity.Envelope {
	s.serial++
	return activity.Envelope{
		TenantID:         s.tenant,
		ActorPrincipalID: uuid.Max,
		ResourceID:       uuid.Max,
		ResourceType:     "signal",
		Action:           fmt.Sprintf("signal.n%d", s.serial),
	}
}

func (s *stack) follow(h *stream.Hub, after *stream.Position) *stream.Reader {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	r, err := h.Follow(ctx, s.tenant, after)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(r.Close)
	return r
}

func (s *stack) next(r *stream.Reader) *stream.Event {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	e, err := r.Next(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// wantEvents reads events, checks their ids, and returns the position of the last.
func (s *stack) wantEvents(r *stream.Reader, want []uuid.UUID) *stream.Position {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	var last stream.Position
	for i, id := range want {
		e, err := r.Next(ctx)
		if err != nil {
			s.t.Fatalf("event %d of %d: %v", i+1, len(want), err)
		}
		if e.EventID != id {
			s.t.Fatalf("event %d of %d: got %s (%s), want %s", i+1, len(want), e.EventID, e.Action, id)
		}
		last = e.Position
	}
	return &last
}

func TestReaders(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, _ := s.hub(stream.Options{})
	one, two := s.follow(h, nil), s.follow(h, nil)
	ids := s.record(30)
	s.wantEvents(one, ids)
	last := s.wantEvents(two, ids[:10])
	two.Close()

	t.Run("reconnect", func(t *testing.T) {
		s.wantEvents(s.follow(h, last), append(ids[10:len(ids):len(ids)], s.record(5)...))
	})
	if got := h.Readers(); got != 2 {
		t.Errorf("got %d readers, want 2", got)
	}
}

func TestReadersContinueAfterRestart(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, stop := s.hub(stream.Options{})
	r := s.follow(h, nil)
	last := s.wantEvents(r, s.record(3))
	stop()
	if _, err := r.Next(t.Context()); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("after the end of Run: got %v, want ErrClosed", err)
	}
	if _, err := h.Follow(t.Context(), s.tenant, nil); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("Follow: got %v, want ErrClosed", err)
	}
	missed := s.record(450)
	again, _ := s.hub(stream.Options{})
	s.wantEvents(s.follow(again, last), append(missed, s.record(3)...))
}

func TestLogContinuesLostHistory(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, _ := s.hub(stream.Options{})
	r := s.follow(h, nil)
	before := s.record(3)
	last := s.wantEvents(r, before)
	if err := s.server.Restart(t.Context()); err != nil { // the memory engine loses the history
		t.Fatal(err)
	}
	missed := s.record(250)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if e, err := r.Next(ctx); err == nil {
		// The connection may be back before the first publication, so that no event was missed.
		if e.EventID != missed[0] {
			t.Errorf("got %s, want %s", e.EventID, missed[0])
		}
	} else if !errors.Is(err, stream.ErrLost) {
		t.Errorf("after the history is lost: got %v, want ErrLost", err)
	}
	// Events that were recorded while an earlier one was pending may repeat.
	again := s.follow(h, last)
	for e := s.next(again); ; e = s.next(again) {
		if e.EventID == missed[0] {
			break
		}
		if !slices.Contains(before, e.EventID) {
			t.Fatalf("got %s (%s), want an earlier one or the first missed", e.EventID, e.Action)
		}
	}
	s.wantEvents(again, append(missed[1:], s.record(3)...))
}

func TestSlowReaders(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, _ := s.hub(stream.Options{Buffer: 4})
	slow, fast := s.follow(h, nil), s.follow(h, nil)
	var ids []uuid.UUID
	for range 10 {
		one := s.record(1)
		s.wantEvents(fast, one)
		ids = append(ids, one...)
	}
	last := s.wantEvents(slow, ids[:4])
	if _, err := slow.Next(t.Context()); !errors.Is(err, stream.ErrSlow) {
		t.Fatalf("got %v, want ErrSlow", err)
	}
	s.wantEvents(s.follow(h, last), ids[4:8])
}

func TestTenantsAreIsolated(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, _ := s.hub(stream.Options{})
	mine := s.follow(h, nil)
	tenant := s.tenant
	s.tenant = uuid.New()
	theirs := s.follow(h, nil)
	s.wantEvents(theirs, s.record(3))
	s.tenant = tenant
	s.wantEvents(mine, s.record(2))
}

func TestFollowWaitsForCentrifugo(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	if err := s.server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	h, _ := s.hub(stream.Options{})
	early, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.Follow(early, s.tenant, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while Centrifugo is unavailable: got %v, want DeadlineExceeded", err)
	}
	if err := s.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantEvents(s.follow(h, nil), s.record(3))
}

// TestForeignPositions checks that a reader with a position of another tenant, or one derived from
// it, reads the stream of its own tenant.
func TestForeignPositions(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, _ := s.hub(stream.Options{})
	theirs, mine := s.tenant, uuid.New()
	stolen := *s.wantEvents(s.follow(h, nil), s.record(20))
	s.tenant = mine
	own := *s.wantEvents(s.follow(h, nil), s.record(20))
	random := rand.New(rand.NewPCG(5, 6))
	read := 0
	for range 500 {
		p := stream.Position{Epoch: stolen.Epoch, Offset: random.Uint64N(25), Settled: stolen.Settled}
		switch random.IntN(4) {
		case 0:
			p.Epoch = own.Epoch
		case 1:
			p.Settled = time.UnixMilli(random.Int64N(stolen.Settled.UnixMilli() + 1))
		case 2:
			p.Epoch = ""
		}
		r := s.follow(h, &p)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		for {
			e, err := r.Next(ctx)
			if err != nil {
				break
			}
			if read++; e.TenantID != mine {
				t.Fatalf("position %s: got an event of tenant %s, want %s (not %s)", p, e.TenantID, mine, theirs)
			}
		}
		cancel()
		r.Close()
	}
	if read == 0 {
		t.Error("got no events")
	}
	t.Logf("read %d events with 500 positions", read)
}

// TestLateCommits commits an activity after ones were received that are recorded much later, loses
// the history, and resumes from positions of before. Were a position the time of the last event,
// less any fixed time that a transaction may take, the activity would be missed.
func TestLateCommits(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, _ := s.hub(stream.Options{})
	r := s.follow(h, nil)
	late, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Rollback(context.WithoutCancel(t.Context())) }()
	recorded, err := outbox.Record(t.Context(), late, s.envelope())
	if err != nil {
		t.Fatal(err)
	}
	opened := uuidv7.Time(recorded.ID)
	positions := map[string]stream.Position{
		"an event":      *s.wantEvents(r, s.recordAhead(20, time.Hour)),
		"the beginning": s.follow(h, nil).Position(),
	}
	waittest.Until(t, "the position has advanced to the open transaction", func() bool {
		return r.Position().Settled.After(opened.Add(-10 * time.Second))
	})
	positions["a heartbeat"] = r.Position()
	if err := s.server.Restart(t.Context()); err != nil { // the memory engine loses the history
		t.Fatal(err)
	}
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.record(1)
	waittest.Query(t, s.db.Pool, "everything is settled, so that only the log has it",
		`SELECT NOT EXISTS (SELECT FROM fanfare.outbox WHERE tenant_id = $1)`, s.tenant)
	for name, p := range positions {
		if p.Settled.After(opened) {
			t.Errorf("%s: got the position %s, want one before the open transaction, %d", name, p, opened.UnixMilli())
		}
		again, found := s.follow(h, &p), false
		next := s.record(1)[0]
		for e := s.next(again); e.EventID != next; e = s.next(again) {
			found = found || e.EventID == recorded.ID
		}
		if !found {
			t.Errorf("%s: got a later event without the one that was committed late", name)
		}
	}
}

// TestPositionsAdvance checks that a reader without events has a position from the start, which
// advances, and from which another reader resumes without a loss.
func TestPositionsAdvance(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	h, stop := s.hub(stream.Options{})
	r := s.follow(h, nil)
	first, began := r.Position(), time.Now()
	waittest.Until(t, "the position advances without an event", func() bool {
		return r.Position().Settled.After(began)
	})
	now := r.Position()
	if first.Epoch == "" || now.Epoch != first.Epoch || now.Offset != first.Offset {
		t.Errorf("got the position %s after %s, want the same offset", now, first)
	}
	stop()
	missed := s.record(5)
	again, _ := s.hub(stream.Options{})
	for _, p := range []stream.Position{first, now, {Settled: now.Settled}} {
		s.wantEvents(s.follow(again, &p), missed)
	}
}

// countedTokens are tokens that count the subscriptions they were issued for.
type countedTokens struct {
	*centrifugo.Tokens
	subscriptions atomic.Int64
}

func (c *countedTokens) Subscription(p activity.Principal, channel string) (string, time.Time) {
	c.subscriptions.Add(1)
	return c.Tokens.Subscription(p, channel)
}

// TestReadersOutliveTokens follows a stream while the hub's own subscription ends with its token,
// several times.
func TestReadersOutliveTokens(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	short, err := centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: s.server.TokenSecret(), SubscriptionTTL: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	tokens := &countedTokens{Tokens: short}
	h, _ := s.hub(stream.Options{Tokens: tokens})
	r := s.follow(h, nil)
	waittest.Until(t, "the hub has subscribed three times", func() bool {
		s.wantEvents(r, s.record(1))
		return tokens.subscriptions.Load() >= 3
	})
}
