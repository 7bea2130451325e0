// Package subscriptions manages the subscriptions of principals to resources.
package subscriptions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// The scopes of a subscription.
const (
	ScopeResource    = "resource"    // the resource alone
	ScopeDescendants = "descendants" // the resource and all resources below it
)

// Subscription makes a principal a watcher of a resource.
type Subscription struct {
	ID, TenantID, PrincipalID, ResourceID uuid.UUID
	Scope                                 string // ScopeResource or ScopeDescendants
	CreatedAt                             time.Time
	RevokedAt                             *time.Time // nil unless revoked
}

const columns = `s.id, s.tenant_id, s.principal_id, s.resource_id, s.scope, s.created_at, s.revoked_at`

// fields returns the scan targets of columns.
func (s *Subscription) fields() []any {
	return []any{
		(*[16]byte)(&s.ID), (*[16]byte)(&s.TenantID), (*[16]byte)(&s.PrincipalID), (*[16]byte)(&s.ResourceID),
		&s.Scope, &s.CreatedAt, &s.RevokedAt,
	}
}

func scan(row pgx.CollectableRow) (s Subscription, err error) {
	err = row.Scan(s.fields()...)
	return s, err
}

// SubscribeRequest identifies a subscription to create. An empty Scope is ScopeResource.
type SubscribeRequest struct {
	ResourceID uuid.UUID
	Scope      string
	GroupID    uuid.UUID // the group to subscribe; uuid.Nil subscribes the principal itself
}

// subscriber returns the principal to subscribe.
func (r SubscribeRequest) subscriber(principal activity.Principal) uuid.UUID {
	return cmp.Or(r.GroupID, principal.PrincipalID)
}

// complete returns the requests with their defaults.
func complete(principal activity.Principal, requests []SubscribeRequest) []SubscribeRequest {
	completed := slices.Clone(requests)
	for i := range completed {
		r := &completed[i]
		r.Scope = cmp.Or(r.Scope, ScopeResource)
		if r.GroupID == principal.PrincipalID {
			r.GroupID = uuid.Nil
		}
	}
	return completed
}

// SubscribeResult is the outcome of a SubscribeRequest.
type SubscribeResult struct {
	Subscription
	Created bool  // false if the subscription already existed
	Err     error // nil, activity.ErrNotFound or an *invalid.Error
}

// Subscribe creates one subscription, as SubscribeMany does. The error is also that of the result.
func Subscribe(
	ctx context.Context,
	tx pgx.Tx,
	principal activity.Principal,
	request SubscribeRequest,
) (s Subscription, created bool, err error) {
	results, err := SubscribeMany(ctx, tx, principal, []SubscribeRequest{request})
	if err != nil {
		return Subscription{}, false, err
	}
	return results[0].Subscription, results[0].Created, results[0].Err
}

// SubscribeMany creates subscriptions, in two statements for any number of requests, and returns
// one result for each request, in the same order. A subscription that already exists is returned
// unchanged. A request for a resource that the tenant does not have, or that the principal neither
// owns nor holds a role on (there or on an ancestor), results in activity.ErrNotFound; so does one
// for a group by a principal that is neither the owner nor a delegator, and one for what is no
// group. The other requests succeed.
//
// The rows of the results are locked until tx ends: no other transaction can revoke them before.
func SubscribeMany(
	ctx context.Context,
	tx pgx.Tx,
	principal activity.Principal,
	requests []SubscribeRequest,
) ([]SubscribeResult, error) {
	results := make([]SubscribeResult, len(requests))
	requests = complete(principal, requests)
	if err := check(ctx, tx, principal, requests, results); err != nil {
		return nil, err
	}
	stored, err := insert(ctx, tx, principal, newIDs(requests, results))
	if err != nil {
		return nil, err
	}
	for i, r := range requests {
		if results[i].Err != nil {
			continue
		}
		results[i] = stored[r]
		again := stored[r]
		again.Created = false // for a later request of the same subscription
		stored[r] = again
	}
	return results, nil
}

// check sets the Err of the results whose requests cannot be fulfilled.
func check(
	ctx context.Context,
	tx pgx.Tx,
	principal activity.Principal,
	requests []SubscribeRequest,
	results []SubscribeResult,
) error {
	resources := make(map[uuid.UUID]directory.Access, len(requests))
	groups := map[uuid.UUID]bool{}
	for _, r := range requests {
		resources[r.ResourceID] = directory.Access{}
		if r.GroupID != uuid.Nil {
			groups[r.GroupID] = false
		}
	}
	ids := slices.Collect(maps.Keys(resources))
	access, err := directory.AccessToEach(ctx, tx, principal, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		resources[id] = access[i]
	}
	if len(groups) > 0 {
		groups, err = directory.GroupsAmong(ctx, tx, principal.TenantID, slices.Collect(maps.Keys(groups)))
		if err != nil {
			return err
		}
	}
	for i, r := range requests {
		access := resources[r.ResourceID]
		switch {
		case r.Scope != ScopeResource && r.Scope != ScopeDescendants:
			results[i].Err = &invalid.Error{
				Subject: "subscription",
				Fields:  []invalid.Field{{Name: "scope", Rule: "must be one of resource, descendants"}},
			}
		case !access.Manager && (!access.OnChain || r.GroupID != uuid.Nil):
			results[i].Err = fmt.Errorf("resource %s: %w", r.ResourceID, activity.ErrNotFound)
		case r.GroupID != uuid.Nil && !groups[r.GroupID]:
			results[i].Err = fmt.Errorf("group %s: %w", r.GroupID, activity.ErrNotFound)
		}
	}
	return nil
}

// newIDs returns the distinct requests without an error, each with the id of the subscription that
// it may create.
func newIDs(requests []SubscribeRequest, results []SubscribeResult) map[SubscribeRequest]uuid.UUID {
	ids := map[SubscribeRequest]uuid.UUID{}
	for i, r := range requests {
		if results[i].Err == nil {
			ids[r] = uuid.Must(uuid.NewV7())
		}
	}
	return ids
}

// insert stores subscriptions and returns the stored rows, those that already existed included. The
// order of the index rules out deadlocks between callers. A conflict changes nothing but locks the
// existing row.
func insert(
	ctx context.Context,
	tx pgx.Tx,
	principal activity.Principal,
	newIDs map[SubscribeRequest]uuid.UUID,
) (map[SubscribeRequest]SubscribeResult, error) {
	if len(newIDs) == 0 {
		return nil, nil
	}
	var ids, subscribers, resources [][16]byte
	var scopes []string
	for r, id := range newIDs {
		ids, resources, scopes = append(ids, id), append(resources, r.ResourceID), append(scopes, r.Scope)
		subscribers = append(subscribers, r.subscriber(principal))
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO fanfare.subscriptions AS s (id, tenant_id, principal_id, resource_id, scope)
		SELECT u.id, $1, u.principal_id, u.resource_id, u.scope
		FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS u(id, principal_id, resource_id, scope)
		ORDER BY u.resource_id, u.principal_id, u.scope
		ON CONFLICT (tenant_id, resource_id, principal_id, scope) WHERE revoked_at IS NULL
		DO UPDATE SET scope = excluded.scope
		RETURNING `+columns, principal.TenantID, ids, subscribers, resources, scopes)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	stored := make(map[SubscribeRequest]SubscribeResult, len(list))
	for _, s := range list {
		key := SubscribeRequest{ResourceID: s.ResourceID, Scope: s.Scope}
		if s.PrincipalID != principal.PrincipalID {
			key.GroupID = s.PrincipalID
		}
		stored[key] = SubscribeResult{Subscription: s, Created: s.ID == newIDs[key]}
	}
	return stored, nil
}

// Unsubscribe revokes a subscription of the principal, or one of a group to a resource that the
// principal owns or is a delegator of, and reports whether it was active. Revoking it again changes
// nothing. It returns activity.ErrNotFound if there is no such subscription with this id.
func Unsubscribe(
	ctx context.Context,
	tx pgx.Tx,
	principal activity.Principal,
	id uuid.UUID,
) (s Subscription, revoked bool, err error) {
	s, revoked, err = revoke(ctx, tx, principal, id)
	if !errors.Is(err, pgx.ErrNoRows) {
		return s, revoked, wrap(err)
	}
	group, err := groupOf(ctx, tx, principal, id)
	if err == nil {
		s, revoked, err = revoke(ctx, tx, group, id)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = activity.ErrNotFound
	}
	if errors.Is(err, activity.ErrNotFound) {
		return Subscription{}, false, fmt.Errorf("subscription %s: %w", id, err)
	}
	return s, revoked, wrap(err)
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}

// revoke revokes a subscription of the principal. It returns pgx.ErrNoRows if there is none with
// this id.
func revoke(ctx context.Context, tx pgx.Tx, principal activity.Principal, id uuid.UUID) (
	s Subscription, revoked bool, err error,
) {
	// The row is locked first, so that of two concurrent calls one revokes it.
	rows, err := tx.Query(ctx, `
		WITH known AS MATERIALIZED (
			SELECT s.id, s.revoked_at IS NULL AS active FROM fanfare.subscriptions AS s
			WHERE s.id = $3 AND s.tenant_id = $1 AND s.principal_id = $2
			FOR NO KEY UPDATE
		)
		UPDATE fanfare.subscriptions AS s SET revoked_at = coalesce(s.revoked_at, now())
		FROM known AS k
		WHERE s.id = k.id AND s.tenant_id = $1 AND s.principal_id = $2
		RETURNING `+columns+`, k.active`, principal.TenantID, principal.PrincipalID, id)
	if err != nil {
		return Subscription{}, false, err
	}
	s, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (s Subscription, err error) {
		err = row.Scan(append(s.fields(), &revoked)...)
		return s, err
	})
	return s, revoked, err
}

// groupOf returns the group whose subscription the principal may revoke, or pgx.ErrNoRows.
func groupOf(ctx context.Context, tx pgx.Tx, principal activity.Principal, id uuid.UUID) (activity.Principal, error) {
	var subscriber, resource uuid.UUID
	err := tx.QueryRow(ctx, `
		SELECT s.principal_id, s.resource_id FROM fanfare.subscriptions AS s
		WHERE s.id = $2 AND s.tenant_id = $1`, principal.TenantID, id).Scan(&subscriber, &resource)
	if err != nil {
		return activity.Principal{}, err
	}
	manager, err := directory.IsManager(ctx, tx, principal, resource)
	if err != nil {
		return activity.Principal{}, err
	}
	groups, err := directory.GroupsAmong(ctx, tx, principal.TenantID, []uuid.UUID{subscriber})
	if err == nil && (!manager || !groups[subscriber]) {
		err = pgx.ErrNoRows
	}
	return activity.Principal{TenantID: principal.TenantID, PrincipalID: subscriber}, err
}
