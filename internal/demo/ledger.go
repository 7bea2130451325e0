package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ledgerSync is a program that knows nothing of Go's packages: it has SQL, and the role
// demo_ledger, which may record activities and do nothing else.
type ledgerSync struct {
	db *pgxpool.Pool
}

// report records a deed.
func (l *ledgerSync) report(ctx context.Context, d deed) (done, error) {
	envelope := map[string]any{
		"tenant_id": d.tenantID(), "actor_principal_id": principalID(d.actor), "resource_id": d.signalID(), "resource_type": "signal",
		"action": d.action, "payload": map[string]any{"book": "EQ-7"},
	}
	if d.visibility != "" {
		envelope["visibility"] = d.visibility
	}
	if len(d.channels) > 0 {
		envelope["delivery_channels"] = d.channels
	}
	body, err := json.Marshal(envelope)
	if err != nil {
		return done{}, err
	}
	var made done
	tx, err := l.db.Begin(ctx)
	if err != nil {
		return done{}, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after the commit
	if err := tx.QueryRow(ctx, `SELECT fanfare.record_activity($1)`, string(body)).Scan(&made.activityID); err != nil {
		return done{}, fmt.Errorf("%s: %w", d.action, err)
	}
	made.committedAt = time.Now()
	return made, tx.Commit(ctx)
}

// mayNotRead fails unless the role is refused what others have recorded.
func (l *ledgerSync) mayNotRead(ctx context.Context) error {
	_, err := l.db.Exec(ctx, `SELECT FROM fanfare.activities`)
	if sqlState(err) != "42501" { // insufficient_privilege
		return fmt.Errorf("a role that may only write was not refused reading: %v", err)
	}
	return nil
}
