package outbox

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Log is the log that is kept in PostgreSQL: the activity.Log whose activities the worker delivers.
// Many goroutines may use it at once if they may use its database.
type Log struct {
	*pglog.Log
	db       pg.Beginner
	recorder Recorder
}

// NewLog makes a log of a *pgxpool.Pool, a *pgx.Conn or a pgx.Tx, which records as the recorder
// does.
func NewLog(db interface {
	pg.Beginner
	pg.Batcher
}, recorder Recorder,
) *Log {
	return &Log{Log: pglog.New(db), db: db, recorder: recorder}
}

// Append records envelopes in their order, all of them or none, in a transaction of its own (inside
// the caller's, a savepoint). It refuses as Recorder.RecordMany does, and one envelope alone as
// Recorder.Record does.
//
// The hooks after are called when it has committed. Inside the caller's transaction they are not:
// the caller calls the recorder's Announce once that has committed.
func (l *Log) Append(ctx context.Context, envelopes ...activity.Envelope) (recorded []Recorded, err error) {
	if len(envelopes) == 0 {
		return nil, ctx.Err()
	}
	err = inTx(ctx, l.db, func(tx pgx.Tx) (err error) {
		if len(envelopes) > 1 {
			recorded, err = l.recorder.RecordMany(ctx, tx, envelopes)
			return err
		}
		recorded = make([]Recorded, 1)
		recorded[0], err = l.recorder.Record(ctx, tx, envelopes[0])
		return err
	})
	if err != nil {
		return nil, err
	}
	if !nested(l.db) {
		l.recorder.Announce(ctx, recorded...)
	}
	return recorded, nil
}
