package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// bury inserts n dead letters of the tenant with an error.
func (w world) bury(t testing.TB, n int, text string) {
	t.Helper()
	_, err := w.db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.dead_letters (
		    activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, error)
		SELECT fanfare.uuidv7(), fanfare.lane_of($1, $2), n, $1, $2, now(), 3, $3 || n
		FROM generate_series(1, $4) AS n`, w.tenant, w.resource, text, n)
	if err != nil {
		t.Fatal(err)
	}
}

// number returns the result of a query for one number.
func (w world) number(t testing.TB, sql string, args ...any) (n int64) {
	t.Helper()
	if err := w.db.Pool.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOutboxReplayAndDiscard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	other := newWorld(t, w.db)
	w.bury(t, 1500, "no namespace ")
	w.bury(t, 7, "too large ")
	other.bury(t, 3, "no namespace ")
	tenant := "--tenant=" + w.tenant.String()
	run := func(want string, args ...string) {
		t.Helper()
		if got := must(t, w.environ(), append([]string{"outbox"}, args...)...); got != want {
			t.Errorf("%v: got %q, want %q", args, got, want)
		}
	}
	run("Dead letters that would be replayed: 1500\n", "replay", "--error", "NAMESPACE", "--dry-run", tenant)
	run("Dead letters that would be discarded: 1510\n", "discard", "--all", "--dry-run")
	run("{\n  \"would_be_discarded\": 0\n}\n", "discard", "--action", "chat.*", "--dry-run", "--json")
	run("Replayed dead letters: 1500\n", "replay", "--error-kind", "no namespace 17", tenant)
	run("Discarded dead letters: 7\n", "discard", "--error", "large", "--by", w.actor.String())
	run("{\n  \"replayed\": 3\n}\n", "replay", "--all", "--json")
	run("Discarded dead letters: 0\n", "discard", "--all")
	for sql, want := range map[string]int64{
		`SELECT count(*) FROM fanfare.outbox AS o
		 WHERE NOT EXISTS (SELECT FROM fanfare.activities AS a WHERE a.id = o.activity_id)`: 1503,
		`SELECT sum((payload ->> 'count')::int) FROM fanfare.activities WHERE action = 'outbox.replayed'`: 1503,
		`SELECT count(*) FROM fanfare.activities WHERE action = 'outbox.replayed'`:                        3,
		`SELECT count(*) FROM fanfare.activities WHERE action = 'outbox.discarded'
		 AND actor_principal_id = '` + w.actor.String() + `' AND payload -> 'filter' ->> 'error' = 'large'`: 1,
	} {
		if got := w.number(t, sql); got != want {
			t.Errorf("%s: got %d, want %d", sql, got, want)
		}
	}
	w.bury(t, 2, "no namespace ")
	groups := must(t, w.environ(), "outbox", "dead", "--groups")
	if !strings.HasPrefix(groups, "COUNT   ACTION   NEWEST ") || !strings.Contains(groups, "   no namespace <n>\n") {
		t.Errorf("got %q, want the kind of error", groups)
	}
	for _, args := range []string{
		"replay", "discard", "discard --dry-run", "discard --until tomorrow",
		"replay --all " + uuid.NewString(), "replay --error x " + uuid.NewString(),
		"replay --since 2026-02-01 --until 2026-01-01", "replay --tenant " + uuid.NewString(),
	} {
		if r := fanfare(t, w.environ(), append([]string{"outbox"}, strings.Fields(args)...)...); r.code != exitUsage {
			t.Errorf("%s: got exit code %d and %q, want %d", args, r.code, r.stderr, exitUsage)
		}
	}
}

// TestReplayKilled kills a replay of many dead letters, again and again, until nothing is left to
// do: every dead letter is in the outbox once, and every replayed one is recorded.
func TestReplayKilled(t *testing.T) {
	t.Parallel()
	const letters = 20_000
	w := newWorld(t, pgtest.New(t))
	w.bury(t, letters, "no namespace ")
	replayed := func() int64 {
		return w.number(t, `SELECT count(*) FROM fanfare.outbox AS o
			WHERE NOT EXISTS (SELECT FROM fanfare.activities AS a WHERE a.id = o.activity_id)`)
	}
	for range 3 {
		before := replayed()
		d, kill := startProcess(t, w.environ(), "outbox", "replay", "--all")
		waittest.Until(t, "some are replayed", func() bool { return replayed() > before }, d.log)
		kill()
		// The server may still commit the transaction of the killed process.
		waittest.Query(t, w.db.Pool, "its session ended", `
			SELECT count(*) = 0 FROM pg_stat_activity
			WHERE datname = current_database() AND state <> 'idle' AND query ~ 'dead_letters'
			  AND pid <> pg_backend_pid()`)
		left := w.number(t, `SELECT count(*) FROM fanfare.dead_letters`)
		recorded := w.number(t, `SELECT coalesce(sum((payload ->> 'count')::int), 0) FROM fanfare.activities
			WHERE action = 'outbox.replayed'`)
		if now := replayed(); now+left != letters || recorded != now {
			t.Fatalf("got %d replayed, %d recorded and %d left, want %d in all", now, recorded, left, letters)
		}
	}
	left := letters - replayed()
	want := fmt.Sprintf("Replayed dead letters: %d\n", left)
	if got := must(t, w.environ(), "outbox", "replay", "--all"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := w.number(t, `SELECT count(DISTINCT activity_id) FROM fanfare.outbox WHERE resource_id = $1`,
		w.resource); got != letters {
		t.Errorf("got %d in the outbox, want %d", got, letters)
	}
}
