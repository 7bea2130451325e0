package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/seed"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// WorldOptions describe a world. The zero value is a company in which nothing has happened.
type WorldOptions struct {
	Activities int  `json:"activities"` // recorded over the last days
	Days       int  `json:"days"`       // default 6
	Crowd      int  `json:"crowd"`      // additional principals, who follow all hands
	Hostile    bool `json:"hostile"`    // adds activities with hostile texts
	Trouble    bool `json:"trouble"`    // adds dead letters, parked activities and a fan-out job
	Bare       bool `json:"bare"`       // the tenant has Ada and the workspace alone
}

// Rich returns the options of a world with everything.
func Rich(activities int) WorldOptions {
	return WorldOptions{Activities: activities, Crowd: 40, Hostile: true, Trouble: true}
}

// World is a tenant.
type World struct {
	TenantID   uuid.UUID           `json:"tenant_id"`
	Principals map[string]Person   `json:"principals"` // by key
	Resources  map[string]Resource `json:"resources"`  // by key
	Recorded   int                 `json:"recorded"`
	Took       string              `json:"took"`
}

// Person is a principal of a world.
type Person struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
	Kind string    `json:"kind"`
}

// Resource is a resource of a world.
type Resource struct {
	ID       uuid.UUID `json:"id"`
	ParentID uuid.UUID `json:"parent_id"`
	Type     string    `json:"type"`
	Name     string    `json:"name"`
}

// worldTimeout limits the time in which a world is created.
const worldTimeout = 5 * time.Minute

// NewWorld creates a world, and returns when its activities are delivered.
func (s *Stage) NewWorld(ctx context.Context, o WorldOptions) (*World, error) {
	ctx, cancel := context.WithTimeout(ctx, worldTimeout)
	defer cancel()
	started := time.Now()
	w := newWorld(o)
	rows := w.rows(o)
	if err := rows.Load(ctx, s.pool); err != nil {
		return nil, err
	}
	envelopes := w.history(o, started)
	if o.Hostile {
		envelopes = append(envelopes, w.hostile(started)...)
	}
	for len(envelopes) > 0 {
		n := min(len(envelopes), recordBatch)
		ids, err := s.Record(ctx, envelopes[:n], true)
		if err != nil {
			return nil, err
		}
		w.Recorded += len(ids)
		envelopes = envelopes[n:]
	}
	if err := s.AwaitSettled(ctx, w.TenantID); err != nil {
		return nil, err
	}
	if _, err := s.pool.Exec(ctx, arrangeSQL, w.TenantID); err != nil {
		return nil, fmt.Errorf("arrange the inboxes: %w", err)
	}
	if o.Trouble && !o.Bare {
		if err := s.addTrouble(ctx, w); err != nil {
			return nil, fmt.Errorf("add trouble: %w", err)
		}
	}
	w.Took = time.Since(started).Round(time.Millisecond).String()
	return w, nil
}

// arrangeSQL gives notifications the times of their activities, and reads, archives and snoozes
// some of the older ones.
const arrangeSQL = `
	UPDATE fanfare.notifications AS n
	SET created_at = x.recorded_at,
	    seen_at = CASE WHEN x.age > 3 THEN x.recorded_at + interval '5 minutes' END,
	    read_at = CASE WHEN x.age > 8 AND x.age % 3 <> 0 THEN x.recorded_at + interval '9 minutes' END,
	    archived_at = CASE WHEN x.age > 30 AND x.age % 5 = 1 THEN x.recorded_at + interval '1 hour' END,
	    snoozed_until = CASE WHEN x.age % 37 = 36 THEN now() + interval '20 hours' END
	FROM (
	    SELECT m.principal_id, a.id, a.recorded_at,
	           row_number() OVER (PARTITION BY m.principal_id ORDER BY a.id DESC) AS age
	    FROM fanfare.notifications AS m
	    JOIN fanfare.activities AS a ON a.tenant_id = m.tenant_id AND a.id = m.activity_id
	    WHERE m.tenant_id = $1
	) AS x
	WHERE n.tenant_id = $1 AND n.principal_id = x.principal_id AND n.activity_id = x.id`

func newWorld(o WorldOptions) *World {
	w := &World{TenantID: uuid.New(), Principals: map[string]Person{}, Resources: map[string]Resource{}}
	for _, p := range people {
		if !o.Bare || p.key == "ada" {
			w.Principals[p.key] = Person{w.id("principal", p.key), p.name, p.kind}
		}
	}
	for n := range o.Crowd {
		name := firstNames[n%len(firstNames)] + " " + lastNames[n/len(firstNames)%len(lastNames)]
		key := fmt.Sprintf("crowd-%d", n)
		w.Principals[key] = Person{w.id("principal", key), name, "user"}
	}
	for _, r := range tree {
		if !o.Bare || r.parent == "" {
			w.Resources[r.key] = Resource{w.id("resource", r.key), w.Resources[r.parent].ID, r.kind, r.name}
		}
	}
	if o.Hostile && !o.Bare {
		name := strings.Repeat("5,000 characters of a name. ", 178) + "<b>The end</b>"
		w.Principals["long"] = Person{w.id("principal", "long"), name, "<i>kind</i>"}
		w.Resources["long"] = Resource{w.id("resource", "long"), w.Resources["atlas-board"].ID, "task", name}
	}
	return w
}

// id returns the id of a key, which differs from world to world.
func (w *World) id(kind, key string) uuid.UUID { return uuid.NewSHA1(w.TenantID, []byte(kind+"/"+key)) }

// rows returns the directory, the subscriptions, the levels and the preferences.
func (w *World) rows(o WorldOptions) *seed.Rows {
	r := &seed.Rows{}
	for _, n := range tree {
		if x, ok := w.Resources[n.key]; ok {
			r.Resources = append(r.Resources, seed.Resource{
				TenantID: w.TenantID, ID: x.ID, ParentID: x.ParentID, OwnerID: w.Principals[n.owner].ID,
				Type: x.Type, Name: x.Name,
			})
		}
	}
	for _, p := range people {
		if !o.Bare || p.key == "ada" {
			w.addPerson(r, p)
		}
	}
	if x, ok := w.Resources["long"]; ok {
		long := w.Principal("long")
		r.Principals = append(r.Principals, seed.Principal{
			Principal: long, Kind: w.Principals["long"].Kind, Name: w.Principals["long"].Name,
		})
		r.Resources = append(r.Resources, seed.Resource{
			TenantID: w.TenantID, ID: x.ID, ParentID: x.ParentID, OwnerID: long.PrincipalID, Type: x.Type, Name: x.Name,
		})
	}
	for n := range o.Crowd {
		p := w.Principal(fmt.Sprintf("crowd-%d", n))
		r.Principals = append(r.Principals, seed.Principal{
			Principal: p, Kind: "user", Name: w.Principals[fmt.Sprintf("crowd-%d", n)].Name,
		})
		on := w.Resources["all-hands"].ID
		r.Roles = append(r.Roles, seed.Role{Principal: p, ResourceID: on, Name: "viewer"})
		r.Subscriptions = append(r.Subscriptions, seed.Subscription{Principal: p, ResourceID: on, Scope: onlyThis})
	}
	return r
}

// Principal returns a principal by its key.
func (w *World) Principal(key string) activity.Principal {
	return activity.Principal{TenantID: w.TenantID, PrincipalID: w.Principals[key].ID}
}

func (w *World) addPerson(r *seed.Rows, p person) {
	principal := w.Principal(p.key)
	r.Principals = append(r.Principals, seed.Principal{
		Principal: principal, Kind: p.kind, Name: p.name, Inactive: p.inactive,
	})
	for _, x := range p.roles {
		r.Roles = append(r.Roles, seed.Role{
			Principal: principal, ResourceID: w.Resources[x.on].ID, Name: x.role, Revoked: x.revoked,
		})
	}
	for _, x := range p.follows {
		r.Subscriptions = append(r.Subscriptions, seed.Subscription{
			Principal: principal, ResourceID: w.Resources[x.on].ID, Scope: x.scope,
		})
	}
	for _, x := range p.levels {
		r.Levels = append(r.Levels, seed.Level{
			Principal: principal, ResourceID: w.Resources[x.on].ID,
			Level: x.level, Scope: x.scope, Patterns: x.patterns,
		})
	}
	for _, group := range p.groups {
		r.Memberships = append(r.Memberships, seed.Membership{Principal: principal, GroupID: w.Principals[group].ID})
	}
	if x := p.preference; x != nil {
		stored := seed.Preference{Principal: principal, Mode: x.mode, Patterns: x.patterns}
		for _, actor := range x.muted {
			stored.MutedActors = append(stored.MutedActors, w.Principals[actor].ID)
		}
		r.Preferences = append(r.Preferences, stored)
	}
}

// recordBatch is the maximum number of envelopes in one transaction.
const recordBatch = 1000

// Record records envelopes in their order and returns the ids of the activities. With backdated,
// each is recorded at its time occurred_at.
func (s *Stage) Record(ctx context.Context, envelopes []Envelope, backdated bool) ([]uuid.UUID, error) {
	return record(ctx, s.pool, envelopes, backdated)
}

// AwaitSettled returns when the tenant's activities are delivered.
func (s *Stage) AwaitSettled(ctx context.Context, tenant uuid.UUID) error {
	for {
		var settled bool
		if err := s.pool.QueryRow(ctx, `SELECT stage.is_settled($1)`, tenant).Scan(&settled); err != nil || settled {
			return err
		}
		if err := wait.Sleep(ctx, poll); err != nil {
			return fmt.Errorf("wait for deliveries of tenant %s: %w", tenant, err)
		}
	}
}

// Envelope is an envelope, by the names of its fields.
type Envelope map[string]any

// encode returns the JSON of envelopes. A payload may be a [json.RawMessage], which keeps the
// digits of numbers.
func encode(envelopes []Envelope) (string, error) {
	body, err := json.Marshal(envelopes)
	return string(body), err
}
