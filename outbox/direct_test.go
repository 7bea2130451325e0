package outbox_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// TestFirstStatement begins a change with each method of a transaction: it works, and its change is
// committed and rolled back together with the activity.
func TestFirstStatement(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), `CREATE TABLE words (word text PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	words := func() []string { return collect[string](t, db, `SELECT word FROM words ORDER BY word`) }
	errWanted := errors.New("wanted")
	for name, do := range map[string]func(ctx context.Context, tx pgx.Tx) error{
		"Exec": func(ctx context.Context, tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `INSERT INTO words VALUES ($1)`, "a")
			if err == nil && tag.RowsAffected() != 1 {
				err = errors.New("got no row, want one")
			}
			return err
		},
		"Exec without arguments, of two statements": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `SELECT 1; INSERT INTO words VALUES ('a')`)
			return err
		},
		"Exec with an option": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO words VALUES ($1)`, pgx.QueryExecModeSimpleProtocol, "a")
			return err
		},
		"Exec with named arguments": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO words VALUES (@word)`, pgx.NamedArgs{"word": "a"})
			return err
		},
		"Query, read to its end": func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `INSERT INTO words VALUES ($1) RETURNING word`, "a")
			if err != nil {
				return err
			}
			got, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			if err == nil && got != "a" {
				err = errors.New("got " + got + ", want a")
			}
			return err
		},
		"Query, not closed": func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `INSERT INTO words VALUES ($1) RETURNING word`, "a")
			if err != nil {
				return err
			}
			for rows.Next() { //nolint:revive // reading to the end closes
			}
			return rows.Err()
		},
		"Query, left in the middle": func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `SELECT n FROM generate_series(1, $1) AS n`, 1000)
			if err != nil {
				return err
			}
			rows.Next()
			rows.Close()
			if err := rows.Err(); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO words VALUES ($1)`, "a")
			return err
		},
		"QueryRow": func(ctx context.Context, tx pgx.Tx) error {
			var got string
			return tx.QueryRow(ctx, `INSERT INTO words VALUES ($1) RETURNING word`, "a").Scan(&got)
		},
		"QueryRow of none": func(ctx context.Context, tx pgx.Tx) error {
			var got string
			if err := tx.QueryRow(ctx, `SELECT word FROM words WHERE word = $1`, "none").Scan(&got); !errors.Is(err,
				pgx.ErrNoRows) {
				return errors.Join(errors.New("want pgx.ErrNoRows"), err)
			}
			_, err := tx.Exec(ctx, `INSERT INTO words VALUES ($1)`, "a")
			return err
		},
		"SendBatch with functions": func(ctx context.Context, tx pgx.Tx) error {
			var got []string
			batch := &pgx.Batch{}
			batch.Queue(`INSERT INTO words VALUES ($1) RETURNING word`, "a").QueryRow(func(row pgx.Row) error {
				var word string
				err := row.Scan(&word)
				got = append(got, word)
				return err
			})
			batch.Queue(`SELECT 1`).Exec(func(tag pgconn.CommandTag) error {
				got = append(got, tag.String())
				return nil
			})
			if err := tx.SendBatch(ctx, batch).Close(); err != nil {
				return err
			}
			if !slices.Equal(got, []string{"a", "SELECT 1"}) {
				return errors.New("the functions heard of other results")
			}
			return nil
		},
		"SendBatch, result by result": func(ctx context.Context, tx pgx.Tx) error {
			batch := &pgx.Batch{}
			batch.Queue(`INSERT INTO words VALUES ($1)`, "a")
			results := tx.SendBatch(ctx, batch)
			tag, err := results.Exec()
			if err == nil && tag.String() != "INSERT 0 1" {
				err = errors.New("got " + tag.String())
			}
			return errors.Join(err, results.Close())
		},
		"CopyFrom": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"words"}, []string{"word"}, pgx.CopyFromRows([][]any{{"a"}}))
			return err
		},
		"Prepare": func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Prepare(ctx, "put", `INSERT INTO words VALUES ($1)`); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "put", "a")
			return errors.Join(err, tx.Conn().Deallocate(ctx, "put"))
		},
		"Begin, kept and dropped": func(ctx context.Context, tx pgx.Tx) error {
			if err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO words VALUES ($1)`, "a")
				return err
			}); err != nil {
				return err
			}
			err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, `INSERT INTO words VALUES ($1)`, "b"); err != nil {
					return err
				}
				return errWanted
			})
			if !errors.Is(err, errWanted) {
				return errors.Join(errors.New("want the inner error"), err)
			}
			return nil
		},
		"a large object": func(ctx context.Context, tx pgx.Tx) error {
			objects := tx.LargeObjects()
			id, err := objects.Create(ctx, 0)
			if err != nil {
				return err
			}
			object, err := objects.Open(ctx, id, pgx.LargeObjectModeWrite)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(object, "a"); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO words VALUES ($1)`, "a")
			return err
		},
	} {
		e := anEnvelope()
		_, recorded, err := outbox.TxActivity(
			t.Context(),
			db.Pool,
			e,
			func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
				return struct{}{}, do(ctx, tx)
			},
		)
		if err != nil || !recorded.Created {
			t.Errorf("%s: got created %t, %v; want it recorded", name, recorded.Created, err)
		}
		if got := words(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s: got words %q, want the one", name, got)
		}
		if _, err := db.Pool.Exec(t.Context(), `TRUNCATE words`); err != nil {
			t.Fatal(err)
		}

		before := count(t, db.Pool, "fanfare.activities")
		_, _, err = outbox.TxActivity(
			t.Context(),
			db.Pool,
			anEnvelope(),
			func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
				return struct{}{}, errors.Join(do(ctx, tx), errWanted)
			},
		)
		if !errors.Is(err, errWanted) || len(words()) != 0 || count(t, db.Pool, "fanfare.activities") != before {
			t.Errorf("%s, and then an error: got %v, words %q; want nothing left", name, err, words())
		}
	}
}

// TestInvalidFirstStatement leaves a usable connection.
func TestInvalidFirstStatement(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for name, do := range map[string]func(ctx context.Context, tx pgx.Tx) error{
		"Exec": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `SELECT 1 / $1::int`, 0)
			return err
		},
		"QueryRow": func(ctx context.Context, tx pgx.Tx) error {
			return tx.QueryRow(ctx, `SELECT 1 / $1::int`, 0).Scan(new(int))
		},
		"Query": func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `SELECT 1 / (n - 2) FROM generate_series(1, $1::int) AS n`, 3)
			if err != nil {
				return err
			}
			_, err = pgx.CollectRows(rows, pgx.RowTo[int])
			return err
		},
		"SendBatch": func(ctx context.Context, tx pgx.Tx) error {
			batch := &pgx.Batch{}
			batch.Queue(`SELECT 1 / $1::int`, 0)
			return tx.SendBatch(ctx, batch).Close()
		},
		"no syntax": func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Exec(ctx, `SELEKT $1`, 1); return err },
	} {
		_, _, err := outbox.TxActivity(
			t.Context(),
			conn,
			anEnvelope(),
			func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
				return struct{}{}, do(ctx, tx)
			},
		)
		pgErr := (*pgconn.PgError)(nil)
		if !errors.As(err, &pgErr) {
			t.Errorf("%s: got %v, want the database's error", name, err)
		}
		if status := conn.PgConn().TxStatus(); status != 'I' || conn.IsClosed() {
			t.Errorf("%s: got a connection in status %c, want it idle", name, status)
		}
	}
	// An error that fn ignores must not lead to a commit.
	_, _, err = outbox.TxActivity(
		t.Context(),
		conn,
		anEnvelope(),
		func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
			_, _ = tx.Exec(ctx, `SELECT 1 / $1::int`, 0)
			return struct{}{}, nil
		},
	)
	if got := count(t, db.Pool, "fanfare.activities"); err == nil || got != 0 {
		t.Errorf("an error kept back: got %v and %d activities, want an error and none", err, got)
	}
}

// TestFnCannotEndTheTransaction has fn call Commit and Rollback.
func TestFnCannotEndTheTransaction(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, end := range map[string]func(ctx context.Context, tx pgx.Tx) error{
		"Commit":   func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) },
		"Rollback": func(ctx context.Context, tx pgx.Tx) error { return tx.Rollback(ctx) },
	} {
		_, _, err := outbox.TxActivity(
			t.Context(),
			db.Pool,
			anEnvelope(),
			func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (uuid.UUID, error) {
				return uuid.Nil, end(ctx, tx)
			},
		)
		if err == nil {
			t.Errorf("%s: got no error, want errOwned", name)
		}
	}
}
