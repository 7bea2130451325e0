package fanout

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// anyAction is a filter that drops no candidate.
type anyAction struct{}

func (anyAction) Mandatory(string) bool { return false }

func (anyAction) Includes(preferences.Preference, string) bool { return true }

func (anyAction) MatchesAny([]string, string) bool { return false }

// TestViewersAreRecipients compares what a principal may view (directory.CanView, which reads the
// tree above the resources) with what the fan-out would send to the principal as a subscriber
// (watchers.Resolve, which reads the chain of each activity). It draws random directories, with
// missing parents, cycles, roles and owners of all kinds, and groups in groups.
func TestViewersAreRecipients(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		w.subscribeAll()
		tx, err := db.Pool.Begin(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = tx.Rollback(t.Context()) }()
		w.load(t, rt, tx)
		activities := w.drawActivities(rt)
		queries := make([]directory.AccessQuery, len(activities))
		for i := range activities {
			queries[i] = directory.AccessQueryFor(&activities[i])
		}
		for p, id := range w.principals {
			principal := activity.Principal{TenantID: w.tenant, PrincipalID: id}
			allowed, err := directory.CanView(t.Context(), tx, principal, queries)
			if err != nil {
				rt.Fatal(err)
			}
			for i := range activities {
				a := &activities[i]
				if want := w.isRecipient(t, rt, tx, a, id); allowed[i] != want {
					rt.Errorf("principal %d, activity %d (%s): got %t, want %t", p, i, a.Visibility, allowed[i], want)
				}
			}
		}
	})
}

// TestPagesAreComplete compares the candidates that are read at once with those that are read by
// pages, as a fan-out job reads them.
func TestPagesAreComplete(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		tx, err := db.Pool.Begin(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = tx.Rollback(t.Context()) }()
		w.load(t, rt, tx)
		activities := w.drawActivities(rt)
		read := func(q watchers.Query) []watchers.Candidate {
			subject := q.Add(&activities[0])
			resolved, err := watchers.Resolve(t.Context(), tx, &q)
			if err != nil {
				rt.Fatal(err)
			}
			return resolved.Candidates[subject]
		}
		want := read(watchers.Query{Limit: 1000, MaxRows: 1000})
		var got []watchers.Candidate
		size := rapid.IntRange(1, 3).Draw(rt, "page")
		for page := (watchers.Query{Limit: size, MaxRows: size, Paged: true}); ; {
			candidates := read(page)
			got = append(got, candidates...)
			if len(candidates) < size {
				break
			}
			page.After = got[len(got)-1].PrincipalID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("by pages of %d (-at once +by pages):\n%s", size, diff)
		}
	})
}

// world is a directory of few principals and resources, so that their relations coincide.
type world struct {
	tenant, other uuid.UUID
	principals    []uuid.UUID
	groups        []uuid.UUID // each has a member
	resources     []uuid.UUID
	inactive      map[uuid.UUID]bool
	rows          [][]any // of the directory: statement, then arguments
}

func drawID(rt *rapid.T, label string) uuid.UUID {
	id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, label))
	id[0] |= 1 // not uuid.Nil
	return id
}

// pick draws one of the ids or uuid.Nil.
func pick(rt *rapid.T, label string, ids []uuid.UUID) uuid.UUID {
	if n := rapid.IntRange(0, len(ids)).Draw(rt, label); n < len(ids) {
		return ids[n]
	}
	return uuid.Nil
}

func null(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}

func drawWorld(rt *rapid.T) *world {
	w := &world{tenant: uuid.New(), other: uuid.New(), inactive: map[uuid.UUID]bool{}}
	for range 4 {
		w.principals = append(w.principals, drawID(rt, "principal"))
	}
	for range rapid.IntRange(0, 4).Draw(rt, "groups") {
		w.groups = append(w.groups, drawID(rt, "group"))
	}
	for range 7 {
		w.resources = append(w.resources, drawID(rt, "resource"))
	}
	for _, p := range w.principals {
		switch rapid.SampledFrom([]string{"active", "active", "inactive", "unknown"}).Draw(rt, "kind") {
		case "active":
			w.row(`INSERT INTO fanfare.principals (tenant_id, id) VALUES ($1, $2)`, w.tenant, p)
		case "inactive":
			w.inactive[p] = true
			w.row(`INSERT INTO fanfare.principals (tenant_id, id, active) VALUES ($1, $2, false)`, w.tenant, p)
		}
	}
	for _, r := range w.resources {
		if rapid.IntRange(0, 4).Draw(rt, "missing") == 0 {
			continue
		}
		w.row(
			`INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
			 VALUES ($1, $2, $3, $4, 'thing')`,
			w.tenant,
			r,
			null(pick(rt, "parent", w.resources)),
			null(pick(rt, "owner", w.principals)),
		)
	}
	holders := slices.Concat(w.principals, w.groups)
	for _, g := range w.groups {
		for _, m := range rapid.SliceOfNDistinct(rapid.SampledFrom(holders), 1, 3, rapid.ID).Draw(rt, "members") {
			w.row(`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)
				ON CONFLICT DO NOTHING`, w.tenant, g, m)
		}
	}
	for range rapid.IntRange(0, 6).Draw(rt, "subscriptions") {
		w.row(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope) VALUES ($1, $2, $3, $4)
			ON CONFLICT DO NOTHING`, w.tenant,
			rapid.SampledFrom(holders).Draw(rt, "subscriber"), rapid.SampledFrom(w.resources).Draw(rt, "subscribed"),
			rapid.SampledFrom([]string{"resource", "descendants"}).Draw(rt, "subscription scope"))
	}
	for range rapid.IntRange(0, 8).Draw(rt, "roles") {
		tenant := rapid.SampledFrom([]uuid.UUID{w.tenant, w.tenant, w.tenant, w.other}).Draw(rt, "tenant of the role")
		w.row(
			`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name, revoked_at)
			 VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)`,
			tenant,
			rapid.SampledFrom(holders).Draw(rt, "holder"),
			rapid.SampledFrom(w.resources).Draw(rt, "scope"),
			rapid.SampledFrom([]string{"viewer", "editor", "owner", "delegator"}).Draw(rt, "role"),
			rapid.IntRange(0, 3).Draw(rt, "revoked") == 0,
		)
	}
	return w
}

func (w *world) row(statement string, args ...any) {
	w.rows = append(w.rows, append([]any{statement}, args...))
}

// subscribeAll adds a subscription of each principal to each resource.
func (w *world) subscribeAll() {
	w.row(
		`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
		 SELECT $1, p, r FROM unnest($2::uuid[]) AS p, unnest($3::uuid[]) AS r ON CONFLICT DO NOTHING`,
		w.tenant,
		w.principals,
		w.resources,
	)
}

// load stores the directory and the subscriptions.
func (w *world) load(t *testing.T, rt *rapid.T, tx pgx.Tx) {
	batch := &pgx.Batch{}
	for _, row := range w.rows {
		batch.Queue(row[0].(string), row[1:]...)
	}
	if err := tx.SendBatch(t.Context(), batch).Close(); err != nil {
		rt.Fatal(err)
	}
}

func (w *world) drawActivities(rt *rapid.T) []activity.Activity {
	list := make([]activity.Activity, rapid.IntRange(1, 8).Draw(rt, "activities"))
	for i := range list {
		var targets []uuid.UUID
		for range rapid.IntRange(0, 2).Draw(rt, "targets") {
			if id := pick(rt, "target", w.principals); id != uuid.Nil && !slices.Contains(targets, id) {
				targets = append(targets, id)
			}
		}
		list[i] = activity.Activity{
			ID:                 uuid.New(),
			TenantID:           w.tenant,
			Action:             "thing.changed",
			ActorPrincipalID:   pick(rt, "actor", w.principals),
			ResourceID:         rapid.SampledFrom(w.resources).Draw(rt, "resource"),
			TargetPrincipalIDs: targets,
			OwnerID:            pick(rt, "recorded owner", w.principals),
			ParentID:           pick(rt, "recorded parent", w.resources),
			Visibility:         rapid.SampledFrom(activity.Visibilities()).Draw(rt, "visibility"),
		}
	}
	return list
}

// isRecipient reports whether the fan-out selects the principal. It never selects the actor, who
// may view the activity unless inactive.
func (w *world) isRecipient(t *testing.T, rt *rapid.T, tx pgx.Tx, a *activity.Activity, id uuid.UUID) bool {
	if a.ActorPrincipalID == id {
		return !w.inactive[id]
	}
	query := watchers.Query{Limit: 1000, MaxRows: 1000}
	subject := query.Add(a)
	resolved, err := watchers.Resolve(t.Context(), tx, &query)
	if err != nil {
		rt.Fatal(err)
	}
	recipients, _ := selectRecipients(a, resolved.Candidates[subject], preferences.Fields{}, anyAction{})
	return slices.ContainsFunc(recipients, func(r Recipient) bool { return r.PrincipalID == id })
}
