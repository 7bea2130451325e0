package watchers

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
)

// MaxDepth bounds the walk up the tree, in levels above the resource. A cycle ends it sooner.
const MaxDepth = 128

// resolve finds the candidates of many subjects at once. Every step from a subject on is a LATERAL
// one with a LIMIT of its own (a plain join may be planned as a scan of all that the tenant has),
// so that no statistics can talk the planner into reading a table: the cost is some index probes
// for each level of each subject's chain.
//
// Each list that could be long is read in the order of its index, above the cursor $9 and at most
// $10 long, so a resource that a million people watch costs as much as one that $10 watch.
const resolve = `
WITH RECURSIVE subject AS (
    SELECT u.n, u.tenant_id, u.resource_id, u.roles,
           CASE WHEN r.found THEN r.owner_principal_id ELSE u.owner_id END AS owner_id,
           CASE WHEN r.found THEN r.parent_id ELSE u.parent_id END AS parent_id
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
               SELECT r.parent_id FROM fanfare.resources AS r WHERE r.tenant_id = c.tenant_id AND r.id = c.next_id LIMIT 1
           ), c.path || c.next_id
    FROM chain AS c
    WHERE c.next_id IS NOT NULL AND c.next_id <> ALL (c.path) AND cardinality(c.path) <= $11
), whole AS (
    SELECT DISTINCT ON (n) n, tenant_id, roles, owner_id, parent_id, path FROM chain ORDER BY n, cardinality(path) DESC
)
SELECT s.n, w.principal_id, w.reasons, coalesce(NOT d.active, false), held.on_chain,
       held.on_chain OR CASE WHEN w.reasons & 1 = 1 AND s.roles & 2 = 2 AND s.parent_id IS NOT NULL THEN EXISTS (
           WITH RECURSIVE up AS (
               SELECT b.scope_resource_id AS id FROM fanfare.role_bindings AS b
               WHERE b.tenant_id = s.tenant_id AND b.principal_id = w.principal_id AND b.revoked_at IS NULL
               UNION
               SELECT r.parent_id FROM up CROSS JOIN LATERAL (
                   SELECT r.parent_id FROM fanfare.resources AS r
                   WHERE r.tenant_id = s.tenant_id AND r.id = up.id AND r.parent_id IS NOT NULL LIMIT 1
               ) AS r
           )
           SELECT FROM up WHERE up.id = s.parent_id) ELSE false END,
       coalesce(p.filter_mode, ''), p.custom_actions, coalesce(p.muted, false)
FROM whole AS s
CROSS JOIN LATERAL (
    SELECT c.principal_id, bit_or(c.reason)::smallint AS reasons
    FROM (
        SELECT x.principal_id, 1 AS reason
        FROM unnest(s.path) WITH ORDINALITY AS l(resource_id, level)
        CROSS JOIN LATERAL (
            SELECT u.principal_id FROM fanfare.subscriptions AS u
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
            SELECT b.principal_id FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = s.tenant_id AND b.scope_resource_id = l.resource_id AND b.role_name = k.role_name
              AND b.revoked_at IS NULL AND b.principal_id > $9
            ORDER BY b.principal_id LIMIT $10
        ) AS x
        UNION ALL
        SELECT g.principal_id, 8 FROM unnest($7::int[], $8::uuid[]) AS g(n, principal_id) WHERE g.n = s.n AND g.principal_id > $9
    ) AS c
    GROUP BY c.principal_id
    ORDER BY c.principal_id
    LIMIT $10
) AS w
CROSS JOIN LATERAL (
    SELECT CASE WHEN w.reasons & 1 = 1 AND s.roles <> 0 THEN EXISTS (
        SELECT FROM fanfare.role_bindings AS b
        WHERE b.tenant_id = s.tenant_id AND b.principal_id = w.principal_id AND b.scope_resource_id = ANY (s.path) AND b.revoked_at IS NULL
    ) ELSE false END AS on_chain
    OFFSET 0
) AS held
LEFT JOIN LATERAL (
    SELECT d.active FROM fanfare.principals AS d WHERE d.tenant_id = s.tenant_id AND d.id = w.principal_id LIMIT 1
) AS d ON true
LEFT JOIN LATERAL (
    SELECT p.filter_mode, p.custom_actions, p.muted FROM fanfare.preferences AS p
    WHERE p.tenant_id = s.tenant_id AND p.principal_id = w.principal_id LIMIT 1
) AS p ON true
LIMIT $12`

const nameActors = `
SELECT u.tenant_id, u.id, p.kind, p.display_name
FROM unnest($1::uuid[], $2::uuid[]) AS u(tenant_id, id)
JOIN fanfare.principals AS p ON p.tenant_id = u.tenant_id AND p.id = u.id`

// Query asks who could be told. Subjects and actors are asked for once, however many activities
// share them.
type Query struct {
	After uuid.UUID // only principals above this id
	Limit int       // at most so many for each subject
	Rows  int       // at most so many in all

	subjects  []Subject
	roles     []int16
	index     map[Subject]int
	targetOf  []int32
	targets   [][16]byte
	actors    map[Principal]struct{}
	targetSet map[targeted]struct{}
}

type targeted struct {
	subject   int
	principal uuid.UUID
}

// Roles says which of a candidate's roles matter.
type Roles int16

// What is to be found out of a subscriber.
const (
	RolesOnChain Roles = 1 << iota // Candidate.OnChain
	RolesInScope                   // Candidate.InScope, and with it OnChain
)

// Ask adds a subject and returns its number in Answer.Candidates. target, unless it is uuid.Nil, is
// one more candidate.
func (q *Query) Ask(s Subject, roles Roles, target uuid.UUID, actor uuid.UUID) int {
	if q.index == nil {
		q.index, q.actors, q.targetSet = map[Subject]int{}, map[Principal]struct{}{}, map[targeted]struct{}{}
	}
	n, known := q.index[s]
	if !known {
		n = len(q.subjects)
		q.index[s] = n
		q.subjects, q.roles = append(q.subjects, s), append(q.roles, 0)
	}
	q.roles[n] |= int16(roles)
	if key := (targeted{n, target}); target != uuid.Nil {
		if _, known := q.targetSet[key]; !known {
			q.targetSet[key] = struct{}{}
			q.targetOf, q.targets = append(q.targetOf, int32(n)), append(q.targets, target)
		}
	}
	q.actors[Principal{s.TenantID, actor}] = struct{}{}
	return n
}

// Answer is what the directory says.
type Answer struct {
	Candidates [][]Candidate // for each subject, by principal; Query.Limit of them may mean that there are more
	Actors     map[Principal]Actor
	Truncated  bool // Query.Rows did not suffice: candidates are missing
}

// Resolve answers a query in one round trip.
func Resolve(ctx context.Context, tx pgx.Tx, q *Query) (Answer, error) {
	answer := Answer{Candidates: make([][]Candidate, len(q.subjects)), Actors: make(map[Principal]Actor, len(q.actors))}
	batch := &pgx.Batch{}
	batch.Queue(resolve, q.arguments()...).Query(func(rows pgx.Rows) error {
		return readCandidates(rows, q.Rows, &answer)
	})
	tenants, ids := make([][16]byte, 0, len(q.actors)), make([][16]byte, 0, len(q.actors))
	for actor := range q.actors {
		tenants, ids = append(tenants, actor.TenantID), append(ids, actor.PrincipalID)
	}
	batch.Queue(nameActors, tenants, ids).Query(func(rows pgx.Rows) error { return readActors(rows, answer.Actors) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return Answer{}, fmt.Errorf("resolve watchers: %w", err)
	}
	return answer, nil
}

func (q *Query) arguments() []any {
	n := len(q.subjects)
	numbers := make([]int32, n)
	tenants, resources := make([][16]byte, n), make([][16]byte, n)
	owners, parents := make([]zeronull.UUID, n), make([]zeronull.UUID, n)
	for i, s := range q.subjects {
		numbers[i] = int32(i)
		tenants[i], resources[i] = s.TenantID, s.ResourceID
		owners[i], parents[i] = zeronull.UUID(s.OwnerID), zeronull.UUID(s.ParentID)
	}
	return []any{
		numbers,
		tenants,
		resources,
		owners,
		parents,
		q.roles,
		q.targetOf,
		q.targets,
		[16]byte(q.After),
		q.Limit,
		MaxDepth,
		q.Rows + 1,
	}
}

func readCandidates(rows pgx.Rows, limit int, answer *Answer) error {
	var (
		n     int32
		c     Candidate
		count int
	)
	_, err := pgx.ForEachRow(rows, []any{
		&n, (*[16]byte)(&c.PrincipalID), (*int16)(&c.Reasons), &c.Inactive, &c.OnChain, &c.InScope, &c.FilterMode, &c.CustomActions, &c.Muted,
	}, func() error {
		if count++; count > limit {
			answer.Truncated = true
			return nil
		}
		answer.Candidates[n] = append(answer.Candidates[n], c)
		c.CustomActions = nil
		return nil
	})
	return err
}
