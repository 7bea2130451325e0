package outbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// errOwned is the error for an fn that ends the transaction that TxActivity owns.
var errOwned = errors.New("TxActivity commits or rolls back by itself: return an error to roll back")

// directTx is a transaction on a connection that no other code uses meanwhile. It saves two round
// trips: BEGIN travels with the first statement, and COMMIT with the last.
type directTx struct {
	conn    *pgx.Conn
	begun   pgx.Tx // nil before the first statement, closed after end
	release func()
}

// beginDirect acquires a connection of a pool, or uses db if it is a connection. It returns nil if
// db is neither.
func beginDirect(ctx context.Context, db pg.Beginner) (*directTx, error) {
	switch db := db.(type) {
	case *pgxpool.Pool:
		conn, err := db.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		return &directTx{conn: conn.Conn(), release: conn.Release}, nil
	case *pgxpool.Conn:
		return &directTx{conn: db.Conn(), release: func() {}}, nil
	case *pgx.Conn:
		return &directTx{conn: db, release: func() {}}, nil
	}
	return nil, nil
}

// begin begins in a round trip of its own, for a statement that cannot travel with BEGIN.
func (t *directTx) begin(ctx context.Context) (err error) {
	if t.begun == nil {
		t.begun, err = t.conn.Begin(ctx)
	}
	return err
}

// first sends BEGIN and the first statement. The result of the statement is the next to read.
func (t *directTx) first(ctx context.Context, sql string, args []any) pgx.BatchResults {
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	batch.Queue(sql, args...)
	return t.skipBegin(t.conn.SendBatch(ctx, batch))
}

// skipBegin skips the result of BEGIN. The next result repeats an error of it.
func (t *directTx) skipBegin(results pgx.BatchResults) pgx.BatchResults {
	t.begun = results.Tx()
	_, _ = results.Exec()
	return results
}

// batchable reports whether a statement can be part of a batch: one without arguments may consist
// of several, and a batch takes no options.
func batchable(args []any) bool {
	if len(args) == 0 {
		return false
	}
	switch args[0].(type) {
	case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID, pgx.QueryRewriter:
		return false
	}
	return true
}

func (t *directTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if t.begun == nil && batchable(args) {
		results := t.first(ctx, sql, args)
		tag, err := results.Exec()
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
		return tag, err
	}
	if err := t.begin(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return t.begun.Exec(ctx, sql, args...)
}

func (t *directTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if t.begun == nil && batchable(args) {
		results := t.first(ctx, sql, args)
		rows, err := results.Query()
		if err != nil {
			_ = results.Close() // it has the same error
			return rows, err
		}
		return &firstRows{Rows: rows, results: results}, nil
	}
	if err := t.begin(ctx); err != nil {
		return failedRows{err: err}, err
	}
	return t.begun.Query(ctx, sql, args...)
}

func (t *directTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := t.Query(ctx, sql, args...)
	return firstRow{rows, err}
}

func (t *directTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if t.begun != nil {
		return t.begun.SendBatch(ctx, b)
	}
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	batch.QueuedQueries = append(batch.QueuedQueries, b.QueuedQueries...)
	return t.skipBegin(t.conn.SendBatch(ctx, batch))
}

func (t *directTx) CopyFrom(
	ctx context.Context,
	table pgx.Identifier,
	columns []string,
	source pgx.CopyFromSource,
) (int64, error) {
	if err := t.begin(ctx); err != nil {
		return 0, err
	}
	return t.begun.CopyFrom(ctx, table, columns, source)
}

func (t *directTx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if t.begun != nil {
		return t.begun.Prepare(ctx, name, sql)
	}
	return t.conn.Prepare(ctx, name, sql)
}

// Begin begins a savepoint.
func (t *directTx) Begin(ctx context.Context) (pgx.Tx, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	return t.begun.Begin(ctx)
}

// LargeObjects cannot return an error; without a transaction, the methods of its result do.
func (t *directTx) LargeObjects() pgx.LargeObjects {
	if err := t.beginDetached(); err != nil {
		return closedTx().LargeObjects()
	}
	return t.begun.LargeObjects()
}

// Conn begins, since statements on the connection itself must be part of the transaction too.
func (t *directTx) Conn() *pgx.Conn {
	_ = t.beginDetached() // it closes the connection if it fails
	return t.conn
}

// beginDetached begins in a method that has no context.
func (t *directTx) beginDetached() error {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	return t.begin(ctx)
}

// closedTx returns a transaction whose methods return pgx.ErrTxClosed.
func closedTx() pgx.Tx {
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	return pgx.FailedBatchResults(batch, pgx.ErrTxClosed).Tx()
}

func (t *directTx) Commit(context.Context) error   { return errOwned }
func (t *directTx) Rollback(context.Context) error { return errOwned }

// last sends a statement and COMMIT, preceded by BEGIN if the transaction has not begun yet, and
// calls read with the statement's rows. After an error of the statement nothing is committed.
func (t *directTx) last(ctx context.Context, read func(pgx.Rows) error, sql string, args ...any) error {
	// If the first statement cannot be sent, BEGIN is not sent either. A caller that ignores the
	// error must not commit this statement alone.
	if t.begun != nil && t.conn.PgConn().TxStatus() == 'I' {
		return fmt.Errorf("an earlier statement failed: %w", pgx.ErrTxClosed)
	}
	batch := &pgx.Batch{}
	if t.begun == nil {
		batch.BeginTx(pgx.TxOptions{})
	}
	batch.Queue(sql, args...)
	batch.Queue("commit")
	results := t.conn.SendBatch(ctx, batch)
	if t.begun == nil {
		t.skipBegin(results)
	}
	rows, err := results.Query()
	if err == nil {
		err = read(rows)
	}
	if err == nil {
		_, err = results.Exec()
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return err
}

// end rolls back unless committed, even if ctx has ended, and releases the connection. If the
// rollback fails, as it does after results that were not read, it closes the connection, and the
// server rolls back.
func (t *directTx) end(ctx context.Context) {
	t.begun = closedTx()
	if server := t.conn.PgConn(); (server.TxStatus() != 'I' || server.IsBusy()) && !t.conn.IsClosed() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		if _, err := t.conn.Exec(ctx, "rollback"); err != nil {
			_ = t.conn.Close(ctx)
		}
	}
	t.release()
}

// firstRows are the rows of the first statement. Closing them closes its batch, so that the
// connection can be used again.
type firstRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
}

func (r *firstRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Scan closes the rows if it fails, as pgx does.
func (r *firstRows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return err
}

func (r *firstRows) Close() {
	r.Rows.Close()
	r.err = r.results.Close()
}

func (r *firstRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// failedRows are the rows of a query that could not be sent.
type failedRows struct {
	pgx.Rows
	err error
}

func (failedRows) Close()       {}
func (r failedRows) Err() error { return r.err }
func (failedRows) Next() bool   { return false }

// firstRow is the first row of rows, as the result of QueryRow.
type firstRow struct {
	rows pgx.Rows
	err  error
}

func (r firstRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
