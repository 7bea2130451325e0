package outbox_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// withSignals returns a database with a table of the host application.
func withSignals(t testing.TB) *pgtest.DB {
	t.Helper()
	db := pgtest.New(t)
	_, err := db.Pool.Exec(t.Context(), `
		CREATE TABLE sources (id uuid PRIMARY KEY);
		CREATE TABLE signals (
			id uuid PRIMARY KEY, title text NOT NULL,
			source_id uuid REFERENCES sources DEFERRABLE INITIALLY DEFERRED)`)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// create is a change that creates the id of its resource.
func create(title string) func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (string, error) {
	return func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (string, error) {
		if e.ResourceID == uuid.Nil {
			e.ResourceID = uuid.New()
		}
		_, err := tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES ($1, $2)`, e.ResourceID, title)
		return "made " + title, err
	}
}

// handles runs a test with each kind of pg.Beginner: a pool, a connection, and a transaction of the
// caller, which it commits.
func handles(t *testing.T, test func(t *testing.T, db *pgtest.DB, handle pg.Beginner, outer pgx.Tx)) {
	t.Run("a pool", func(t *testing.T) {
		t.Parallel()
		db := withSignals(t)
		test(t, db, db.Pool, nil)
	})
	t.Run("a connection", func(t *testing.T) {
		t.Parallel()
		db := withSignals(t)
		conn, err := pgx.Connect(t.Context(), db.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		test(t, db, conn, nil)
		if conn.PgConn().TxStatus() != 'I' {
			t.Errorf("the connection is left in a transaction")
		}
	})
	t.Run("a transaction", func(t *testing.T) {
		t.Parallel()
		db := withSignals(t)
		tx := begin(t, db)
		if _, err := tx.Exec(t.Context(), `INSERT INTO signals
			VALUES (gen_random_uuid(), 'the caller''s own')`); err != nil {
			t.Fatal(err)
		}
		test(t, db, tx, tx)
		if _, err := tx.Exec(t.Context(), `DELETE FROM signals WHERE title = 'the caller''s own'`); err != nil {
			t.Fatalf("the caller's transaction afterwards: %v", err)
		}
		commit(t, tx)
	})
}

// left returns the signals and recordings that the caller sees.
func left(t testing.TB, db *pgtest.DB, outer pgx.Tx) (titles []string, rows written) {
	t.Helper()
	const query = `SELECT title FROM signals WHERE title <> 'the caller''s own' ORDER BY title`
	if outer == nil {
		return collect[string](t, db, query), countWritten(t, db.Pool)
	}
	found, err := outer.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	if titles, err = pgx.CollectRows(found, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return titles, countWritten(t, outer)
}

func wantLeft(t testing.TB, db *pgtest.DB, outer pgx.Tx, wantTitles []string, want written) {
	t.Helper()
	titles, rows := left(t, db, outer)
	if rows != want || strings.Join(titles, ",") != strings.Join(wantTitles, ",") {
		t.Errorf("left behind: got signals %q and %+v, want %q and %+v", titles, rows, wantTitles, want)
	}
}

func TestTxActivityChangesAndRecords(t *testing.T) {
	t.Parallel()
	handles(t, func(t *testing.T, db *pgtest.DB, handle pg.Beginner, outer pgx.Tx) {
		e := aKeyedEnvelope()
		e.ResourceID = uuid.Nil
		result, r, err := outbox.TxActivity(t.Context(), handle, e, create("Momentum 12"))
		if err != nil {
			t.Fatal(err)
		}
		if result != "made Momentum 12" || !r.Created || r.ResourceID == uuid.Nil || r.Action != "signal.created" {
			t.Errorf("got %q, %+v; want fn's result and the activity about fn's resource", result, r)
		}
		if e.ResourceID != uuid.Nil {
			t.Errorf("the caller's envelope: got resource %s, want it untouched", e.ResourceID)
		}
		wantLeft(t, db, outer, []string{"Momentum 12"}, written{1, 1, 1})
	})
}

var errOwn = errors.New("fn's own error")

func TestTxActivityLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fn   func(ctx context.Context, tx pgx.Tx, e *activity.Envelope, cancel func()) error
		want func(err error) bool
	}{
		"fn fails": {
			func(context.Context, pgx.Tx, *activity.Envelope, func()) error { return errOwn },
			func(err error) bool { return err == errOwn }, //nolint:errorlint // as it is, not wrapped
		},
		"fn's statement fails": {
			func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope, _ func()) error {
				_, err := tx.Exec(ctx, `SELECT 1/0`)
				return err
			},
			func(err error) bool { return state(err) == "22012" },
		},
		"fn hides that its statement failed": {
			func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope, _ func()) error {
				_, _ = tx.Exec(ctx, `SELECT 1/0`)
				return nil
			},
			func(err error) bool { return state(err) == "25P02" },
		},
		"the envelope is refused in Go": {
			func(_ context.Context, _ pgx.Tx, e *activity.Envelope, _ func()) error {
				e.Action = "created"
				return nil
			},
			func(err error) bool { return cmp.Equal(refusedFields(err), []string{"action"}) },
		},
		"the envelope is refused by the database": {
			func(_ context.Context, _ pgx.Tx, e *activity.Envelope, _ func()) error {
				e.Payload = map[string]string{"a": strings.Repeat("x", 70_000)}
				return nil
			},
			func(err error) bool { return cmp.Equal(refusedFields(err), []string{"payload"}) },
		},
		"the context ends in fn": {
			func(ctx context.Context, _ pgx.Tx, _ *activity.Envelope, cancel func()) error {
				cancel()
				return ctx.Err()
			},
			func(err error) bool { return errors.Is(err, context.Canceled) },
		},
		"the context ends in fn, which does not say so": {
			func(_ context.Context, _ pgx.Tx, _ *activity.Envelope, cancel func()) error { cancel(); return nil },
			func(err error) bool { return errors.Is(err, context.Canceled) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handles(t, func(t *testing.T, db *pgtest.DB, handle pg.Beginner, outer pgx.Tx) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				result, r, err := outbox.TxActivity(
					ctx,
					handle,
					aKeyedEnvelope(),
					func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (string, error) {
						if _, err := create("lost")(ctx, tx, e); err != nil {
							return "", err
						}
						return "a result", tc.fn(ctx, tx, e, cancel)
					},
				)
				if !tc.want(err) || result != "" || r.ID != uuid.Nil {
					t.Errorf("got %q, %+v, %v", result, r, err)
				}
				wantLeft(t, db, outer, nil, written{})
				// The handle is still usable.
				if _, _, err := outbox.TxActivity(t.Context(), handle, aKeyedEnvelope(), create("kept")); err != nil {
					t.Errorf("the next one: %v", err)
				}
				wantLeft(t, db, outer, []string{"kept"}, written{1, 1, 1})
			})
		})
	}
}

func TestTxActivityPanicLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	handles(t, func(t *testing.T, db *pgtest.DB, handle pg.Beginner, outer pgx.Tx) {
		func() {
			defer func() {
				if got := recover(); got != "on purpose" {
					t.Errorf("panic: got %v, want fn's own", got)
				}
			}()
			_, _, _ = outbox.TxActivity(
				t.Context(),
				handle,
				anEnvelope(),
				func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (string, error) {
					if _, err := create("lost")(ctx, tx, e); err != nil {
						return "", err
					}
					panic("on purpose")
				},
			)
		}()
		wantLeft(t, db, outer, nil, written{})
	})
}

// endingTx ends a context once an activity is recorded in it, before the commit.
type endingTx struct {
	pgx.Tx
	end func()
}

func (tx endingTx) Begin(ctx context.Context) (pgx.Tx, error) {
	inner, err := tx.Tx.Begin(ctx)
	return endingTx{inner, tx.end}, err
}

func (tx endingTx) Commit(ctx context.Context) error {
	tx.end()
	return tx.Tx.Commit(ctx)
}

// TestTxActivityContextEndsAtTheCommit allows either result, but never an error together with the
// change in the caller's transaction.
func TestTxActivityContextEndsAtTheCommit(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	tx := begin(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, _, err := outbox.TxActivity(ctx, endingTx{tx, cancel}, anEnvelope(), create("Momentum 12"))
	titles, rows := left(t, db, tx)
	if none := len(titles) == 0 && rows == (written{}); (err != nil) != none {
		t.Errorf(
			"got %v with signals %q and %+v left behind, want an error if and only if nothing is",
			err,
			titles,
			rows,
		)
	}
}

func TestTxActivityCommitFails(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	orphan := func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (string, error) {
		_, err := tx.Exec(ctx, `INSERT INTO signals VALUES ($1, 'orphan', gen_random_uuid())`, e.ResourceID)
		return "made", err
	}
	result, r, err := outbox.TxActivity(t.Context(), db.Pool, anEnvelope(), orphan)
	if state(err) != "23503" || result != "" || r.ID != uuid.Nil {
		t.Errorf("got %q, %+v, %v; want SQLSTATE 23503, the constraint checked at the commit", result, r, err)
	}
	wantLeft(t, db, nil, nil, written{})
}

func TestTxActivityDuplicate(t *testing.T) {
	t.Parallel()
	handles(t, func(t *testing.T, db *pgtest.DB, handle pg.Beginner, outer pgx.Tx) {
		e := anEnvelope()
		e.CorrelationID = uuid.New()
		_, first, err := outbox.TxActivity(t.Context(), handle, e, create("once"))
		if err != nil {
			t.Fatal(err)
		}
		result, again, err := outbox.TxActivity(
			t.Context(),
			handle,
			e,
			func(context.Context, pgx.Tx, *activity.Envelope) (string, error) {
				t.Error("fn ran again")
				return "again", nil
			},
		)
		if err != nil || result != "" || again.Created {
			t.Errorf("got %q, created %t, %v; want the zero result, false, no error", result, again.Created, err)
		}
		if diff := cmp.Diff(first.Activity, again.Activity); diff != "" {
			t.Errorf("activity (-first +again):\n%s", diff)
		}
		wantLeft(t, db, outer, []string{"once"}, written{1, 1, 1})
	})
}

// TestTxActivityKeyCompletedByFn finds the duplicate only after fn, and rolls back fn's change.
func TestTxActivityKeyCompletedByFn(t *testing.T) {
	t.Parallel()
	handles(t, func(t *testing.T, db *pgtest.DB, handle pg.Beginner, outer pgx.Tx) {
		e := anEnvelope()
		resource, correlation := e.ResourceID, uuid.New()
		do := func(title string) (string, outbox.Recorded, error) {
			e.ResourceID, e.CorrelationID = uuid.Nil, correlation
			return outbox.TxActivity(
				t.Context(),
				handle,
				e,
				func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (string, error) {
					e.ResourceID = resource
					_, err := tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, title)
					return title, err
				},
			)
		}
		_, first, err := do("first")
		if err != nil {
			t.Fatal(err)
		}
		result, again, err := do("second")
		if err != nil || result != "" || again.Created || again.ID != first.ID {
			t.Errorf("got %q, %+v, %v; want the zero result and the existing activity", result, again, err)
		}
		wantLeft(t, db, outer, []string{"first"}, written{1, 1, 1})
	})
}

// TestTxActivityTwoAtOnce lets two transactions find no existing activity before either records.
func TestTxActivityTwoAtOnce(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	e := anEnvelope()
	e.CorrelationID = uuid.New()
	var inside atomic.Int32
	both := make(chan struct{})
	var results [2]string
	var recorded [2]outbox.Recorded
	var g errgroup.Group
	for i, title := range []string{"left", "right"} {
		g.Go(func() (err error) {
			results[i], recorded[i], err = outbox.TxActivity(
				t.Context(),
				db.Pool,
				e,
				func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (string, error) {
					if inside.Add(1) == 2 {
						close(both)
					}
					<-both
					_, err := tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, title)
					return title, err
				},
			)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	winner := 0
	if recorded[1].Created {
		winner = 1
	}
	loser := 1 - winner
	if !recorded[winner].Created || recorded[loser].Created || recorded[0].ID != recorded[1].ID {
		t.Errorf("got %+v, want one created and the other notified of it", recorded)
	}
	if results[loser] != "" {
		t.Errorf("the loser's result: got %q, want none", results[loser])
	}
	wantLeft(t, db, nil, []string{results[winner]}, written{1, 1, 1})
}

// trips counts the round trips of a connection: responses that follow a write.
type trips struct {
	net.Conn
	wrote atomic.Bool
	count atomic.Int64
}

func (c *trips) Write(b []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(b)
}

func (c *trips) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b) // pgx may have begun it before the write
	if n > 0 && c.wrote.Swap(false) {
		c.count.Add(1)
	}
	return n, err
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	config, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	var wire *trips
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		wire = &trips{Conn: conn}
		return wire, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)

	nothing := func(context.Context, pgx.Tx, *activity.Envelope) (struct{}, error) { return struct{}{}, nil }
	inTx := func(do func(tx pgx.Tx) error) func() error {
		return func() error { return pgx.BeginFunc(t.Context(), pool, do) }
	}
	for _, tc := range []struct {
		name string
		want int64
		do   func() error
	}{
		{"a transaction alone", 2, inTx(func(pgx.Tx) error { return nil })},
		{
			"Record", 2 + 1,
			inTx(func(tx pgx.Tx) error { _, err := outbox.Record(t.Context(), tx, anEnvelope()); return err }),
		},
		{"RecordMany", 2 + 1, inTx(func(tx pgx.Tx) error {
			_, err := outbox.RecordMany(t.Context(), tx, []activity.Envelope{anEnvelope(), anEnvelope(), anEnvelope()})
			return err
		})},
		{"Queue behind a change", 2 + 1, inTx(func(tx pgx.Tx) error {
			var batch pgx.Batch
			batch.Queue(`INSERT INTO signals (id, title) VALUES ($1, $2)`, uuid.New(), "Momentum 12")
			var r outbox.Recorded
			if err := outbox.Queue(&batch, anEnvelope(), &r); err != nil {
				return err
			}
			return tx.SendBatch(t.Context(), &batch).Close()
		})},
		{"TxActivity of no change", 1, func() error {
			_, _, err := outbox.TxActivity(t.Context(), pool, anEnvelope(), nothing)
			return err
		}},
		{"TxActivity of a change in one statement: BEGIN goes with it, and COMMIT with the recording", 2, func() error {
			_, _, err := outbox.TxActivity(t.Context(), pool, anEnvelope(), func(ctx context.Context, tx pgx.Tx,
				_ *activity.Envelope,
			) (struct{}, error) {
				_, err := tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES ($1, $2)`, uuid.New(), "Momentum 12")
				return struct{}{}, err
			})
			return err
		}},
		{"TxActivity with a key, which it looks for first", 2, func() error {
			e := anEnvelope()
			e.CorrelationID = uuid.New()
			_, _, err := outbox.TxActivity(t.Context(), pool, e, nothing)
			return err
		}},
		{"TxActivity refused in Go", 0, func() error {
			_, _, err := outbox.TxActivity(t.Context(), pool, activity.Envelope{}, nothing)
			if refusedFields(err) == nil {
				return errors.New("it was not refused")
			}
			return nil
		}},
	} {
		// The first time, pgx prepares the statement.
		for range 2 {
			if err := tc.do(); err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
		}
		before := wire.count.Load()
		if err := tc.do(); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if got := wire.count.Load() - before; got != tc.want {
			t.Errorf("%s: got %d round trips, want %d", tc.name, got, tc.want)
		}
	}
}
