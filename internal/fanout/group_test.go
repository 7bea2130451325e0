package fanout_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// TestGroups delivers activities of a resource to which groups subscribe and on which they hold
// roles: in a batch, and by the steps of fan-out jobs. md5 makes ids of names.
func TestGroups(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t)
	for name, o := range map[string]fanout.Options{
		"in a batch": {}, "by a fan-out job": {Wide: 2, Step: 1}, "by longer steps": {Wide: 3, Step: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStageWith(t, server, o)
			s.tenant = uuid.New()
			id := func(name string) (id uuid.UUID) {
				if err := s.db.Pool.QueryRow(t.Context(), `SELECT md5($1)::uuid`, name).Scan(&id); err != nil {
					t.Fatal(err)
				}
				return id
			}
			s.exec(`INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
				SELECT $1::uuid, md5(r)::uuid, md5(p)::uuid, md5(o)::uuid, 'thing'
				FROM (VALUES ('folder', NULL, NULL), ('thing', 'folder', 'owners')) AS v(r, p, o)`, s.tenant)
			s.exec(`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id)
				SELECT $1::uuid, md5(g)::uuid, md5(p)::uuid
				FROM (VALUES ('subscribers', 'ann'), ('subscribers', 'nested'), ('nested', 'bob'), ('nested', 'both'),
					('subscribers', 'stranger'), ('subscribers', 'actor'), ('subscribers', 'both'),
					('round', 'circle'), ('circle', 'round'), ('circle', 'cid'),
					('managers', 'dan'), ('managers', 'both'), ('readers', 'bob'), ('owners', 'olga'),
					('d1', 'd2'), ('d2', 'd3'), ('d3', 'd4'), ('d4', 'd5'), ('d5', 'd6'), ('d6', 'd7'), ('d7', 'd8'),
					('d8', 'deep'), ('d8', 'd9'), ('d9', 'deeper')) AS v(g, p)`, s.tenant)
			s.exec(`INSERT INTO fanfare.principals (tenant_id, id, kind)
				VALUES ($1, md5('empty')::uuid, 'group')`, s.tenant)
			s.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
				SELECT $1::uuid, md5(p)::uuid, md5(r)::uuid, scope
				FROM (VALUES ('subscribers', 'folder', 'descendants'), ('round', 'thing', 'resource'),
					('d1', 'thing', 'resource'), ('empty', 'thing', 'resource'), ('both', 'thing', 'resource'))
					AS v(p, r, scope)`, s.tenant)
			s.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
				SELECT $1::uuid, md5(p)::uuid, md5('folder')::uuid, role
				FROM (VALUES ('managers', 'owner'), ('readers', 'viewer'), ('ann', 'viewer'), ('both', 'viewer'),
					('actor', 'viewer'), ('round', 'viewer'), ('d1', 'viewer'), ('empty', 'viewer'),
					('owners', 'viewer'),
					('deeper', 'viewer')) AS v(p, role)`, s.tenant)
			var recorded uuid.UUID
			if err := s.db.Pool.QueryRow(t.Context(), `SELECT fanfare.record_activity(jsonb_build_object('tenant_id',
				$1::text, 'actor_principal_id', md5('actor')::uuid, 'resource_id', md5('thing')::uuid,
				'resource_type', 'thing', 'action', 'thing.updated', 'target_principal_ids',
				jsonb_build_array(md5('readers')::uuid, md5('tom')::uuid)))`, s.tenant).Scan(&recorded); err != nil {
				t.Fatal(err)
			}
			waittest.Query(t, s.db.Pool, "the activity is delivered", `SELECT
				NOT EXISTS (SELECT FROM fanfare.outbox) AND NOT EXISTS (SELECT FROM fanfare.fan_out_jobs)`)
			s.wantInbox(t, recorded, map[uuid.UUID]watchers.Reasons{
				id("ann"): watchers.Subscribed, id("bob"): watchers.Subscribed, id("cid"): watchers.Subscribed,
				id("deep"): watchers.Subscribed, id("dan"): watchers.Delegator,
				id("both"): watchers.Subscribed | watchers.Delegator, id("tom"): watchers.Target,
			})
			through := map[string]string{
				"ann": "subscribers", "bob": "subscribers", "cid": "round", "deep": "d1", "dan": "managers",
				"both": "managers", "tom": "",
			}
			for principal, group := range through {
				waittest.Query(t, s.db.Pool, fmt.Sprintf("%s is notified through %q", principal, group), `
					SELECT group_id IS NOT DISTINCT FROM md5(nullif($3, ''))::uuid FROM fanfare.notifications
					WHERE tenant_id = $1 AND principal_id = md5($2)::uuid`, s.tenant, principal, group)
			}
			for principal, want := range map[string]directory.Access{
				"dan": {Manager: true, OnChain: true}, "bob": {OnChain: true}, "cid": {OnChain: true},
				"deep": {OnChain: true}, "stranger": {}, "olga": {OnChain: true},
				"owners": {Manager: true, OnChain: true},
			} {
				got, err := directory.AccessTo(t.Context(), s.db.Pool,
					activity.Principal{TenantID: s.tenant, PrincipalID: id(principal)}, id("thing"))
				if err != nil || got != want {
					t.Errorf("access of %s: got %+v, %v, want %+v", principal, got, err, want)
				}
			}
		})
	}
}
