package watchers

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// Watcher is a principal that watches a resource.
type Watcher struct {
	PrincipalID uuid.UUID
	Kind        string // "" if the directory does not contain the principal
	DisplayName string
	Reasons     Reasons   // held directly, or through a group
	GroupID     uuid.UUID // a group through which one of them holds that does not hold directly, or uuid.Nil

	// Scope is subscriptions.ScopeDescendants if a subscription to the resource or to an ancestor
	// has that scope, else subscriptions.ScopeResource; "" without a subscription.
	Scope string
}

// selectWatchers reads the candidates of one resource, without what decides about a single
// activity, and describes them.
const selectWatchers = `
WITH c AS MATERIALIZED (
    SELECT c.principal_id, c.reasons, coalesce(c.subscribed_through, c.delegator_through) AS through,
           c.is_group, c.inactive
    FROM fanfare.candidates(ARRAY[$1::uuid], ARRAY[$2::uuid], '{NULL}', '{NULL}', '{0}', '{0}', '{}', $3, $4, $4, true,
                            $5, $6) AS c
    WHERE c.principal_id IS NOT NULL
)
SELECT c.principal_id, d.kind, d.display_name, c.is_group OR c.inactive AS excluded, c.reasons, c.through
FROM c
LEFT JOIN fanfare.principal_entries((SELECT array_agg($1::uuid) FROM c), (SELECT array_agg(c.principal_id) FROM c)) AS d
    ON d.principal_id = c.principal_id
WHERE (fanfare.resource_entry($1, $2)).known
ORDER BY c.principal_id`

// maxReads is the maximum number of statements of List, each of which reads twice as many watchers
// as the one before.
const maxReads = 6

// List returns the watchers of a resource, ordered by principal id: its subscribers, its owner and
// its delegators, directly or as members of groups, without the groups and without those that the
// directory marks inactive. next is the Page.After of the
// next page, or uuid.Nil after the last; a page has fewer watchers than its limit and still a next
// only if thousands of inactive ones come before the next active one. A resource that the tenant
// does not have has no watchers.
//
// List does not check whether the caller may read the list; directory.IsManager does.
func List(
	ctx context.Context,
	db pg.Querier,
	tenant, resource uuid.UUID,
	p subscriptions.Page,
) (list []Watcher, next uuid.UUID, err error) {
	limit := p.EffectiveLimit()
	list = make([]Watcher, 0, limit)
	after, chunk := p.After, limit+1
	for range maxReads {
		read, last, err := readActive(ctx, db, tenant, resource, after, chunk)
		if err != nil {
			return nil, uuid.Nil, err
		}
		if list = append(list, read...); len(list) > limit {
			return list[:limit], list[limit-1].PrincipalID, nil
		}
		if last == uuid.Nil {
			return list, uuid.Nil, nil
		}
		after, chunk = last, 2*chunk
	}
	return list, after, nil
}

// readActive reads up to limit watchers above an id and returns the active ones that are no groups.
// last is the last that it has read, or uuid.Nil if there are no more.
func readActive(
	ctx context.Context,
	db pg.Querier,
	tenant, resource, after uuid.UUID,
	limit int,
) (active []Watcher, last uuid.UUID, err error) {
	rows, err := db.Query(ctx, selectWatchers, tenant, resource, after, limit,
		directory.MaxDepth, directory.MaxNesting)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list watchers: %w", err)
	}
	var (
		w        Watcher
		excluded bool
		count    int
	)
	_, err = pgx.ForEachRow(rows, []any{
		(*[16]byte)(&w.PrincipalID), (*zeronull.Text)(&w.Kind), (*zeronull.Text)(&w.DisplayName), &excluded,
		(*int16)(&w.Reasons), (*zeronull.UUID)(&w.GroupID),
	}, func() error {
		if count++; count == limit {
			last = w.PrincipalID
		}
		if excluded {
			return nil
		}
		switch {
		case w.Reasons.Has(heir):
			w.Scope = subscriptions.ScopeDescendants
		case w.Reasons.Has(Subscribed):
			w.Scope = subscriptions.ScopeResource
		default:
			w.Scope = ""
		}
		w.Reasons &^= heir
		active = append(active, w)
		return nil
	})
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list watchers: %w", err)
	}
	return active, last, nil
}
