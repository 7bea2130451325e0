package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Why is the reason for which a person does not receive an activity.
type Why string

// The reasons.
const (
	NotCommitted Why = "not_committed" // the transaction was rolled back
	OtherTenant  Why = "other_tenant"
	Actor        Why = "actor" // of the activity
	NotWatching  Why = "not_watching"
	Unsubscribed Why = "unsubscribed" // the subscription that covered the resource was revoked
	Inactive     Why = "inactive"     // in the directory
	PrivateTo    Why = "private"      // a subscriber, and the activity is private
	NoRole       Why = "no_role"      // a subscriber without a role
	LostRole     Why = "lost_role"    // a subscriber whose role was revoked
	Muted        Why = "muted"
	Filtered     Why = "filtered"    // the preference excludes the action
	Ignored      Why = "ignored"     // the level nearest to the resource is ignore
	Unexplained  Why = "unexplained" // the database contains no reason
)

// fact is what the database contains about a person with regard to one activity.
type fact struct {
	watchers.Candidate      // the zero value for a person who is not a candidate
	unsubscribed       bool // a revoked subscription covers the resource
	lostRole           bool // a revoked role covers the resource
}

// explain returns why a person of the activity's tenant does not receive it, and a description.
func explain(a *activity.Activity, id uuid.UUID, f fact, filter *preferences.Filter) (Why, string) {
	wants, _ := preferences.Effective(f.Own, preferences.Fields{})
	onlySubscribed := f.Reasons == watchers.Subscribed
	switch {
	case id == a.ActorPrincipalID:
		return Actor, "the actor"
	case f.Reasons == 0 && f.unsubscribed:
		return Unsubscribed, "unsubscribed"
	case f.Reasons == 0:
		return NotWatching, "not watching"
	case f.Inactive:
		return Inactive, "inactive"
	case onlySubscribed && a.Visibility == activity.Private:
		return PrivateTo, "it is private"
	case onlySubscribed && !directory.Allowed(a.Visibility, f.Access) && f.lostRole:
		return LostRole, "lost the role"
	case onlySubscribed && !directory.Allowed(a.Visibility, f.Access):
		return NoRole, "no role here"
	case f.Level == preferences.LevelIgnore && !f.Reasons.Has(watchers.Target):
		return Ignored, "ignores it"
	case wants.Muted:
		return Muted, "muted"
	case f.Reasons.Has(watchers.Target):
		return Unexplained, "a target, for an unknown reason"
	case !filter.Includes(wants, a.Action):
		return Filtered, "wants only " + selection(wants)
	default:
		return Unexplained, "for an unknown reason"
	}
}

// selection describes the actions that a preference selects.
func selection(p preferences.Preference) string {
	switch p.Mode {
	case preferences.ModeAll:
		return "everything"
	case preferences.ModeCustom:
		return strings.Join(p.CustomActions, ", ")
	default:
		return "mutations"
	}
}

// observed is what the database contains about an activity.
type observed struct {
	activity *activity.Activity // nil if the log does not contain it
	inbox    map[activity.Principal]watchers.Reasons
	facts    map[uuid.UUID]fact // by principal of the activity's tenant
}

// observe reads an activity and its inbox rows of all tenants.
func observe(ctx context.Context, db *pgxpool.Pool, id uuid.UUID) (o observed, err error) {
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, db, snapshot, func(tx pgx.Tx) (err error) {
		if o.activity, err = readActivity(ctx, tx, id); err != nil {
			return err
		}
		if o.inbox, err = readInbox(ctx, tx, id); err != nil || o.activity == nil {
			return err
		}
		o.facts, err = readFacts(ctx, tx, o.activity)
		return err
	})
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

func readInbox(ctx context.Context, tx pgx.Tx, id uuid.UUID) (map[activity.Principal]watchers.Reasons, error) {
	inbox := map[activity.Principal]watchers.Reasons{}
	const query = `SELECT tenant_id, principal_id, reasons FROM fanfare.notifications WHERE activity_id = $1`
	rows, err := tx.Query(ctx, query, id)
	if err != nil {
		return nil, err
	}
	var principal activity.Principal
	var reasons watchers.Reasons
	fields := []any{&principal.TenantID, &principal.PrincipalID, (*int16)(&reasons)}
	_, err = pgx.ForEachRow(rows, fields, func() error { inbox[principal] = reasons; return nil })
	return inbox, err
}

// readFacts reads the candidates of an activity, and the people who would be candidates without a
// revocation.
func readFacts(ctx context.Context, tx pgx.Tx, a *activity.Activity) (map[uuid.UUID]fact, error) {
	const everybody = 1000
	query := watchers.Query{Limit: everybody, MaxRows: everybody}
	n := query.Add(a)
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
	var id uuid.UUID
	var unsubscribed, lostRole bool
	_, err = pgx.ForEachRow(rows, []any{&id, &unsubscribed, &lostRole}, func() error {
		f := facts[id]
		f.unsubscribed, f.lostRole = f.unsubscribed || unsubscribed, f.lostRole || lostRole
		facts[id] = f
		return nil
	})
	return facts, err
}
