package identity

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// useInterval is the minimum interval between updates of the last use of a token.
	useInterval = time.Minute
	// usesTimeout is the timeout of one update.
	usesTimeout = 5 * time.Second
)

// uses are the last uses of tokens that are not stored yet, with at most one entry per existing
// token. The zero value is empty. It is safe for concurrent use.
type uses struct {
	mu sync.Mutex
	at map[tokenKey]time.Time
}

func (u *uses) add(token tokenKey, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at == nil {
		u.at = make(map[tokenKey]time.Time)
	}
	if at.After(u.at[token]) {
		u.at[token] = at
	}
}

// take returns and removes all uses.
func (u *uses) take() map[tokenKey]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.at
	u.at = nil
	return taken
}

// storeUses stores the last uses of tokens, except those for which any process has stored one less
// than a minute earlier. If it fails, it keeps the uses for the next call.
func (t *Tokens) storeUses(ctx context.Context) error {
	taken := t.uses.take()
	if len(taken) == 0 {
		return nil
	}
	var tenants, ids []uuid.UUID
	var times []time.Time
	for token, at := range maps.All(taken) {
		tenants, ids, times = append(tenants, token.tenant), append(ids, token.id), append(times, at)
	}
	ctx, cancel := context.WithTimeout(ctx, usesTimeout)
	defer cancel()
	// Every process locks the rows in the same order, so that there are no deadlocks.
	const write = `
		WITH used AS (
			SELECT t.tenant_id, t.id, u.at
			FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS u (tenant_id, id, at)
			JOIN fanfare.service_tokens t ON t.tenant_id = u.tenant_id AND t.id = u.id
			WHERE t.last_used_at IS NULL OR t.last_used_at <= u.at - $4::interval
			ORDER BY t.id
			FOR UPDATE OF t
		)
		UPDATE fanfare.service_tokens t
		SET last_used_at = used.at
		FROM used
		WHERE t.tenant_id = used.tenant_id AND t.id = used.id`
	if _, err := t.db.Exec(ctx, write, tenants, ids, times, useInterval); err != nil {
		for token, at := range taken {
			t.uses.add(token, at)
		}
		return err
	}
	return nil
}
