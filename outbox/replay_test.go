package outbox_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// TestReplayKeepsTheChannelsNotReached follows the channels of a dead letter through each table
// that a replayed activity can pass.
func TestReplayKeepsTheChannelsNotReached(t *testing.T) {
	t.Parallel()
	notReached := []string{"chat:one", "chat:two"}
	for name, test := range map[string]struct {
		replayed outbox.Outcome // the first outcome after the replay
		park     bool           // whether an operator parks the replayed activity
	}{
		"delivered":    {},
		"failed again": {replayed: outbox.Outcome{Verdict: outbox.Retry, Err: errors.New("again")}},
		"failed for some": {replayed: outbox.Outcome{
			Verdict: outbox.Retry, Err: errors.New("again"),
			Channels: notReached[1:],
		}},
		"blocked":             {replayed: outbox.Outcome{Verdict: outbox.Blocked}},
		"as a fan-out job":    {replayed: outbox.Outcome{Verdict: outbox.FanOutJob}},
		"dead and replayed":   {replayed: outbox.Outcome{Verdict: outbox.DeadLettered, Err: errors.New("again")}},
		"parked by a command": {park: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, h := newLedger(t)
			tenant, resource := uuid.New(), uuid.New()
			id := record(t, db.Pool, envelope(tenant, resource, "signal.one"))
			dead := outbox.Outcome{
				Verdict: outbox.DeadLettered, Err: errors.New("unknown channel"),
				Channels: notReached,
			}
			outcomes := []outbox.Outcome{dead, test.replayed}
			if test.replayed.Verdict == outbox.Delivered {
				outcomes = outcomes[:1]
			}
			var seen [][]string
			h.refuse = func(item outbox.Item) outbox.Outcome {
				seen = append(seen, item.Channels)
				if len(outcomes) == 0 {
					return outbox.Outcome{}
				}
				next := outcomes[0]
				outcomes = outcomes[1:]
				return next
			}
			h.step = func(job outbox.Job) (outbox.Step, error) {
				h.set(func() { seen = append(seen, job.Channels) })
				return outbox.Step{Done: true}, nil
			}
			stop := run(t, db.Pool, h, outbox.Options{Retries: outbox.Retries{First: time.Millisecond}})
			replay := func() {
				t.Helper()
				waittest.Query(t, db.Pool, "dead", `SELECT count(*) = 1 FROM fanfare.dead_letters`)
				if n, err := outbox.NewBacklog(db.Pool).Replay(t.Context(), tenant, id); n != 1 || err != nil {
					t.Fatalf("Replay: got %d, %v, want 1", n, err)
				}
			}
			if test.park {
				waittest.Query(t, db.Pool, "dead", `SELECT count(*) = 1 FROM fanfare.dead_letters`)
				stop()
				replay()
				if err := outbox.NewBacklog(db.Pool).Park(t.Context(), tenant, id, 0, "wait"); err != nil {
					t.Fatal(err)
				}
				run(t, db.Pool, h, outbox.Options{})
			} else {
				replay()
			}
			if test.replayed.Verdict == outbox.DeadLettered {
				replay()
			}
			waittest.Query(t, db.Pool, "drained", isDrained)
			want := notReached
			if test.replayed.Channels != nil {
				want = test.replayed.Channels
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if len(seen) < 2 || seen[0] != nil || !slices.Equal(seen[len(seen)-1], want) {
				t.Errorf("channels of the attempts: got %q, want all at first and %q at last", seen, want)
			}
			if len(seen) > 1 && !slices.Equal(seen[1], notReached) {
				t.Errorf("channels of the replayed activity: got %q, want %q", seen[1], notReached)
			}
		})
	}
}
