package migrations_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

func TestUUIDv7(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	seen := map[uuid.UUID]bool{}
	for range 200 {
		before := query[time.Time](t, conn, `SELECT date_trunc('milliseconds', clock_timestamp())`)
		id := query[uuid.UUID](t, conn, `SELECT fanfare.uuidv7()`)
		after := query[time.Time](t, conn, `SELECT clock_timestamp()`)
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
			t.Errorf("%s: got version %d, variant %s, want 7, RFC4122", id, id.Version(), id.Variant())
		}
		if at := uuidv7.Time(id); at.Before(before) || at.After(after) {
			t.Errorf("%s: got the time %s, want it between %s and %s", id, at, before, after)
		}
		if seen[id] {
			t.Errorf("%s was returned twice", id)
		}
		seen[id] = true
	}
}

// TestUUIDv7Micros reads the times of ids, of which each has another microsecond of a millisecond.
func TestUUIDv7Micros(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	ids := query[[]uuid.UUID](t, conn, `
		SELECT array_agg(fanfare.uuidv7_of(1767225599999000 + n) ORDER BY n) FROM generate_series(0, 2999) AS n`)
	for n, id := range ids {
		if got, want := uuidv7.Micros(id), time.UnixMicro(1767225599999000+int64(n)); !got.Equal(want) {
			t.Fatalf("%s: got the time %s, want %s", id, got, want)
		}
	}
}

// TestUUIDv7OrdersByTime compares the ids of times a microsecond apart, across the bounds of
// milliseconds and centuries.
func TestUUIDv7OrdersByTime(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	for _, start := range []string{
		"1970-01-01 00:00:00Z", "2026-03-01 11:59:59.9995Z", "2106-02-07 06:28:15.9999Z", "9999-12-31 23:59:59.99Z",
	} {
		misplaced := query[int](t, conn, `
			SELECT count(*) FILTER (
				WHERE id <= previous
				   OR id < fanfare.uuidv7_floor(at)
				   OR id >= fanfare.uuidv7_floor(at + interval '1 millisecond'))::int
			FROM (
				SELECT at, id, lag(id) OVER (ORDER BY at) AS previous
				FROM (
					SELECT at, fanfare.uuidv7(at) AS id
					FROM generate_series(
						$1::timestamptz, $1::timestamptz + interval '2 milliseconds', '1 microsecond') AS at
				) AS ids
			) AS pairs`, start)
		if misplaced != 0 {
			t.Errorf("from %s: got %d ids out of order or outside of their millisecond, want 0", start, misplaced)
		}
	}
}

func TestUUIDv7FloorIsLowestOfItsMillisecond(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	for at, want := range map[string]string{
		"1970-01-01 00:00:00Z":       "00000000-0000-0000-0000-000000000000",
		"2022-02-22 19:22:22Z":       "017f22e2-79b0-0000-0000-000000000000", // the time of RFC 9562, appendix A.6
		"2022-02-22 19:22:22.0019Z":  "017f22e2-79b1-0000-0000-000000000000",
		"2022-02-22 20:22:22.001+01": "017f22e2-79b1-0000-0000-000000000000",
	} {
		if got := query[string](t, conn, `SELECT fanfare.uuidv7_floor($1::text::timestamptz)::text`, at); got != want {
			t.Errorf("floor of %s: got %s, want %s", at, got, want)
		}
	}
}
