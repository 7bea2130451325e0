package watchers

import (
	"bytes"
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

// selectCandidates reads the candidates of many subjects, by a function that may read the
// directory.
const selectCandidates = `
SELECT subject, too_deep, cut, principal_id, reasons, subscribed_through, delegator_through, is_group, inactive,
       on_chain, in_scope, level, level_resource_id, level_patterns,
       filter_mode, custom_actions, muted, muted_actions, muted_actors
FROM fanfare.candidates($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// Query selects the candidates that Resolve reads. Activities of the same resource share one
// subject, which is resolved once.
type Query struct {
	After   uuid.UUID // only principals above this id
	Limit   int       // maximum number of candidates of a subject
	MaxRows int       // maximum number of candidates of all subjects

	// Paged tells that the candidates of the one subject are read in several queries, each with the
	// last id of the one before as After. Otherwise, a subject with Limit candidates or more is not
	// read completely.
	Paged bool

	subjects []subject
	roles    []int16       // by subject; bits of roleBits
	targets  [][]uuid.UUID // by subject
	index    map[subject]int
	tenants  map[uuid.UUID]struct{}
	actors   map[activity.Principal]struct{}
}

// subject is a resource whose candidates are read. owner and parent are used if the directory does
// not contain the resource; uuid.Nil is none.
type subject struct {
	tenant, resource, owner, parent uuid.UUID
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
		q.tenants = map[uuid.UUID]struct{}{}
		q.actors = map[activity.Principal]struct{}{}
	}
	q.tenants[a.TenantID] = struct{}{}
	q.actors[a.Actor()] = struct{}{}
	s := subject{tenant: a.TenantID, resource: a.ResourceID, owner: a.OwnerID, parent: a.ParentID}
	n, found := q.index[s]
	if !found {
		n = len(q.subjects)
		q.index[s] = n
		q.subjects, q.roles, q.targets = append(q.subjects, s), append(q.roles, 0), append(q.targets, nil)
	}
	q.roles[n] |= roleBits(a.Visibility)
	q.targets[n] = append(q.targets[n], a.TargetPrincipalIDs...)
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
	Cut        map[int]bool // subjects whose groups have too many members: some are missing; none if Query.Paged
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
	for _, candidates := range result.Candidates {
		if !slices.IsSortedFunc(candidates, byID) { // as the plan usually returns them
			slices.SortFunc(candidates, byID)
		}
	}
	return result, nil
}

func byID(a, b Candidate) int { return bytes.Compare(a.PrincipalID[:], b.PrincipalID[:]) }

func (q *Query) arguments() []any {
	n := len(q.subjects)
	tenants, resources := make([][16]byte, n), make([][16]byte, n)
	owners, parents := make([]zeronull.UUID, n), make([]zeronull.UUID, n)
	lastTargets, targets := make([]int32, n), [][16]byte{}
	for i, s := range q.subjects {
		tenants[i], resources[i] = s.tenant, s.resource
		owners[i], parents[i] = zeronull.UUID(s.owner), zeronull.UUID(s.parent)
		for _, id := range q.targets[i] {
			targets = append(targets, id)
		}
		lastTargets[i] = int32(len(targets))
	}
	return []any{
		tenants, resources, owners, parents, q.roles, lastTargets, targets,
		[16]byte(q.After), q.Limit, q.MaxRows + 1, q.Paged, directory.MaxDepth, directory.MaxNesting,
	}
}

func readCandidates(rows pgx.Rows, limit int, result *Result) error {
	var (
		n            int32
		tooDeep, cut bool
		c            Candidate
		count        int
	)
	_, err := pgx.ForEachRow(rows, []any{
		&n, &tooDeep, &cut, (*zeronull.UUID)(&c.PrincipalID), (*zeronull.Int2)(&c.Reasons),
		(*zeronull.UUID)(&c.SubscribedThrough), (*zeronull.UUID)(&c.DelegatorThrough), &c.IsGroup, &c.Inactive,
		&c.Access.OnChain, &c.Access.InScope,
		(*zeronull.Text)(&c.Level), (*zeronull.UUID)(&c.LevelResourceID), &c.LevelPatterns,
		(*zeronull.Text)(&c.Own.Mode), &c.Own.CustomActions, &c.Own.Muted, &c.Own.MutedActions, &c.MutedActors,
	}, func() error {
		if count++; count > limit {
			result.Truncated = true
			return nil
		}
		if tooDeep {
			mark(&result.TooDeep, int(n))
		}
		if cut {
			mark(&result.Cut, int(n))
		}
		if c.PrincipalID == uuid.Nil {
			return nil // the row of a subject without candidates
		}
		c.Heir = c.Reasons.Has(heir)
		c.Reasons &^= heir
		result.Candidates[n] = append(result.Candidates[n], c)
		c.LevelPatterns, c.Own, c.MutedActors = nil, preferences.Fields{}, nil
		return nil
	})
	return err
}

func mark(subjects *map[int]bool, n int) {
	if *subjects == nil {
		*subjects = map[int]bool{}
	}
	(*subjects)[n] = true
}
