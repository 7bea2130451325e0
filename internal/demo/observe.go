package demo

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/watchers"
)

// observed is what came of an activity, as far as the database tells.
type observed struct {
	activity *activity.Activity // nil when the log does not hold it
	inbox    map[watchers.Principal]watchers.Reasons
	facts    map[uuid.UUID]fact // by principal of the activity's tenant
}

// observe looks an activity up in all tenants.
func observe(ctx context.Context, db *pgxpool.Pool, id uuid.UUID) (observed, error) {
	var o observed
	err := pgx.BeginTxFunc(
		ctx,
		db,
		pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error {
			var err error
			if o.activity, err = readActivity(ctx, tx, id); err != nil {
				return err
			}
			if o.inbox, err = readInbox(ctx, tx, id); err != nil || o.activity == nil {
				return err
			}
			o.facts, err = readFacts(ctx, tx, o.activity)
			return err
		},
	)
	if err != nil {
		return observed{}, fmt.Errorf("observe activity %s: %w", id, err)
	}
	return o, nil
}

func readActivity(ctx context.Context, tx pgx.Tx, id uuid.UUID) (*activity.Activity, error) {
	rows, err := tx.Query(ctx, `SELECT `+pglog.Columns+` FROM fanfare.activities AS a WHERE a.id = $1`, id)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*activity.Activity, error) {
		a := new(activity.Activity)
		return a, row.Scan(pglog.ScanTargets(a)...)
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func readInbox(ctx context.Context, tx pgx.Tx, id uuid.UUID) (map[watchers.Principal]watchers.Reasons, error) {
	inbox := map[watchers.Principal]watchers.Reasons{}
	rows, err := tx.Query(
		ctx,
		`SELECT tenant_id, principal_id, reasons FROM fanfare.notifications WHERE activity_id = $1`,
		id,
	)
	if err != nil {
		return nil, err
	}
	var who watchers.Principal
	var why watchers.Reasons
	_, err = pgx.ForEachRow(rows, []any{&who.TenantID, &who.PrincipalID, (*int16)(&why)}, func() error {
		inbox[who] = why
		return nil
	})
	return inbox, err
}

// readFacts collects what matters for who hears of a: who could be told, and who could have been
// before something was revoked.
func readFacts(ctx context.Context, tx pgx.Tx, a *activity.Activity) (map[uuid.UUID]fact, error) {
	const everybody = 1000
	query := watchers.Query{Limit: everybody, Rows: everybody}
	n := query.Ask(
		watchers.Subject{TenantID: a.TenantID, ResourceID: a.ResourceID, OwnerID: a.OwnerID, ParentID: a.ParentID},
		watchers.RolesOnChain|watchers.RolesInScope,
		a.TargetPrincipalID,
		a.ActorPrincipalID,
	)
	answer, err := watchers.Resolve(ctx, tx, &query)
	if err != nil {
		return nil, err
	}
	facts := map[uuid.UUID]fact{}
	for _, c := range answer.Candidates[n] {
		facts[c.PrincipalID] = fact{Candidate: c}
	}
	rows, err := tx.Query(ctx, `
		WITH RECURSIVE chain(id) AS (
		    SELECT unnest(ARRAY[$2, $3]::uuid[])
		    UNION
		    SELECT r.parent_id FROM chain AS c JOIN fanfare.resources AS r ON r.tenant_id = $1 AND r.id = c.id
		)
		SELECT s.principal_id, true, false FROM fanfare.subscriptions AS s JOIN chain AS c ON c.id = s.resource_id
		WHERE s.tenant_id = $1 AND s.revoked_at IS NOT NULL AND (s.resource_id = $2 OR s.scope = 'descendants')
		UNION ALL
		SELECT b.principal_id, false, true FROM fanfare.role_bindings AS b JOIN chain AS c ON c.id = b.scope_resource_id
		WHERE b.tenant_id = $1 AND b.revoked_at IS NOT NULL`, a.TenantID, a.ResourceID, a.ParentID)
	if err != nil {
		return nil, err
	}
	var who uuid.UUID
	var unsubscribed, lostRole bool
	_, err = pgx.ForEachRow(rows, []any{&who, &unsubscribed, &lostRole}, func() error {
		f := facts[who]
		f.unsubscribed, f.lostRole = f.unsubscribed || unsubscribed, f.lostRole || lostRole
		facts[who] = f
		return nil
	})
	return facts, err
}
