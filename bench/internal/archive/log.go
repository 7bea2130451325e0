package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// notification is one row of an inbox.
type notification struct {
	tenant, principal, activity uuid.UUID
	at                          time.Time
	read                        bool
	reasons                     int16
}

var actions = []string{
	"resource.updated", "resource.updated", "resource.created", "signal.checked", "signal.updated", "comment.created",
	"transfer.requested", "promotion.granted", "report.viewed", "resource.deleted",
}

// payload is of the size that a change usually has.
var payload = must(json.Marshal(map[string]any{
	"field": "weights.momentum", "before": "0.25", "after": "0.40", "version": 17,
	"note": "rebalanced after the review of the second quarter", "ticket": "FIN-20318", "reviewers": 2,
}))

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

var activityColumns = []string{
	"id", "tenant_id", "actor_principal_id", "resource_id", "correlation_id", "target_principal_id", "owner_id", "parent_id",
	"occurred_at", "recorded_at", "resource_type", "resource_name", "action", "visibility", "status", "severity", "category",
	"delivery_channels", "message", "request_id", "payload",
}

// history makes the activities one after the other, and notes who was told of them.
type history struct {
	archive       *Archive
	made          int
	notifications []notification
}

// next returns the next activity's row, in the order of activityColumns.
func (h *history) next() []any {
	random := h.archive.random
	at := h.archive.began.Add(time.Duration(float64(age) * float64(h.made) / float64(h.archive.activities)))
	h.made++
	t := pick(random, h.archive.Tenants)
	r := t.busy(random)
	id, actor := h.archive.timedID(at), pick(random, t.people)
	if random.IntN(4) > 0 && len(r.members) > 0 {
		actor = pick(random, r.members)
	}
	visibility, target := "resource", uuid.Nil
	switch n := random.IntN(20); n {
	case 0:
		visibility = "private"
	case 1:
		visibility = "scope"
	case 2:
		visibility = "tenant"
	case 3:
		target = pick(random, t.people)
	}
	if random.IntN(3) == 0 && visibility != "private" {
		h.notify(t, r, id, actor, at)
	}
	action := pick(random, actions)
	return []any{
		id, t.ID, actor, r.id, id, optional(target), optional(r.owner), r.project,
		at, at, "signal", r.name, action, visibility, "success", "info", "signal",
		[]string{},
		"changed in the weekly review", fmt.Sprintf("req-%08d", h.made), payload,
	}
}

// notify tells up to three of those who watch, or else the owner.
func (h *history) notify(t *Tenant, r *resource, id, actor uuid.UUID, at time.Time) {
	random := h.archive.random
	told := map[uuid.UUID]bool{actor: true}
	tell := func(principal uuid.UUID, reasons int16) {
		if principal == uuid.Nil || told[principal] {
			return
		}
		told[principal] = true
		old := time.Since(at) > age/4
		h.notifications = append(h.notifications, notification{
			tenant: t.ID, principal: principal, activity: id, at: at, read: old && random.IntN(5) > 0 || random.IntN(3) == 0, reasons: reasons,
		})
	}
	for offset, n := random.IntN(max(1, len(r.watchers))), 0; n < len(r.watchers) && len(told) <= 3; n++ {
		tell(r.watchers[(offset+n)%len(r.watchers)], 1)
	}
	if len(told) <= 3 {
		tell(r.owner, 2)
	}
}

func (h *history) copy(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"fanfare", "activities"}, activityColumns, pgx.CopyFromFunc(func() ([]any, error) {
		if h.made == h.archive.activities {
			return nil, nil
		}
		return h.next(), nil
	}))
	if err != nil {
		return fmt.Errorf("load activities: %w", err)
	}
	return nil
}

func (h *history) copyInbox(ctx context.Context, pool *pgxpool.Pool) error {
	columns := []string{"tenant_id", "principal_id", "activity_id", "created_at", "read_at", "reasons"}
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"fanfare", "notifications"}, columns, pgx.CopyFromSlice(len(h.notifications), func(i int) ([]any, error) {
		n := h.notifications[i]
		var read any
		if n.read {
			read = n.at.Add(time.Hour)
		}
		return []any{n.tenant, n.principal, n.activity, n.at, read, n.reasons}, nil
	}))
	if err != nil {
		return fmt.Errorf("load notifications: %w", err)
	}
	return nil
}
