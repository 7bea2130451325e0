package watchers

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
	"github.com/fanfarehq/fanfare/internal/pg"
)

// The scopes of a subscription.
const (
	ScopeResource    = "resource"    // that resource only
	ScopeDescendants = "descendants" // that resource and everything under it
)

// Subscription is a principal's wish to hear of a resource.
type Subscription struct {
	ID, TenantID, PrincipalID, ResourceID uuid.UUID
	Scope                                 string // ScopeResource or ScopeDescendants
	CreatedAt                             time.Time
	RevokedAt                             *time.Time // nil while it counts
}

const subscriptionColumns = `s.id, s.tenant_id, s.principal_id, s.resource_id, s.scope, s.created_at, s.revoked_at`

func scanSubscription(row pgx.CollectableRow) (Subscription, error) {
	var s Subscription
	err := row.Scan(
		(*[16]byte)(&s.ID),
		(*[16]byte)(&s.TenantID),
		(*[16]byte)(&s.PrincipalID),
		(*[16]byte)(&s.ResourceID),
		&s.Scope,
		&s.CreatedAt,
		&s.RevokedAt,
	)
	return s, err
}

// Wish names what to subscribe to. An empty Scope is ScopeResource.
type Wish struct {
	ResourceID uuid.UUID
	Scope      string
}

// Granted is what became of a Wish. Err is activity.ErrNotFound or an *invalid.Error, or nil.
type Granted struct {
	Subscription
	Created bool // false: it stood already
	Err     error
}

// Subscribe grants one wish; its error is also the one that Granted would hold.
func Subscribe(
	ctx context.Context,
	tx pgx.Tx,
	tenant, principal, resource uuid.UUID,
	scope string,
) (s Subscription, created bool, err error) {
	granted, err := SubscribeMany(ctx, tx, tenant, principal, []Wish{{resource, scope}})
	if err != nil {
		return Subscription{}, false, err
	}
	return granted[0].Subscription, granted[0].Created, granted[0].Err
}

// SubscribeMany makes subscriptions, in two statements however many, and answers wish by wish. One
// that stands already is returned as it is. A resource that is unknown, another tenant's, or such
// that the principal has no role on it nor on an ancestor and does not own it, gives activity.ErrNotFound
// and does not hinder the others.
//
// What it returns stands until tx ends: nobody can revoke it meanwhile.
func SubscribeMany(ctx context.Context, tx pgx.Tx, tenant, principal uuid.UUID, wishes []Wish) ([]Granted, error) {
	granted := make([]Granted, len(wishes))
	if err := refuse(ctx, tx, tenant, principal, wishes, granted); err != nil {
		return nil, err
	}
	offers := offer(wishes, granted)
	if err := insert(ctx, tx, tenant, principal, offers); err != nil {
		return nil, err
	}
	for i, w := range wishes {
		if granted[i].Err != nil {
			continue
		}
		o := offers[w.orDefault()]
		granted[i].Subscription, granted[i].Created = o.Subscription, o.Created
		o.Created = false // a wish said twice is granted once
		offers[w.orDefault()] = o
	}
	return granted, nil
}

func (w Wish) orDefault() Wish {
	w.Scope = cmp.Or(w.Scope, ScopeResource)
	return w
}

// refuse notes which wishes cannot be granted.
func refuse(ctx context.Context, db pg.Querier, tenant, principal uuid.UUID, wishes []Wish, granted []Granted) error {
	var from []seed
	known := map[uuid.UUID]struct{}{}
	for i, w := range wishes {
		if scope := w.orDefault().Scope; scope != ScopeResource && scope != ScopeDescendants {
			granted[i].Err = &invalid.Error{
				Subject: "subscription",
				Fields:  []invalid.Field{{Name: "scope", Rule: "must be one of resource, descendants"}},
			}
		}
		if _, ok := known[w.ResourceID]; !ok {
			known[w.ResourceID] = struct{}{}
			from = append(from, seed{resource: w.ResourceID})
		}
	}
	t, active, err := readTree(ctx, db, tenant, principal, from)
	if err != nil {
		return err
	}
	for i, w := range wishes {
		s := t.standing(principal, w.ResourceID, uuid.Nil, uuid.Nil)
		if granted[i].Err == nil && (!active || !s.exists || !s.keeper && !s.onChain) {
			granted[i].Err = activity.ErrNotFound
		}
	}
	return nil
}

// offer gives each wish that is not refused the id that it will have if it is new.
func offer(wishes []Wish, granted []Granted) map[Wish]Granted {
	offers := map[Wish]Granted{}
	for i, w := range wishes {
		if granted[i].Err == nil {
			offers[w.orDefault()] = Granted{Subscription: Subscription{ID: uuid.Must(uuid.NewV7())}}
		}
	}
	return offers
}

// insert stores what is offered, in the order of the index, so that two callers cannot block each
// other in a circle. A conflict changes nothing and yet locks the row that stands.
func insert(ctx context.Context, tx pgx.Tx, tenant, principal uuid.UUID, offers map[Wish]Granted) error {
	if len(offers) == 0 {
		return nil
	}
	ids, resources, scopes := make(
		[][16]byte,
		0,
		len(offers),
	), make(
		[][16]byte,
		0,
		len(offers),
	), make(
		[]string,
		0,
		len(offers),
	)
	for _, w := range slices.SortedFunc(maps.Keys(offers), func(a, b Wish) int {
		return cmp.Or(bytes.Compare(a.ResourceID[:], b.ResourceID[:]), cmp.Compare(a.Scope, b.Scope))
	}) {
		ids, resources, scopes = append(ids, offers[w].ID), append(resources, w.ResourceID), append(scopes, w.Scope)
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO fanfare.subscriptions AS s (id, tenant_id, principal_id, resource_id, scope)
		SELECT u.id, $1, $2, u.resource_id, u.scope
		FROM unnest($3::uuid[], $4::uuid[], $5::text[]) WITH ORDINALITY AS u(id, resource_id, scope, n)
		ORDER BY u.n
		ON CONFLICT (tenant_id, resource_id, principal_id, scope) WHERE revoked_at IS NULL DO UPDATE SET scope = excluded.scope
		RETURNING `+subscriptionColumns, tenant, principal, ids, resources, scopes)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	stored, err := pgx.CollectRows(rows, scanSubscription)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for _, s := range stored {
		w := Wish{s.ResourceID, s.Scope}
		offers[w] = Granted{Subscription: s, Created: s.ID == offers[w].ID}
	}
	return nil
}

// Unsubscribe revokes the principal's own subscription. activity.ErrNotFound: there is none of this id, or
// it is revoked already.
func Unsubscribe(ctx context.Context, tx pgx.Tx, tenant, principal, id uuid.UUID) (Subscription, error) {
	rows, err := tx.Query(ctx, `
		UPDATE fanfare.subscriptions AS s SET revoked_at = now()
		WHERE s.id = $3 AND s.tenant_id = $1 AND s.principal_id = $2 AND s.revoked_at IS NULL
		RETURNING `+subscriptionColumns, tenant, principal, id)
	if err != nil {
		return Subscription{}, fmt.Errorf("unsubscribe: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanSubscription)
	if errors.Is(err, pgx.ErrNoRows) {
		return Subscription{}, fmt.Errorf("subscription %s: %w", id, activity.ErrNotFound)
	}
	if err != nil {
		return Subscription{}, fmt.Errorf("unsubscribe: %w", err)
	}
	return s, nil
}
