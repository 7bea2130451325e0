package archive

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// notification is one row of an inbox.
type notification struct {
	tenant, principal, activity uuid.UUID
	resource                    uuid.UUID
	visibility                  byte // the first letter
	at                          time.Time
	read                        bool
	reasons                     int16
}

var actions = []string{
	"resource.updated", "resource.updated", "resource.created", "signal.checked", "signal.updated", "comment.created",
	"transfer.requested", "promotion.granted", "report.viewed", "resource.deleted",
}

// payload has the size of a typical change.
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

const activityColumns = "id, tenant_id, actor_principal_id, resource_id, correlation_id, " +
	"owner_id, parent_id, occurred_at, recorded_at, resource_type, resource_name, action, visibility, status, " +
	"severity, category, " +
	"target_principal_ids, delivery_channels, message, request_id, payload"

// history generates the activities in their order, and their notifications.
type history struct {
	archive       *Archive
	made          int
	notifications []notification
}

// next appends the next activity's row, in the order of activityColumns.
func (h *history) next(row []byte) []byte {
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
		h.notify(t, r, id, actor, at, visibility[0])
	}
	action := pick(random, actions)
	for _, value := range []uuid.UUID{id, t.ID, actor, r.id, id, r.owner, r.project} {
		row = append(appendID(row, value), '\t')
	}
	for range 2 { // occurred, recorded
		row = append(at.UTC().AppendFormat(row, time.RFC3339Nano), '\t')
	}
	row = append(row, "signal\t"+r.name+"\t"+action+"\t"+visibility+"\tsuccess\tinfo\tsignal\t"...)
	if target == uuid.Nil {
		row = append(row, null...)
	} else {
		row = append(appendID(append(row, '{'), target), '}')
	}
	row = append(row, "\t{}\t"...)
	row = append(row, "changed in the weekly review\treq-"...)
	row = append(strconv.AppendInt(row, int64(h.made), 10), '\t')
	return append(append(row, payload...), '\n')
}

// notify adds notifications of up to three watchers, or else of the owner.
func (h *history) notify(t *Tenant, r *resource, id, actor uuid.UUID, at time.Time, visibility byte) {
	random := h.archive.random
	notified := map[uuid.UUID]bool{actor: true}
	add := func(principal uuid.UUID, reasons int16) {
		if principal == uuid.Nil || notified[principal] {
			return
		}
		notified[principal] = true
		old := time.Since(at) > age/4
		h.notifications = append(h.notifications, notification{
			tenant: t.ID, principal: principal, activity: id, resource: r.id, visibility: visibility, at: at,
			reasons: reasons,
			read:    old && random.IntN(5) > 0 || random.IntN(3) == 0,
		})
	}
	for offset, n := random.IntN(max(1, len(r.watchers))), 0; n < len(r.watchers) && len(notified) <= 3; n++ {
		add(r.watchers[(offset+n)%len(r.watchers)], 1)
	}
	if len(notified) <= 3 {
		add(r.owner, 2)
	}
}

func (h *history) copy(ctx context.Context, pool *pgxpool.Pool) error {
	return copyLines(ctx, pool, "activities", activityColumns, func(line []byte) []byte {
		if h.made == h.archive.activities {
			return line
		}
		return h.next(line)
	})
}

func (h *history) copyInbox(ctx context.Context, pool *pgxpool.Pool) error {
	left := h.notifications
	return copyLines(
		ctx,
		pool,
		"notifications",
		"tenant_id, principal_id, activity_id, resource_id, visibility, party, created_at, read_at, reasons",
		func(line []byte) []byte {
			if len(left) == 0 {
				return line
			}
			n := left[0]
			left = left[1:]
			for _, id := range []uuid.UUID{n.tenant, n.principal, n.activity, n.resource} {
				line = append(appendID(line, id), '\t')
			}
			line = append(line, n.visibility, '\t', 'f', '\t')
			line = append(n.at.UTC().AppendFormat(line, time.RFC3339Nano), '\t')
			if n.read {
				line = n.at.Add(time.Hour).UTC().AppendFormat(line, time.RFC3339Nano)
			} else {
				line = append(line, null...)
			}
			return append(strconv.AppendInt(append(line, '\t'), int64(n.reasons), 10), '\n')
		},
	)
}
