package watchers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// selectCandidates reads the candidates of many subjects. Every step from a subject on is LATERAL
// and has a LIMIT (the planner may turn a plain join into a scan of a whole tenant), so that the
// plan never reads a table, whatever the statistics say: the cost is some index probes for each
// level of each subject's chain.
//
// Each list that can be long is read in the order of its index, above the cursor $9 and with at
// most $10 distinct principals, so that a resource with a million watchers costs as much as one
// with $10.
//
// The relations of the directory may be views that contain a row twice, a null, or a domain or an
// enumeration instead of uuid and text. A cast to the type that a column has costs nothing. A
// principal is inactive if any of its rows says so. A subject with more than $11 ancestors gets at
// least one row, which may lack a principal.
const selectCandidates = `
WITH RECURSIVE subject AS (
    SELECT u.n, u.tenant_id, u.resource_id, u.roles,
           CASE WHEN r.found THEN r.owner_principal_id ELSE u.owner_id END::uuid AS owner_id,
           CASE WHEN r.found THEN r.parent_id ELSE u.parent_id END::uuid AS parent_id
    FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::smallint[])
         AS u(n, tenant_id, resource_id, owner_id, parent_id, roles)
    LEFT JOIN LATERAL (
        SELECT true AS found, r.owner_principal_id, r.parent_id FROM fanfare.resources AS r
        WHERE r.tenant_id = u.tenant_id AND r.id = u.resource_id LIMIT 1
    ) AS r ON true
), chain AS (
    SELECT n, tenant_id, roles, owner_id, parent_id, parent_id AS next_id, ARRAY[resource_id] AS path FROM subject
    UNION ALL
    SELECT c.n, c.tenant_id, c.roles, c.owner_id, c.parent_id, (
               SELECT r.parent_id FROM fanfare.resources AS r
               WHERE r.tenant_id = c.tenant_id AND r.id = c.next_id LIMIT 1
           ), c.path || c.next_id
    FROM chain AS c
    WHERE c.next_id IS NOT NULL AND c.next_id <> ALL (c.path) AND cardinality(c.path) <= $11
), longest AS (
    SELECT DISTINCT ON (n) n, tenant_id, roles, owner_id, parent_id, path,
           next_id IS NOT NULL AND next_id <> ALL (path) AND cardinality(path) > $11 AS too_deep
    FROM chain ORDER BY n, cardinality(path) DESC
)
SELECT s.n, s.too_deep, w.principal_id, w.reasons, coalesce(d.inactive, false), held.on_chain,
       held.on_chain OR CASE WHEN w.reasons & 1 = 1 AND s.roles & 2 = 2 AND s.parent_id IS NOT NULL THEN EXISTS (
           WITH RECURSIVE up AS (
               SELECT b.scope_resource_id::uuid AS id FROM fanfare.role_bindings AS b
               WHERE b.tenant_id = s.tenant_id AND b.principal_id = w.principal_id AND b.revoked_at IS NULL
               UNION
               SELECT r.parent_id::uuid FROM up CROSS JOIN LATERAL (
                   SELECT r.parent_id FROM fanfare.resources AS r
                   WHERE r.tenant_id = s.tenant_id AND r.id = up.id AND r.parent_id IS NOT NULL LIMIT 1
               ) AS r
           )
           SELECT FROM up WHERE up.id = s.parent_id) ELSE false END,
       p.filter_mode, p.custom_actions, p.muted, nullif(p.muted_actors, '{}')
FROM longest AS s
LEFT JOIN LATERAL (
    SELECT c.principal_id, bit_or(c.reason)::smallint AS reasons
    FROM (
        SELECT x.principal_id, 1 AS reason
        FROM unnest(s.path) WITH ORDINALITY AS l(resource_id, level)
        CROSS JOIN LATERAL (
            SELECT DISTINCT u.principal_id FROM fanfare.subscriptions AS u
            WHERE u.tenant_id = s.tenant_id AND u.resource_id = l.resource_id AND u.revoked_at IS NULL
              AND (l.level = 1 OR u.scope = 'descendants') AND u.principal_id > $9
            ORDER BY u.principal_id LIMIT $10
        ) AS x
        UNION ALL
        SELECT s.owner_id, 2 WHERE s.owner_id > $9
        UNION ALL
        SELECT x.principal_id, 4
        FROM unnest(s.path) AS l(resource_id)
        CROSS JOIN (VALUES ('owner'), ('delegator')) AS k(role_name)
        CROSS JOIN LATERAL (
            SELECT DISTINCT b.principal_id::uuid FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = s.tenant_id AND b.scope_resource_id = l.resource_id
              AND b.role_name::text = k.role_name
              AND b.revoked_at IS NULL AND b.principal_id > $9
            ORDER BY 1 LIMIT $10
        ) AS x
        UNION ALL
        SELECT g.principal_id, 8 FROM unnest($7::int[], $8::uuid[]) AS g(n, principal_id)
        WHERE g.n = s.n AND g.principal_id > $9
    ) AS c
    GROUP BY c.principal_id
    ORDER BY c.principal_id
    LIMIT $10
) AS w ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN w.reasons & 1 = 1 AND s.roles <> 0 THEN EXISTS (
        SELECT FROM fanfare.role_bindings AS b
        WHERE b.tenant_id = s.tenant_id AND b.principal_id = w.principal_id
          AND b.scope_resource_id = ANY (s.path) AND b.revoked_at IS NULL
    ) ELSE false END AS on_chain
    OFFSET 0
) AS held
LEFT JOIN LATERAL (
    SELECT true AS inactive FROM fanfare.principals AS d
    WHERE d.tenant_id = s.tenant_id AND d.id = w.principal_id AND NOT d.active LIMIT 1
) AS d ON true
LEFT JOIN LATERAL (
    SELECT p.filter_mode, p.custom_actions, p.muted, p.muted_actors FROM fanfare.preferences AS p
    WHERE p.tenant_id = s.tenant_id AND p.principal_id = w.principal_id LIMIT 1
) AS p ON true
WHERE w.principal_id IS NOT NULL OR s.too_deep
LIMIT $12`

// Query selects the candidates that Resolve reads. Activities of the same resource share one
// subject, which is resolved once.
type Query struct {
	After   uuid.UUID // only principals above this id
	Limit   int       // maximum number of candidates of a subject
	MaxRows int       // maximum number of candidates of all subjects

	subjects  []subject
	roles     []int16 // by subject; bits of roleBits
	index     map[subject]int
	targetOf  []int32 // by target, its subject
	targets   [][16]byte
	targetSet map[targetKey]struct{}
	tenants   map[uuid.UUID]struct{}
	actors    map[activity.Principal]struct{}
}

// subject is a resource whose candidates are read. owner and parent are used if the directory does
// not contain the resource; uuid.Nil is none.
type subject struct {
	tenant, resource, owner, parent uuid.UUID
}

type targetKey struct {
	subject   int
	principal uuid.UUID
}

// Bits that select what selectCandidates reads of a subscriber's roles.
const (
	readOnChain int16 = 1 << iota // Access.OnChain
	readInScope                   // Access.InScope, which includes OnChain
)

// roleBits returns the bits of what the permission of a subscriber depends on.
func roleBits(v activity.Visibility) (bits int16) {
	onChain, inScope := directory.DependsOnRoles(v)
	if onChain {
		bits |= readOnChain
	}
	if inScope {
		bits |= readInScope
	}
	return bits
}

// Add adds an activity and returns the index of its subject in Result.Candidates. The activity's
// targets are candidates of the subject.
func (q *Query) Add(a *activity.Activity) int {
	if q.index == nil {
		q.index = map[subject]int{}
		q.targetSet = map[targetKey]struct{}{}
		q.tenants = map[uuid.UUID]struct{}{}
		q.actors = map[activity.Principal]struct{}{}
	}
	q.tenants[a.TenantID] = struct{}{}
	s := subject{tenant: a.TenantID, resource: a.ResourceID, owner: a.OwnerID, parent: a.ParentID}
	n, found := q.index[s]
	if !found {
		n = len(q.subjects)
		q.index[s] = n
		q.subjects, q.roles = append(q.subjects, s), append(q.roles, 0)
	}
	q.roles[n] |= roleBits(a.Visibility)
	for _, target := range a.TargetPrincipalIDs {
		key := targetKey{n, target}
		if _, found := q.targetSet[key]; !found {
			q.targetSet[key] = struct{}{}
			q.targetOf, q.targets = append(q.targetOf, int32(n)), append(q.targets, target)
		}
	}
	q.actors[activity.Principal{TenantID: a.TenantID, PrincipalID: a.ActorPrincipalID}] = struct{}{}
	return n
}

// Result is the candidates of the subjects of a Query, and the names of the actors.
type Result struct {
	// Candidates of each subject, ordered by principal id. If there are Query.Limit of them, more
	// may exist above the last.
	Candidates [][]Candidate
	Tenants    map[uuid.UUID]preferences.Fields // the preferences of the tenants that have set some
	Actors     map[activity.Principal]directory.Actor
	Truncated  bool         // more than Query.MaxRows candidates exist; some are missing
	TooDeep    map[int]bool // subjects with more than directory.MaxDepth ancestors, of which the highest do not count
}

// Resolve reads the candidates of a query in one round trip.
func Resolve(ctx context.Context, tx pgx.Tx, q *Query) (Result, error) {
	result := Result{
		Candidates: make([][]Candidate, len(q.subjects)),
		Tenants:    map[uuid.UUID]preferences.Fields{},
		Actors:     make(map[activity.Principal]directory.Actor, len(q.actors)),
	}
	batch := &pgx.Batch{}
	batch.Queue(selectCandidates, q.arguments()...).Query(func(rows pgx.Rows) error {
		return readCandidates(rows, q.MaxRows, &result)
	})
	preferences.QueueTenants(batch, slices.Collect(maps.Keys(q.tenants)), result.Tenants)
	directory.QueueActors(batch, slices.Collect(maps.Keys(q.actors)), result.Actors)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return Result{}, fmt.Errorf("resolve watchers: %w", err)
	}
	return result, nil
}

func (q *Query) arguments() []any {
	n := len(q.subjects)
	numbers := make([]int32, n)
	tenants, resources := make([][16]byte, n), make([][16]byte, n)
	owners, parents := make([]zeronull.UUID, n), make([]zeronull.UUID, n)
	for i, s := range q.subjects {
		numbers[i] = int32(i)
		tenants[i], resources[i] = s.tenant, s.resource
		owners[i], parents[i] = zeronull.UUID(s.owner), zeronull.UUID(s.parent)
	}
	return []any{
		numbers, tenants, resources, owners, parents, q.roles, q.targetOf, q.targets,
		[16]byte(q.After), q.Limit, directory.MaxDepth, q.MaxRows + 1,
	}
}

func readCandidates(rows pgx.Rows, limit int, result *Result) error {
	var (
		n       int32
		tooDeep bool
		c       Candidate
		count   int
	)
	_, err := pgx.ForEachRow(rows, []any{
		&n, &tooDeep, (*zeronull.UUID)(&c.PrincipalID), (*zeronull.Int2)(&c.Reasons), &c.Inactive,
		&c.Access.OnChain, &c.Access.InScope,
		(*zeronull.Text)(&c.Own.Mode), &c.Own.CustomActions, &c.Own.Muted, &c.MutedActors,
	}, func() error {
		if count++; count > limit {
			result.Truncated = true
			return nil
		}
		if tooDeep {
			result.markTooDeep(int(n))
		}
		if c.PrincipalID == uuid.Nil {
			return nil // the row of a subject without candidates
		}
		result.Candidates[n] = append(result.Candidates[n], c)
		c.Own, c.MutedActors = preferences.Fields{}, nil
		return nil
	})
	return err
}

func (r *Result) markTooDeep(subject int) {
	if r.TooDeep == nil {
		r.TooDeep = map[int]bool{}
	}
	r.TooDeep[subject] = true
}
