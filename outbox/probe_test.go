package outbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestProbesPassOpenTransactions has a transaction that has recorded more than passAfter activities
// and is still open: a probe passes them once, and finds them when it has committed.
func TestProbesPassOpenTransactions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	tx, err := db.Pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rollback(ctx, tx) })
	var first, last int64
	err = tx.QueryRow(ctx, `
		WITH written AS (
			INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
			SELECT i % $1, gen_random_uuid(), $2, gen_random_uuid(), now() FROM generate_series(0, $3::int) AS i
			RETURNING seq
		) SELECT min(seq), max(seq) FROM written`, Lanes, testTenant, 2*passAfter).Scan(&first, &last)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWorker(db.Pool, scribe{}, Options{})
	probe := func() (found probed, targets []target) {
		t.Helper()
		targets = w.schedule.takeIdle(assignment{}, Lanes, time.Now())
		if found, err = w.probe(ctx, targets); err != nil {
			t.Fatal(err)
		}
		return found, targets
	}
	found, targets := probe()
	if len(found.lanes) != 0 || len(targets) != Lanes {
		t.Fatalf("got work in %d of %d lanes, want none of %d", len(found.lanes), len(targets), Lanes)
	}
	for _, target := range targets {
		h := target.lane.memory.hints[others]
		if h.pos != last {
			t.Errorf("lane %d: got the position %d, want the last seq %d", target.number, h.pos, last)
		}
		for xid, bound := range h.running {
			if bound >= first {
				t.Errorf("lane %d: transaction %d is passed up to %d, want less than %d",
					target.number, xid, bound, first)
			}
		}
	}
	w.schedule.giveBack(targets, found.lanes, assignment{}, 0, time.Now())
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if found, _ = probe(); len(found.lanes) != Lanes {
		t.Errorf("after the commit: got work in %d lanes, want %d", len(found.lanes), Lanes)
	}
}

func TestProbeWidth(t *testing.T) {
	t.Parallel()
	timeout, away := &pgconn.PgError{Code: "57014"}, &pgconn.ConnectError{}
	for title, test := range map[string]struct {
		width int
		err   error
		want  int
	}{
		"all lanes":             {Lanes, nil, Lanes},
		"cancelled":             {Lanes, timeout, Lanes / 2},
		"cancelled once more":   {Lanes / 2, timeout, Lanes / 4},
		"a single lane":         {1, timeout, 1},
		"the server is away":    {Lanes / 2, away, Lanes / 2},
		"answered again":        {Lanes / 4, nil, Lanes / 2},
		"a lane, answered":      {1, nil, 2},
		"wrapped as by a probe": {Lanes, fmt.Errorf("probe the lanes: %w", timeout), Lanes / 2},
	} {
		if got := probeWidth(test.width, test.err); got != test.want {
			t.Errorf("%s: got %d lanes, want %d", title, got, test.want)
		}
	}
}

// A probe of a part of the lanes continues where the one before it ended.
func TestTakeIdleInTurn(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSchedule(now, time.Minute, 1)
	want := make([]int, 0, 3*24)
	for i := range 3 * 24 {
		want = append(want, i%Lanes)
	}
	var got []int
	for range 3 {
		targets := s.takeIdle(assignment{}, 24, now)
		for _, t := range targets {
			got = append(got, t.number)
		}
		s.giveBack(targets, nil, assignment{}, 0, now)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got lanes %v, want %v", got, want)
	}
}
