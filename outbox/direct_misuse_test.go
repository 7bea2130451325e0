package outbox_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/activity/redaction"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// fn runs in a transaction.
type fn func(ctx context.Context, tx pgx.Tx) error

// txActivity runs TxActivity for a change without a result.
func txActivity(ctx context.Context, db pg.Beginner, e activity.Envelope, do fn) (outbox.Recorded, error) {
	_, recorded, err := outbox.TxActivity(
		ctx,
		db,
		e,
		func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
			return struct{}{}, do(ctx, tx)
		},
	)
	return recorded, err
}

// oneConn returns a connection.
func oneConn(t testing.TB, db *pgtest.DB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// everyMode calls test with a pool of one connection for each mode in which pgx sends statements.
// Behind a pooler that assigns each transaction another session, applications use other modes than
// the default.
func everyMode(t *testing.T, test func(t *testing.T, db *pgtest.DB, pool *pgxpool.Pool)) {
	for name, mode := range map[string]pgx.QueryExecMode{
		"cached statements": pgx.QueryExecModeCacheStatement, "cached descriptions": pgx.QueryExecModeCacheDescribe,
		"describe and execute": pgx.QueryExecModeDescribeExec, "execute": pgx.QueryExecModeExec,
		"simple protocol": pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := withSignals(t)
			config, err := pgxpool.ParseConfig(db.URL)
			if err != nil {
				t.Fatal(err)
			}
			config.MaxConns, config.ConnConfig.DefaultQueryExecMode = 1, mode
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			test(t, db, pool)
		})
	}
}

// TestEveryModeRecords records in each mode in which pgx sends statements.
func TestEveryModeRecords(t *testing.T) {
	t.Parallel()
	everyMode(t, func(t *testing.T, db *pgtest.DB, pool *pgxpool.Pool) {
		insert := func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "Momentum 12")
			return err
		}
		e := aKeyedEnvelope()
		e.Payload, e.IP = map[string]any{"title": "Momentum 12"}, "192.0.2.1"
		first, err := txActivity(t.Context(), pool, e, insert)
		if err != nil || !first.Created || string(first.Payload) != `{"title": "Momentum 12"}` {
			t.Errorf("TxActivity: got %+v, %v; want it recorded", first, err)
		}
		again, err := txActivity(t.Context(), pool, e, insert)
		if err != nil || again.Created || again.ID != first.ID {
			t.Errorf(
				"TxActivity again: got %s, created %t, %v; want the existing %s",
				again.ID,
				again.Created,
				err,
				first.ID,
			)
		}
		// The key is complete only after fn, so the database finds the duplicate.
		_, late, err := outbox.TxActivity(
			t.Context(),
			pool,
			anEnvelope(),
			func(ctx context.Context, tx pgx.Tx, l *activity.Envelope) (struct{}, error) {
				l.CorrelationID, l.ResourceID = e.CorrelationID, e.ResourceID
				return struct{}{}, insert(ctx, tx)
			},
		)
		if err != nil || late.Created || late.ID != first.ID {
			t.Errorf(
				"TxActivity with a duplicate key: got %s, created %t, %v; want the existing %s",
				late.ID,
				late.Created,
				err,
				first.ID,
			)
		}
		wrong := anEnvelope()
		wrong.DeliveryChannels = []string{"chat:other"}
		if _, err := txActivity(t.Context(), pool, wrong, insert); !slices.Equal(
			refusedFields(err),
			[]string{"delivery_channels[0]"},
		) &&
			!slices.Equal(refusedFields(err), []string{"delivery_channels"}) {
			t.Errorf("TxActivity refused: got %v, want delivery_channels", err)
		}
		if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			fresh := aKeyedEnvelope()
			if one := mustRecord(t, tx, e); one.Created || one.ID != first.ID || one.RecordedAt.IsZero() {
				t.Errorf("Record: got %+v, want the existing %s", one, first.ID)
			}
			many, err := outbox.RecordMany(t.Context(), tx, []activity.Envelope{fresh, e, anEnvelope()})
			if err != nil {
				return err
			}
			if !many[0].Created || many[1].Created || many[1].ID != first.ID || !many[2].Created {
				t.Errorf("RecordMany: got %+v", many)
			}
			batch := &pgx.Batch{}
			batch.Queue(`INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "Momentum 13")
			var queued outbox.Recorded
			if err := outbox.Queue(batch, anEnvelope(), &queued); err != nil {
				return err
			}
			if err := tx.SendBatch(t.Context(), batch).Close(); err != nil {
				return err
			}
			if !queued.Created {
				t.Error("Queue: got nothing recorded")
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		log := pglog.New(pool)
		ids := []uuid.UUID{first.ID, uuid.New()}
		if found, err := log.Read(t.Context(), e.TenantID, ids, activity.Filter{}, 2); err != nil || len(found) != 1 {
			t.Errorf("Read: got %d, %v; want the one", len(found), err)
		}
		narrow := activity.Filter{
			Actor:  e.ActorPrincipalID,
			Since:  first.RecordedAt,
			Until:  first.RecordedAt.Add(time.Hour),
			Action: "signal.*",
			Q:      "signal",
		}
		if found, _, err := log.List(t.Context(), e.TenantID, narrow, activity.Page{}); err != nil || len(found) != 4 {
			t.Errorf("List: got %d, %v; want 4", len(found), err)
		}
		if n, exact, err := log.Count(t.Context(), e.TenantID, narrow, 10); err != nil || n != 4 || !exact {
			t.Errorf("Count: got %d, exact %t, %v; want 4", n, exact, err)
		}
		for _, r := range []redaction.Request{{IDs: []uuid.UUID{first.ID}}, {
			Actor: e.ActorPrincipalID,
			Since: first.RecordedAt,
		}} {
			r.Tenant, r.Reason, r.DryRun = e.TenantID, "asked to be forgotten", true
			if done, err := redaction.Redact(t.Context(), pool, r); err != nil || done.Redacted == 0 {
				t.Errorf("Redact: got %+v, %v; want some", done, err)
			}
		}
		if got, want := countWritten(t, db.Pool), (written{4, 4, 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got := count(t, db.Pool, "signals"); got != 2 {
			t.Errorf("got %d changes, want 2", got)
		}
		wantFree(t, pool)
	})
}

// wantFree checks that the pool's only connection is released, or replaced.
func wantFree(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := pool.Ping(ctx); err != nil {
		t.Fatalf("the connection was not given back: %v", err)
	}
}

// TestIgnoredErrorOfTheFirstStatement has fn ignore that its first statement failed, wherever the
// error occurred: nothing may be recorded or changed.
func TestIgnoredErrorOfTheFirstStatement(t *testing.T) {
	t.Parallel()
	everyMode(t, func(t *testing.T, db *pgtest.DB, pool *pgxpool.Pool) {
		for name, first := range map[string]fn{
			"of the statement": func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `SELECT 1 / $1::int`, 0)
				return err
			},
			"of its syntax": func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `SELEKT $1`, 1)
				return err
			},
			"of what it names": func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO missing VALUES ($1)`, 1)
				return err
			},
			"of its argument": func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `SELECT $1::int`, make(chan int))
				return err
			},
			"of an only row": func(ctx context.Context, tx pgx.Tx) error {
				return tx.QueryRow(ctx, `SELECT x FROM missing WHERE x = $1`, 1).Scan(new(int))
			},
			"of a batch": func(ctx context.Context, tx pgx.Tx) error {
				b := &pgx.Batch{}
				b.Queue(`INSERT INTO missing VALUES ($1)`, 1)
				return tx.SendBatch(ctx, b).Close()
			},
			"of an empty batch": func(ctx context.Context, tx pgx.Tx) error {
				b := &pgx.Batch{}
				b.Queue(`SELEKT`)
				return tx.SendBatch(ctx, b).Close()
			},
		} {
			_, err := txActivity(t.Context(), pool, anEnvelope(), func(ctx context.Context, tx pgx.Tx) error {
				if first(ctx, tx) == nil {
					t.Errorf("%s: got no error", name)
				}
				return nil
			})
			if err == nil || countWritten(t, db.Pool) != (written{}) {
				t.Errorf(
					"an error %s, kept back: got %v and %+v; want an error and nothing recorded",
					name,
					err,
					countWritten(t, db.Pool),
				)
			}
			_, err = txActivity(t.Context(), pool, anEnvelope(), func(ctx context.Context, tx pgx.Tx) error {
				_ = first(ctx, tx)
				_, _ = tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "Momentum 12")
				return errors.New("no")
			})
			if err == nil || count(t, db.Pool, "signals") != 0 {
				t.Errorf(
					"an error %s, and then a change that is given up: got %v and %d changes",
					name,
					err,
					count(t, db.Pool, "signals"),
				)
			}
			wantFree(t, pool)
		}
	})
}

// TestConnOfTheTransaction checks that the connection is in the transaction, as with every other
// pgx.Tx.
func TestConnOfTheTransaction(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	errWanted := errors.New("wanted")
	_, err := txActivity(t.Context(), db.Pool, anEnvelope(), func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Conn().Exec(ctx, `INSERT INTO signals (id, title)
			VALUES (gen_random_uuid(), $1)`, "Momentum 12"); err != nil {
			return err
		}
		return errWanted
	})
	if got := count(t, db.Pool, "signals"); !errors.Is(err, errWanted) || got != 0 {
		t.Errorf("got %v and %d changes, want the error and none", err, got)
	}
}

// TestRowsLeftOpen has fn leave the rows of its first statement open: nothing is recorded, and
// neither the pool nor the server keeps resources.
func TestRowsLeftOpen(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	pool := widePool(t, db, 1)
	conn := oneConn(t, db)
	pid := conn.PgConn().PID()
	leave := map[string]fn{
		"and no error": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Query(
				ctx,
				`INSERT INTO signals (id, title) SELECT gen_random_uuid(), 'x' FROM generate_series(1, $1::int)
					RETURNING title`,
				3,
			) //nolint:sqlclosecheck // left open
			return err
		},
		"and an error": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Query(
				ctx,
				`INSERT INTO signals (id, title) SELECT gen_random_uuid(), 'x' FROM generate_series(1, $1::int)
					RETURNING title`,
				3,
			) //nolint:sqlclosecheck // left open
			return errors.Join(err, errors.New("no"))
		},
		"of a batch": func(ctx context.Context, tx pgx.Tx) error {
			b := &pgx.Batch{}
			b.Queue(`INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "x")
			_ = tx.SendBatch(ctx, b)
			return errors.New("no")
		},
	}
	for name, do := range leave {
		if _, err := txActivity(t.Context(), pool, anEnvelope(), do); err == nil || count(t, db.Pool, "signals") != 0 {
			t.Errorf(
				"rows left open %s: got %v and %d changes; want an error and none",
				name,
				err,
				count(t, db.Pool, "signals"),
			)
		}
		wantFree(t, pool)
	}
	if _, err := txActivity(t.Context(), conn, anEnvelope(), leave["and an error"]); err == nil {
		t.Error("got no error")
	}
	if !conn.IsClosed() {
		t.Error("got a connection that waits for ever in a transaction, want it closed or usable")
	}
	waittest.Query(
		t,
		db.Pool,
		"the server has given up the transaction",
		`SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state LIKE 'idle in transaction%')`,
		pid,
	)
}

// TestRowThatCannotBeScanned checks that a failed scan closes the rows, as pgx documents.
func TestRowThatCannotBeScanned(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	if _, err := txActivity(t.Context(), db.Pool, anEnvelope(), func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT 'x'
			FROM generate_series(1, $1::int)`, 3) //nolint:sqlclosecheck // Scan closes
		if err != nil {
			return err
		}
		if !rows.Next() || rows.Scan(new(int)) == nil {
			t.Error("got a text as a number")
		}
		_, err = tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "Momentum 12")
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestTransactionUsedAfterTheEnd checks that the transaction is closed for fn after its end:
// another caller may use the connection by then.
func TestTransactionUsedAfterTheEnd(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	pool := widePool(t, db, 1)
	for name, first := range map[string]fn{
		"that had begun": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `SELECT $1::int`, 1)
			return err
		},
		"that had not": func(context.Context, pgx.Tx) error { return nil },
		"that failed":  func(context.Context, pgx.Tx) error { return errors.New("no") },
	} {
		var kept pgx.Tx
		_, _ = txActivity(t.Context(), pool, anEnvelope(), func(ctx context.Context, tx pgx.Tx) error {
			kept = tx
			return first(ctx, tx)
		})
		batch := &pgx.Batch{}
		batch.Queue(`INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "x")
		_, execErr := kept.Exec(t.Context(), `INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "x")
		rows, queryErr := kept.Query(
			t.Context(),
			`INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1) RETURNING 1`,
			"x",
		)
		rows.Close()
		_, copyErr := kept.CopyFrom(
			t.Context(),
			pgx.Identifier{"signals"},
			[]string{"title"},
			pgx.CopyFromRows([][]any{{"x"}}),
		)
		_, beginErr := kept.Begin(t.Context())
		_, prepareErr := kept.Prepare(t.Context(), "kept", `SELECT 1`)
		for what, err := range map[string]error{
			"Exec": execErr, "Query": queryErr, "CopyFrom": copyErr, "Begin": beginErr, "Prepare": prepareErr,
			"QueryRow":  kept.QueryRow(t.Context(), `SELECT $1::int`, 1).Scan(new(int)),
			"SendBatch": kept.SendBatch(t.Context(), batch).Close(),
		} {
			if !errors.Is(err, pgx.ErrTxClosed) {
				t.Errorf("%s of a transaction %s: got %v, want pgx.ErrTxClosed", what, name, err)
			}
		}
	}
	if got := count(t, db.Pool, "signals"); got != 0 {
		t.Errorf("got %d changes, want none", got)
	}
	wantFree(t, pool)
}

// TestContextEndsAnywhere ends the context after various numbers of microseconds: a change and its
// activity stay together, and the pool's only connection is released.
func TestContextEndsAnywhere(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	pool := widePool(t, db, 1)
	before := 0
	for i := range 200 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*25)*time.Microsecond)
		e := anEnvelope()
		if i%2 == 0 {
			e = aKeyedEnvelope()
		}
		recorded, err := txActivity(ctx, pool, e, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES (gen_random_uuid(), $1)`, "Momentum 12")
			return err
		})
		cancel()
		if (err == nil) != recorded.Created {
			t.Fatalf("got created %t, %v", recorded.Created, err)
		}
		if err == nil {
			before++
		}
		wantFree(t, pool)
	}
	// The server decides about a commit that was in progress.
	waittest.Query(t, db.Pool, "no transaction is open", `
		SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
		AND pid <> pg_backend_pid())`)
	changes, activities := count(t, db.Pool, "signals"), count(t, db.Pool, "fanfare.activities")
	if changes != activities || changes < before {
		t.Errorf(
			"got %d changes and %d activities, want as many, at least the %d that were reported",
			changes,
			activities,
			before,
		)
	}
	if _, err := txActivity(t.Context(), pool, anEnvelope(), func(context.Context, pgx.Tx) error {
		return nil
	}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestTableChangesUnderCachedStatements invalidates a cached first statement: one call may fail,
// the next succeeds.
func TestTableChangesUnderCachedStatements(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	pool := widePool(t, db, 1)
	read := func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT * FROM signals WHERE title = $1`, "x")
		if err != nil {
			return err
		}
		rows.Close()
		return rows.Err()
	}
	change := func() error { _, err := txActivity(t.Context(), pool, anEnvelope(), read); return err }
	if err := errors.Join(change(), change()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool.Exec(t.Context(), `ALTER TABLE signals ADD COLUMN more int`); err != nil {
		t.Fatal(err)
	}
	if err := change(); err != nil && state(err) != "0A000" {
		t.Errorf("got %v, want none or that the cached plan no longer fits", err)
	}
	if err := change(); err != nil {
		t.Errorf("after that: got %v, want none", err)
	}
	wantFree(t, pool)
}
