package fanout_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// oddViews replaces the directory by views whose columns are domains and enumerations, and which
// show nulls, huge texts, rows that occur twice, and a cycle. md5 makes ids of names.
const oddViews = `
DROP TABLE fanfare.principals, fanfare.resources, fanfare.role_bindings;
CREATE DOMAIN key AS uuid;
CREATE DOMAIN other_key AS uuid;
CREATE DOMAIN deeper_key AS other_key;
CREATE TYPE sort AS ENUM ('user', 'bot');
CREATE TYPE grade AS ENUM ('owner', 'viewer');
CREATE FUNCTION an_id(name text) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN md5(name)::uuid;

CREATE VIEW fanfare.principals AS
SELECT an_id(name)::key AS id, an_id('tenant')::key AS tenant_id, kind::sort, display_name, active
FROM (VALUES
    ('actor', 'user', repeat('漢', 1000000), true),
    ('nothing', NULL, NULL, NULL),
    ('large', 'bot', repeat('x', 30000000), true),
    ('twice', 'user', 'Twice', true),
    ('twice', 'user', 'Twice', true),
    ('half', 'user', 'Half', true),
    ('half', 'user', 'Half', false)
) AS v(name, kind, display_name, active)
UNION ALL SELECT NULL, an_id('tenant'), 'user', 'No id', true;

CREATE VIEW fanfare.resources AS
SELECT an_id(name)::key AS id, an_id('tenant')::key AS tenant_id, an_id(parent)::deeper_key AS parent_id,
       an_id(owner)::other_key AS owner_principal_id, type::sort, label AS name
FROM (VALUES
    ('thing', 'folder', 'twice', NULL, NULL),
    ('thing', 'folder', 'twice', NULL, NULL),
    ('folder', 'root', NULL, 'user', repeat('y', 1000000)),
    ('root', 'folder', NULL, 'user', 'a cycle'),
    ('self', 'self', NULL, 'user', 'its own parent')
) AS v(name, parent, owner, type, label)
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL;

CREATE VIEW fanfare.role_bindings AS
SELECT an_id('tenant')::key AS tenant_id, an_id(who)::key AS principal_id,
       an_id(scope)::deeper_key AS scope_resource_id, role::grade AS role_name, NULL::timestamptz AS revoked_at
FROM (VALUES
    ('nothing', 'thing', 'viewer'), ('large', 'root', 'owner'), ('half', 'root', 'owner'),
    ('nothing', NULL, 'viewer'), (NULL, 'thing', 'owner'), ('nothing', 'thing', NULL)
) AS v(who, scope, role)
UNION ALL
SELECT an_id('tenant'), an_id('large'), an_id('root'), 'owner', NULL FROM generate_series(1, 50);

GRANT SELECT ON fanfare.principals, fanfare.resources, fanfare.role_bindings TO fanfare_directory;

INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
VALUES (an_id('tenant'), an_id('nothing'), an_id('thing')), (an_id('tenant'), an_id('actor'), an_id('thing'));`

// TestOddDirectory records and delivers activities of a directory that shows what it should not.
// Small limits make the audience a wide one, in another run.
func TestOddDirectory(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t)
	for name, o := range map[string]fanout.Options{"in a batch": {}, "by a fan-out job": {Wide: 2, Step: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStageWith(t, server, o)
			s.exec(oddViews)
			id := func(name string) (id uuid.UUID) {
				if err := s.db.Pool.QueryRow(t.Context(), `SELECT an_id($1)`, name).Scan(&id); err != nil {
					t.Fatal(err)
				}
				return id
			}
			s.tenant = id("tenant")
			var recorded []uuid.UUID
			for _, resource := range []string{"thing", "folder", "self", "unknown"} {
				e := activity.Envelope{
					TenantID: s.tenant, ActorPrincipalID: id("actor"), ResourceID: id(resource), ResourceType: "thing",
					Action: "thing.updated",
				}
				err := pgx.BeginFunc(t.Context(), s.db.Pool, func(tx pgx.Tx) error {
					r, err := outbox.Record(t.Context(), tx, e)
					recorded = append(recorded, r.ID)
					return err
				})
				if err != nil {
					t.Fatalf("%s: %v", resource, err)
				}
			}
			waittest.Query(t, s.db.Pool, "the outbox is empty", `SELECT
				NOT EXISTS (SELECT FROM fanfare.outbox) AND NOT EXISTS (SELECT FROM fanfare.parked)
				AND NOT EXISTS (SELECT FROM fanfare.fan_out_jobs)`)
			s.wantInbox(t, recorded[0], map[uuid.UUID]watchers.Reasons{
				id("nothing"): watchers.Subscribed, id("large"): watchers.Delegator, id("twice"): watchers.Owner,
			})
			s.wantInbox(t, recorded[1], map[uuid.UUID]watchers.Reasons{id("large"): watchers.Delegator})
			s.wantInbox(t, recorded[2], map[uuid.UUID]watchers.Reasons{})
			s.wantInbox(t, recorded[3], map[uuid.UUID]watchers.Reasons{})
			s.wantSmallTexts(t, activity.Principal{TenantID: s.tenant, PrincipalID: id("nothing")}, id("thing"))
		})
	}
}

func (s *stage) wantInbox(t *testing.T, id uuid.UUID, want map[uuid.UUID]watchers.Reasons) {
	t.Helper()
	rows, err := s.db.Pool.Query(t.Context(), `
		SELECT principal_id, reasons FROM fanfare.notifications
		WHERE tenant_id = $1 AND activity_id = $2`, s.tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	got := map[uuid.UUID]watchers.Reasons{}
	var principal uuid.UUID
	var reasons watchers.Reasons
	if _, err := pgx.ForEachRow(rows, []any{&principal, (*int16)(&reasons)}, func() error {
		got[principal] = reasons
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recipients of %s (-want +got):\n%s", id, diff)
	}
	var dead []string
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT coalesce(array_agg(error), '{}') FROM fanfare.dead_letters
		WHERE tenant_id = $1`, s.tenant).Scan(&dead); err != nil || len(dead) > 0 {
		t.Errorf("dead letters: got %q, %v, want none", dead, err)
	}
}

// wantSmallTexts reads what the API returns about the directory: an inbox, its events, watchers and
// types.
func (s *stage) wantSmallTexts(t *testing.T, principal activity.Principal, resource uuid.UUID) {
	t.Helper()
	page, err := inbox.List(t.Context(), s.db.Pool, principal, inbox.Query{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("the inbox: got %+v, %v, want one notification", page, err)
	}
	events, err := new(render.Catalog).Events(t.Context(), s.db.Pool, []*activity.Activity{&page.Items[0].Activity})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(events)
	if err != nil || len(text) > 8*directory.MaxNameRunes || events[0].Actor.Kind != "user" ||
		events[0].Actor.DisplayName != strings.Repeat("漢", directory.MaxNameRunes) {
		t.Errorf("the event: got %d bytes, %v: %.200s", len(text), err, text)
	}
	list, _, err := watchers.List(t.Context(), s.db.Pool, s.tenant, resource, subscriptions.Page{})
	if err != nil || len(list) != 4 {
		t.Errorf("watchers: got %d, %v, want the subscribers, the owner and the delegator", len(list), err)
	}
	for _, w := range list {
		if len(w.DisplayName) > 4*directory.MaxNameRunes {
			t.Errorf("watcher %s: got a name of %d bytes", w.PrincipalID, len(w.DisplayName))
		}
	}
	types, err := directory.ResourceTypes(t.Context(), s.db.Pool, s.tenant, []uuid.UUID{resource})
	if err != nil || len(types) != 0 {
		t.Errorf("types: got %v, %v, want none", types, err)
	}
}

// TestDeepTree delivers an activity of a resource with more ancestors than count.
func TestDeepTree(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t)
	for ancestors, want := range map[int]int{directory.MaxDepth: 0, directory.MaxDepth + 1: 1} {
		observed := make(fanoutReports, 100)
		s := newStageWith(t, server, fanout.Options{Observer: observed})
		s.tenant = uuid.New()
		s.exec(`INSERT INTO fanfare.resources (tenant_id, id, parent_id, type)
			SELECT $1::uuid, md5(n::text)::uuid, CASE WHEN n > 0 THEN md5((n - 1)::text)::uuid END, 'folder'
			FROM generate_series(0, $2::int) AS n`, s.tenant, ancestors)
		s.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
			VALUES ($1, $1, md5('0')::uuid, 'owner')`, s.tenant)
		s.exec(`SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text, 'actor_principal_id',
			md5('0')::uuid, 'resource_id', md5(($2::int)::text)::uuid, 'resource_type', 'folder',
			'action', 'folder.updated'))`,
			s.tenant, ancestors)
		r := <-observed
		if r.TooDeep != want || len(r.Recipients) != 1 || r.Recipients[0] != 1-want {
			t.Errorf("%d ancestors: got %+v, want %d too deep, and the owner of the root otherwise", ancestors, r, want)
		}
	}
}

// fanoutReports is an Observer that receives the reports.
type fanoutReports chan fanout.Report

func (r fanoutReports) Observe(report fanout.Report) { r <- report }

// TestBothScopes delivers to principals that subscribe to a resource in both scopes, of which there
// are more than one step takes.
func TestBothScopes(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t)
	const principals = 12
	for _, o := range []fanout.Options{{Wide: 20}, {Wide: 5, Step: 4}, {Wide: 7, Step: 12}} {
		s := newStageWith(t, server, o)
		s.tenant = uuid.New()
		s.exec(`WITH p AS (SELECT gen_random_uuid() AS id FROM generate_series(1, $2::int))
			INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
			SELECT $1::uuid, p.id, $1, scope FROM p CROSS JOIN unnest('{resource,descendants}'::text[]) AS scope`,
			s.tenant, principals)
		s.exec(`SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text, 'actor_principal_id', $1::text,
			'resource_id', $1::text, 'resource_type', 'signal', 'action', 'signal.created', 'visibility', 'tenant'))`,
			s.tenant.String())
		waittest.Query(t, s.db.Pool, "every subscriber is notified", `
			SELECT NOT EXISTS (SELECT FROM fanfare.outbox) AND NOT EXISTS (SELECT FROM fanfare.fan_out_jobs)
			    AND (SELECT count(*) FROM fanfare.notifications WHERE tenant_id = $1) = $2`, s.tenant, principals)
	}
}

// newStageWith returns a stage whose worker has the options.
func newStageWith(t *testing.T, server *devstack.Centrifugo, o fanout.Options) *stage {
	t.Helper()
	client, channels := connect(t, server, centrifugo.Formats{})
	s := &stage{t: t, db: pgtest.New(t), channels: channels}
	startWorker(t, s.db, fanout.New(client, channels, preferences.NewFilter(nil), o), outbox.Options{})
	return s
}
