package identity

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// useInterval is the least time between two times that a token's last use is written down.
	useInterval = time.Minute
	// usesTimeout bounds the writing.
	usesTimeout = 5 * time.Second
)

// use names a token that was used.
type use struct{ tenant, id uuid.UUID }

// uses are the tokens used since it was last written down, and when each was last. There is one
// entry a token at most, and only for tokens that exist. The zero value is empty, and many
// goroutines may use it at once.
type uses struct {
	mu sync.Mutex
	at map[use]time.Time
}

func (u *uses) add(token use, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at == nil {
		u.at = make(map[use]time.Time)
	}
	if at.After(u.at[token]) {
		u.at[token] = at
	}
}

// take returns all uses and forgets them.
func (u *uses) take() map[use]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.at
	u.at = nil
	return taken
}

// writeUses writes down when tokens were used, unless it was written less than a minute before, by
// whatever process. What could not be written is kept for the next time.
func (t *Tokens) writeUses(ctx context.Context) error {
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
	// The rows are locked in one order, so that two processes never wait for each other.
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
