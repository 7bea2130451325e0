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

// errEndsItself is for whoever tries to end a transaction that TxActivity ends.
var errEndsItself = errors.New("TxActivity commits or rolls back by itself: return an error to have it roll back")

// directTx is a transaction on a connection that nobody else uses meanwhile. It spares two round
// trips: BEGIN travels with the first statement, and COMMIT with the last.
type directTx struct {
	conn    *pgx.Conn
	begun   pgx.Tx // nil until the first statement, closed from the end on
	release func()
}

// beginDirect takes a connection of a pool, or db itself if it is one. It returns nil if db is
// neither.
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

// begin begins in a round trip of its own, for what cannot travel with BEGIN.
func (t *directTx) begin(ctx context.Context) (err error) {
	if t.begun == nil {
		t.begun, err = t.conn.Begin(ctx)
	}
	return err
}

// first sends the first statement with BEGIN ahead of it; the answer to it comes next.
func (t *directTx) first(ctx context.Context, sql string, args []any) pgx.BatchResults {
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	batch.Queue(sql, args...)
	return t.skipBegin(t.conn.SendBatch(ctx, batch))
}

// skipBegin passes the answer to BEGIN. If there is an error in it, it comes again with the next.
func (t *directTx) skipBegin(results pgx.BatchResults) pgx.BatchResults {
	t.begun = results.Tx()
	_, _ = results.Exec()
	return results
}

// travels tells whether a statement can be a batch's: one without arguments may be many in truth,
// and a batch knows no options.
func travels(args []any) bool {
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
	if t.begun == nil && travels(args) {
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
	if t.begun == nil && travels(args) {
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
	return onlyRow{rows, err}
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

// LargeObjects has no way to tell of an error: without a transaction its methods do.
func (t *directTx) LargeObjects() pgx.LargeObjects {
	if err := t.beginUnasked(); err != nil {
		return closedTx().LargeObjects()
	}
	return t.begun.LargeObjects()
}

// Conn begins, since what is sent on the connection itself must be part of the transaction too.
func (t *directTx) Conn() *pgx.Conn {
	_ = t.beginUnasked() // it closes a connection on which it fails
	return t.conn
}

// beginUnasked begins where the caller gives no context.
func (t *directTx) beginUnasked() error {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	return t.begin(ctx)
}

// closedTx returns a transaction that answers everything with pgx.ErrTxClosed.
func closedTx() pgx.Tx {
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	return pgx.FailedBatchResults(batch, pgx.ErrTxClosed).Tx()
}

func (t *directTx) Commit(context.Context) error   { return errEndsItself }
func (t *directTx) Rollback(context.Context) error { return errEndsItself }

// last sends a statement with COMMIT behind it, and BEGIN ahead of it if nothing has begun yet.
// read is given its rows. An error of the statement leaves nothing committed.
func (t *directTx) last(ctx context.Context, read func(pgx.Rows) error, sql string, args ...any) error {
	// A first statement that cannot even be sent takes BEGIN with it. Whoever ignores its error
	// must not have this one committed alone.
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

// end rolls back what was not committed, even when ctx has ended, and gives the connection back. A
// connection on which that fails, as it does where results were left unread, is closed, and the
// server then rolls back.
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

// firstRows are the first statement's. Closing them ends its batch, so that the connection can be
// used again.
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

// Scan closes the rows when it fails, as pgx has it.
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

// failedRows are those of a query that could not be sent.
type failedRows struct {
	pgx.Rows
	err error
}

func (failedRows) Close()       {}
func (r failedRows) Err() error { return r.err }
func (failedRows) Next() bool   { return false }

// onlyRow is the first of the rows, as pgx has it.
type onlyRow struct {
	rows pgx.Rows
	err  error
}

func (r onlyRow) Scan(dest ...any) error {
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
