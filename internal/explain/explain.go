package explain

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Explainer explains activities. It is safe for concurrent use.
type Explainer struct {
	DB     *pgxpool.Pool
	Filter *preferences.Filter // as that of the workers

	// Only for DryRun.
	Channels fanout.Channels
	Stream   bool // the workers publish to the streams of tenants
}

// Principal explains an activity with regard to one principal. The error is activity.ErrNotFound if
// the asker may not ask that.
func (x *Explainer) Principal(ctx context.Context, by Asker, id, principal uuid.UUID) (Explanation, error) {
	a, err := x.permitted(ctx, by, id, principal)
	if err != nil {
		return Explanation{}, err
	}
	var found *findings
	err = x.snapshot(ctx, func(tx pgx.Tx) (err error) {
		found, err = x.findOne(ctx, tx, &a, principal)
		return err
	})
	if err != nil {
		return Explanation{}, fmt.Errorf("explain activity %s: %w", id, err)
	}
	seen, err := x.lookAt(ctx, by, found)
	if err != nil {
		return Explanation{}, err
	}
	return x.explanation(found, seen, principal), nil
}

// snapshot runs a function in a transaction that sees one state of the database.
func (x *Explainer) snapshot(ctx context.Context, read func(tx pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, x.DB, options, read)
}

// findings are what is known of principals with regard to an activity.
type findings struct {
	activity   *activity.Activity
	recorded   bool
	principals []uuid.UUID // in the order of their ids
	candidates map[uuid.UUID]*watchers.Candidate
	tenant     preferences.Fields
	grounds    map[uuid.UUID][]watchers.Ground
	names      map[activity.Principal]directory.Actor
	rows       map[uuid.UUID]inbox.Delivered
	state      outbox.State
}

// findOne finds what is known of one principal, who need not be a candidate.
func (x *Explainer) findOne(
	ctx context.Context,
	tx pgx.Tx,
	a *activity.Activity,
	principal uuid.UUID,
) (*findings, error) {
	found, _, err := resolve(ctx, tx, a, predecessor(principal), 1)
	if err != nil {
		return nil, err
	}
	if found.candidates[principal] == nil { // the next one
		found.candidates = nil
	}
	found.principals, found.recorded = []uuid.UUID{principal}, true
	return found, found.complete(ctx, tx)
}

// resolve finds the candidates after a principal, at most limit of them. more reports that there
// may be others after the last.
func resolve(
	ctx context.Context,
	tx pgx.Tx,
	a *activity.Activity,
	after uuid.UUID,
	limit int,
) (found *findings, more bool, err error) {
	query := watchers.Query{After: after, Limit: limit, MaxRows: limit, Paged: true}
	subject := query.Add(a)
	resolved, err := watchers.Resolve(ctx, tx, &query)
	if err != nil {
		return nil, false, err
	}
	list := resolved.Candidates[subject]
	found = &findings{
		activity: a, tenant: resolved.Tenants[a.TenantID],
		candidates: make(map[uuid.UUID]*watchers.Candidate, len(list)),
	}
	for i := range list {
		found.principals = append(found.principals, list[i].PrincipalID)
		found.candidates[list[i].PrincipalID] = &list[i]
	}
	return found, len(list) == limit, nil
}

// complete reads what the principals' decisions rest on and what was delivered to them, in one
// round trip.
func (f *findings) complete(ctx context.Context, tx pgx.Tx) error {
	f.grounds = map[uuid.UUID][]watchers.Ground{}
	f.names = map[activity.Principal]directory.Actor{}
	f.rows = map[uuid.UUID]inbox.Delivered{}
	principals := make([]activity.Principal, len(f.principals))
	for i, id := range f.principals {
		principals[i] = activity.Principal{TenantID: f.activity.TenantID, PrincipalID: id}
	}
	batch := &pgx.Batch{}
	watchers.QueueGrounds(batch, f.activity, f.principals, f.grounds)
	directory.QueueActors(batch, principals, f.names)
	if f.recorded {
		inbox.QueueDelivered(batch, f.activity, f.principals, f.rows)
		outbox.QueueState(batch, f.activity, &f.state)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// facts returns what the explanation of a principal rests on.
func (x *Explainer) facts(found *findings, principal uuid.UUID) *facts {
	f := &facts{
		activity: found.activity, filter: x.Filter, pushes: fanout.ReachesPrincipals(found.activity),
		candidate: found.candidates[principal],
	}
	if f.candidate == nil {
		f.candidate = &watchers.Candidate{PrincipalID: principal}
	}
	f.decision = fanout.Decide(found.activity, f.candidate, found.tenant, x.Filter)
	return f
}

// explanation explains the activity with regard to a principal.
func (x *Explainer) explanation(found *findings, seen sight, principal uuid.UUID) Explanation {
	f := x.facts(found, principal)
	e := Explanation{AudienceMember: member(found, seen, f), Rules: f.steps()}
	for i := range e.Rules {
		if l := e.Rules[i].Level; l != nil && !seen.seesLevel(principal, *l.ResourceID) {
			l.ResourceID = nil
		}
	}
	return e
}

// member describes one principal.
func member(found *findings, seen sight, f *facts) AudienceMember {
	id := f.candidate.PrincipalID
	name := found.names[activity.Principal{TenantID: found.activity.TenantID, PrincipalID: id}]
	m := AudienceMember{PrincipalID: id, Kind: "unknown", Now: f.outcome(), Grounds: []Ground{}}
	if seen.sees(id, f.decision.Rule != fanout.RuleNone) {
		m.Kind, m.DisplayName = cmp.Or(name.Kind, m.Kind), name.DisplayName
		m.Grounds = groundsOf(found, seen, f)
	}
	m.Now.GroupID = seen.group(id, f.decision.GroupID, m.Grounds)
	if found.recorded {
		then := thenOf(found, id)
		if then.GroupID != nil {
			then.GroupID = seen.group(id, *then.GroupID, m.Grounds)
		}
		m.Then = &then
	}
	return m
}

// groundsOf returns what the reasons and the permission of a candidate rest on.
func groundsOf(found *findings, seen sight, f *facts) []Ground {
	id, list := f.candidate.PrincipalID, []Ground{}
	if f.decision.Reasons.Has(watchers.Target) {
		list = append(list, Ground{Kind: kindTarget, Where: onResource})
	}
	if f.decision.Reasons.Has(watchers.Owner) {
		list = append(list, Ground{Kind: kindOwner, Where: onResource, ResourceID: &found.activity.ResourceID})
	}
	for _, g := range found.grounds[id] {
		list = append(list, seen.ground(id, g))
	}
	return list
}

// thenOf returns what the inbox holds of the delivery.
func thenOf(found *findings, principal uuid.UUID) PastDelivery {
	if row, exists := found.rows[principal]; exists {
		return PastDelivery{
			State: StateNotified, Reasons: row.Reasons.Names(), GroupID: idOrNil(row.GroupID), At: &row.At,
			SeenAt: row.SeenAt, ReadAt: row.ReadAt, ArchivedAt: row.ArchivedAt, SnoozedUntil: row.SnoozedUntil,
		}
	}
	switch s := found.state; {
	case s.Dead:
		return PastDelivery{State: StateDead}
	case s.Pending, s.Job && slices.Compare(principal[:], s.LastPrincipalID[:]) > 0:
		return PastDelivery{State: StatePending}
	default:
		return PastDelivery{State: StateNone}
	}
}

// predecessor returns the id before an id.
func predecessor(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xff {
			break
		}
	}
	return id
}
