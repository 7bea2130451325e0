package outbox

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Log is the activity.Log in PostgreSQL whose activities a Worker delivers. It is as safe for
// concurrent use as its database.
type Log struct {
	*pglog.Log
	db       pg.Beginner
	recorder Recorder
}

type logDB interface {
	pg.Beginner
	pg.Batcher
}

// NewLog returns a log of a *pgxpool.Pool, a *pgx.Conn or a pgx.Tx, which records with the
// recorder.
func NewLog(db logDB, recorder Recorder) *Log {
	return &Log{Log: pglog.New(db), db: db, recorder: recorder}
}

// Append records envelopes in order, all of them or none, in a transaction of its own, or in a
// savepoint of the caller's. Its errors are those of Recorder.Record for one envelope, and those of
// Recorder.RecordMany for several.
//
// The hooks after run once the transaction has committed. Inside the caller's transaction they do
// not: the caller calls the recorder's Announce after the commit.
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
