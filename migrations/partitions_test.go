package migrations_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// insertAhead inserts an activity $1 months from now, without record_activity, and returns its id.
const insertAhead = `
	INSERT INTO fanfare.activities (
		id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at, recorded_at,
		resource_type, action, visibility, status, severity, category, delivery_channels, payload
	)
	SELECT
		fanfare.uuidv7(
			date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => $1, hours => 1)),
		t, t, t, t, now(), now(),
		'signal', 'signal.created', 'resource', 'success', 'info', 'signal', '{}', '{"n": 1}'
	FROM gen_random_uuid() AS t
	RETURNING id::text`

const partitionOf = `SELECT tableoid::regclass::text FROM fanfare.activities WHERE id = $1`

func monthName(t testing.TB, conn *pgx.Conn, ahead int) string {
	t.Helper()
	return query[string](t, conn, `
		SELECT to_char(
			date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => $1),
			'"fanfare.activities_y"YYYY"m"MM')`, ahead)
}

func TestComingMonthsHavePartitions(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	for ahead := range 4 {
		id := query[string](t, conn, insertAhead, ahead)
		if got, want := query[string](t, conn, partitionOf, id), monthName(t, conn, ahead); got != want {
			t.Errorf("an activity %d months ahead: got partition %s, want %s", ahead, got, want)
		}
	}
	id := query[string](t, conn, insertAhead, 4)
	if got, want := query[string](t, conn, partitionOf, id), "fanfare.activities_default"; got != want {
		t.Errorf("an activity 4 months ahead: got partition %s, want %s", got, want)
	}
	if got := query[int](t, conn, `SELECT fanfare.ensure_partitions()`); got != 0 {
		t.Errorf("second ensure_partitions: got %d created, want 0", got)
	}
}

// TestBoundsDoNotDependOnTheSession creates partitions in a session with another time zone.
func TestBoundsDoNotDependOnTheSession(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	exec(t, conn, `SET timezone = 'Pacific/Kiritimati'; SET datestyle = 'German'; SET search_path = ''`)
	if got := query[int](t, conn, `SELECT fanfare.ensure_partitions(15)`); got != 12 {
		t.Errorf("created: got %d, want 12", got)
	}
	bounds := query[string](t, conn, `
		SELECT string_agg(pg_get_expr(relpartbound, oid), E'\n' ORDER BY relname)
		FROM pg_class WHERE relnamespace = 'fanfare'::regnamespace AND relname ~ '^activities_y....m..$'`)
	want := query[string](t, conn, `
		SELECT string_agg(
			format(
				'FOR VALUES FROM (%L) TO (%L)',
				fanfare.uuidv7_floor(m AT TIME ZONE 'UTC'),
				fanfare.uuidv7_floor((m + interval '1 month') AT TIME ZONE 'UTC')),
			E'\n' ORDER BY m)
		FROM generate_series(
			date_trunc('month', now() AT TIME ZONE 'UTC'),
			now() AT TIME ZONE 'UTC' + interval '15 months',
			'1 month') AS m`)
	if bounds != want {
		t.Errorf("bounds:\ngot\n%s\nwant\n%s", bounds, want)
	}
}

func TestRowsMoveFromTheDefaultPartition(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	moving, staying := query[string](t, conn, insertAhead, 5), query[string](t, conn, insertAhead, 9)
	before := query[string](t, conn, `SELECT a::text FROM fanfare.activities AS a WHERE id = $1`, moving)
	if got := query[int](t, conn, `SELECT fanfare.ensure_partitions(6)`); got != 3 {
		t.Errorf("created: got %d, want 3", got)
	}
	month := monthName(t, conn, 5)
	if got := query[string](t, conn, partitionOf, moving); got != month {
		t.Errorf("the row 5 months ahead: got partition %s, want %s", got, month)
	}
	if got := query[string](t, conn, partitionOf, staying); got != "fanfare.activities_default" {
		t.Errorf("the row 9 months ahead: got it in %s, want the default partition", got)
	}
	after := query[string](t, conn, `SELECT a::text FROM fanfare.activities AS a WHERE id = $1`, moving)
	if after != before {
		t.Errorf("the moved row:\ngot  %s\nwant %s", after, before)
	}
	for _, sql := range []string{`DELETE FROM ` + month, `UPDATE ` + month + ` SET message = ''`, `TRUNCATE ` + month} {
		if got := sqlState(conn, sql); got != "42501" {
			t.Errorf("%s: got SQLSTATE %q, want 42501", sql, got)
		}
	}
	if got := query[bool](t, conn, `SELECT has_table_privilege('fanfare_retention', $1, 'INSERT')`, month); got {
		t.Errorf("fanfare_retention has INSERT on %s", month)
	}
}

func TestConcurrentEnsurePartitions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var created atomic.Int64
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			var n int64
			err := db.Pool.QueryRow(t.Context(), `SELECT fanfare.ensure_partitions(8)`).Scan(&n)
			created.Add(n)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := created.Load(); got != 5 {
		t.Errorf("created by all calls: got %d, want 5", got)
	}
}

// TestEnsurePartitionsWaitsForWriter commits a row to the default partition while ensure_partitions
// waits to create the partition of its month.
func TestEnsurePartitionsWaitsForWriter(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	writer, creator, observer := connect(t, db.URL), connect(t, db.URL), connect(t, db.URL)
	tx, err := writer.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var id string
	if err := tx.QueryRow(t.Context(), insertAhead, 4).Scan(&id); err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	g.Go(func() error {
		_, err := creator.Exec(t.Context(), `SELECT fanfare.ensure_partitions(4)`)
		return err
	})
	waitFor(t, observer, `
		SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')`,
		creator.PgConn().PID())
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.Wait(); err != nil {
		t.Fatalf("ensure_partitions with a concurrent writer: got %v, want no error", err)
	}
	if got, want := query[string](t, observer, partitionOf, id), monthName(t, observer, 4); got != want {
		t.Errorf("the writer's row: got partition %s, want %s", got, want)
	}
}

func waitFor(t testing.TB, conn *pgx.Conn, condition string, args ...any) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !query[bool](t, conn, condition, args...); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not true within 20 s: %s", condition)
		}
	}
}

// TestConcurrentWritersLoseNoRows inserts rows into the default partition while the partitions of
// their months are created.
func TestConcurrentWritersLoseNoRows(t *testing.T) {
	t.Parallel()
	const first, last, writers = 4, 15, 4
	db := pgtest.New(t)
	conn := connect(t, db.URL)
	for ahead := first; ahead <= last; ahead++ {
		query[string](t, conn, insertAhead, ahead)
	}
	var written atomic.Int64
	written.Store(last - first + 1)
	done := make(chan struct{})
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			for n := w; ; n++ {
				select {
				case <-done:
					return nil
				default:
				}
				if _, err := db.Pool.Exec(t.Context(), insertAhead, first+n%(last-first+1)); err != nil {
					return fmt.Errorf("write: %w", err)
				}
				written.Add(1)
			}
		})
	}
	g.Go(func() error {
		defer close(done)
		for ahead := first; ahead <= last; ahead++ {
			if _, err := db.Pool.Exec(t.Context(), `SELECT fanfare.ensure_partitions($1)`, ahead); err != nil {
				return fmt.Errorf("ensure_partitions(%d): %w", ahead, err)
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := query[int64](t, conn, `SELECT count(*) FROM fanfare.activities`), written.Load(); got != want {
		t.Errorf("rows: got %d, want %d", got, want)
	}
	if got := query[int](t, conn, `SELECT count(*)::int FROM fanfare.activities_default`); got != 0 {
		t.Errorf("rows in the default partition: got %d, want 0", got)
	}
}
