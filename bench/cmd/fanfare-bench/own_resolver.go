package main

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// ownResolver resolves and renders as an application does that addresses its publications itself:
// with one statement for each change. It is safe for concurrent use.
type ownResolver struct {
	channels *centrifugo.Channels
	filter   *preferences.Filter
	catalog  *render.Catalog
}

func newOwnResolver() (*ownResolver, error) {
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	return &ownResolver{channels: channels, filter: preferences.NewFilter(nil), catalog: &render.Catalog{}}, err
}

// ownWatchers selects the subscribers of a resource, or of what contains it, who hold a role there,
// with their preferences. It knows neither groups nor levels, owners, delegators and defaults of
// tenants, which Fanfare's statement does.
const ownWatchers = `
WITH RECURSIVE chain (id, parent_id, depth) AS (
    SELECT id, parent_id, 0 FROM fanfare.resources WHERE tenant_id = $1 AND id = $2
    UNION ALL
    SELECT r.id, r.parent_id, c.depth + 1
    FROM chain AS c JOIN fanfare.resources AS r ON r.tenant_id = $1 AND r.id = c.parent_id
    WHERE c.depth < 32
)
SELECT s.principal_id, coalesce(p.filter_mode, ''), p.custom_actions, coalesce(p.muted, false)
FROM fanfare.subscriptions AS s
LEFT JOIN fanfare.preferences AS p ON p.tenant_id = $1 AND p.principal_id = s.principal_id
WHERE s.tenant_id = $1 AND s.revoked_at IS NULL
    AND s.resource_id = ANY (ARRAY(SELECT id FROM chain)) AND (s.resource_id = $2 OR s.scope = 'descendants')
    AND EXISTS (
        SELECT FROM fanfare.role_bindings AS b
        WHERE b.tenant_id = $1 AND b.principal_id = s.principal_id AND b.revoked_at IS NULL
            AND b.scope_resource_id = ANY (ARRAY(SELECT id FROM chain))
    )`

// queue queues the statement that selects the watchers of an envelope's resource. Once the batch
// has been sent, channels has those of the envelope's publications.
func (o *ownResolver) queue(batch *pgx.Batch, e *activity.Envelope, channels *[]string) {
	batch.Queue(ownWatchers, e.TenantID, e.ResourceID).Query(func(rows pgx.Rows) error {
		followers, err := pgx.CollectRows(rows, pgx.RowToStructByPos[follower])
		if err != nil {
			return err
		}
		*channels = append(*channels, o.channels.Resource(e.TenantID, e.ResourceID))
		for _, f := range followers {
			if f.PrincipalID != e.ActorPrincipalID && f.receives(o.filter, e.Action) {
				*channels = append(*channels,
					o.channels.User(activity.Principal{TenantID: e.TenantID, PrincipalID: f.PrincipalID}))
			}
		}
		return nil
	})
}

// channelsOf selects the watchers in a round trip of its own.
func (o *ownResolver) channelsOf(
	ctx context.Context, db interface {
		SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	}, e *activity.Envelope,
) (channels []string, err error) {
	batch := &pgx.Batch{}
	o.queue(batch, e, &channels)
	err = db.SendBatch(ctx, batch).Close()
	return channels, err
}

// event renders the event of an envelope, as Fanfare renders it, with a new id.
func (o *ownResolver) event(e *activity.Envelope) (id uuid.UUID, data []byte, err error) {
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		return uuid.Nil, nil, err
	}
	id = uuid.Must(uuid.NewV7())
	at := uuidv7.Time(id)
	a := activity.Activity{
		ID: id, TenantID: e.TenantID, ActorPrincipalID: e.ActorPrincipalID, ResourceID: e.ResourceID, CorrelationID: id,
		ParentID: e.ParentID, OccurredAt: at, RecordedAt: at,
		ResourceType: e.ResourceType, ResourceName: e.ResourceName, Action: e.Action,
		Visibility: activity.ResourceWide, Status: activity.Success, Severity: activity.Info,
		Category: activity.DefaultCategory(e.Action), Payload: payload,
	}
	event := o.catalog.Event(&a, directory.Actor{Kind: "user", DisplayName: "Editor 1"})
	return id, event.AppendJSON(make([]byte, 0, 1024+len(payload))), nil
}
