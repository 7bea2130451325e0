// Package subscriptions manages the subscriptions of principals to resources.
package subscriptions

import (
	"bytes"
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
}

func (r SubscribeRequest) withDefaults() SubscribeRequest {
	r.Scope = cmp.Or(r.Scope, ScopeResource)
	return r
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
// owns nor holds a role on (there or on an ancestor), results in activity.ErrNotFound; the other
// requests succeed.
//
// The rows of the results are locked until tx ends: no other transaction can revoke them before.
func SubscribeMany(
	ctx context.Context,
	tx pgx.Tx,
	principal activity.Principal,
	requests []SubscribeRequest,
) ([]SubscribeResult, error) {
	results := make([]SubscribeResult, len(requests))
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
		key := r.withDefaults()
		results[i] = stored[key]
		again := stored[key]
		again.Created = false // for a later request of the same subscription
		stored[key] = again
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
	resources := make(map[uuid.UUID]bool, len(requests))
	for _, r := range requests {
		resources[r.ResourceID] = false
	}
	ids := slices.Collect(maps.Keys(resources))
	with, err := directory.WithRole(ctx, tx, principal, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		resources[id] = with[i]
	}
	for i, r := range requests {
		switch scope := r.withDefaults().Scope; {
		case scope != ScopeResource && scope != ScopeDescendants:
			results[i].Err = &invalid.Error{
				Subject: "subscription",
				Fields:  []invalid.Field{{Name: "scope", Rule: "must be one of resource, descendants"}},
			}
		case !resources[r.ResourceID]:
			results[i].Err = fmt.Errorf("resource %s: %w", r.ResourceID, activity.ErrNotFound)
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
			ids[r.withDefaults()] = uuid.Must(uuid.NewV7())
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
	requests := slices.SortedFunc(maps.Keys(newIDs), func(a, b SubscribeRequest) int {
		return cmp.Or(bytes.Compare(a.ResourceID[:], b.ResourceID[:]), cmp.Compare(a.Scope, b.Scope))
	})
	ids, resources := make([][16]byte, len(requests)), make([][16]byte, len(requests))
	scopes := make([]string, len(requests))
	for i, r := range requests {
		ids[i], resources[i], scopes[i] = newIDs[r], r.ResourceID, r.Scope
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO fanfare.subscriptions AS s (id, tenant_id, principal_id, resource_id, scope)
		SELECT u.id, $1, $2, u.resource_id, u.scope
		FROM unnest($3::uuid[], $4::uuid[], $5::text[]) WITH ORDINALITY AS u(id, resource_id, scope, n)
		ORDER BY u.n
		ON CONFLICT (tenant_id, resource_id, principal_id, scope) WHERE revoked_at IS NULL
		DO UPDATE SET scope = excluded.scope
		RETURNING `+columns, principal.TenantID, principal.PrincipalID, ids, resources, scopes)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	stored := make(map[SubscribeRequest]SubscribeResult, len(list))
	for _, s := range list {
		key := SubscribeRequest{s.ResourceID, s.Scope}
		stored[key] = SubscribeResult{Subscription: s, Created: s.ID == newIDs[key]}
	}
	return stored, nil
}

// Unsubscribe revokes a subscription of the principal, and reports whether it was active. Revoking
// it again changes nothing. It returns activity.ErrNotFound if the principal has no subscription
// with this id.
func Unsubscribe(
	ctx context.Context,
	tx pgx.Tx,
	principal activity.Principal,
	id uuid.UUID,
) (s Subscription, revoked bool, err error) {
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
		return Subscription{}, false, fmt.Errorf("unsubscribe: %w", err)
	}
	s, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (s Subscription, err error) {
		err = row.Scan(append(s.fields(), &revoked)...)
		return s, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Subscription{}, false, fmt.Errorf("subscription %s: %w", id, activity.ErrNotFound)
	}
	if err != nil {
		return Subscription{}, false, fmt.Errorf("unsubscribe: %w", err)
	}
	return s, revoked, nil
}
