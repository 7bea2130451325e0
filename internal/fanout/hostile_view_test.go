package fanout_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// attacks are what the views of hostileViews try. All must be refused.
var attacks = []string{
	`SELECT count(*) FROM fanfare.activities`,
	`SELECT count(*) FROM fanfare.notifications`,
	`SELECT count(*) FROM fanfare.service_tokens`,
	`INSERT INTO fanfare.dead_letters SELECT`,
	`DELETE FROM fanfare.outbox`,
	`UPDATE fanfare.subscriptions SET revoked_at = now()`,
	`INSERT INTO fanfare.preferences (tenant_id, principal_id) VALUES (gen_random_uuid(), gen_random_uuid())`,
	`SELECT fanfare.record_activity('{}')`,
	`SELECT fanfare.erase_activities(NULL, NULL, NULL, NULL)`,
	`SET ROLE fanfare_writer`,
	`SET ROLE postgres`,
	`RESET ROLE`,
	`RESET SESSION AUTHORIZATION`,
	`CREATE TABLE fanfare.mine (id int)`,
	`CREATE OR REPLACE FUNCTION fanfare.resource_entry() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
	`ALTER FUNCTION fanfare.members_of RENAME TO mine`,
	`SELECT pg_read_file('PG_VERSION')`,
	`ALTER ROLE CURRENT_USER SUPERUSER`,
}

// hostileViews replaces the directory by views of a role without rights, which call a function of
// that role. It tries $attacks and counts in sequences, which no rollback undoes. Then it changes
// what the session would do next, which is permitted and must not last: with this search_path, a
// statement of another role would call evil.equal with the rights of that role.
const hostileViews = `
DROP TABLE fanfare.principals, fanfare.resources, fanfare.role_bindings, fanfare.memberships;
CREATE SCHEMA evil;
CREATE SEQUENCE evil.refused;
CREATE SEQUENCE evil.succeeded;
CREATE SEQUENCE evil.hijacked;
CREATE TABLE evil.loot (what text);
GRANT USAGE ON SCHEMA evil TO PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC;
GRANT ALL ON ALL SEQUENCES IN SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.equal(a uuid, b uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_user OPERATOR(pg_catalog.<>) 'fanfare_directory' THEN
        PERFORM pg_catalog.nextval('evil.hijacked');
    END IF;
    RETURN pg_catalog.uuid_eq(a, b);
END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.equal, LEFTARG = uuid, RIGHTARG = uuid);
CREATE FUNCTION evil.attack() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    attack text;
BEGIN
    FOREACH attack IN ARRAY ARRAY[$attacks] LOOP
        BEGIN
            EXECUTE attack;
            PERFORM nextval('evil.succeeded');
        EXCEPTION WHEN OTHERS THEN
            PERFORM nextval('evil.refused');
        END;
    END LOOP;
    INSERT INTO evil.loot VALUES ('read');
    CREATE TEMP TABLE IF NOT EXISTS pg_class (oid oid);
    PERFORM set_config('search_path', 'evil, pg_catalog', false), set_config('DateStyle', 'SQL, DMY', false);
    RETURN true;
END $$;
CREATE VIEW fanfare.principals AS
    SELECT md5(p)::uuid AS id, md5('tenant')::uuid AS tenant_id, 'user' AS kind, p AS display_name, true AS active
    FROM unnest('{viewer,owner,member,stranger}'::text[]) AS p WHERE evil.attack();
CREATE VIEW fanfare.resources AS
    SELECT md5('thing')::uuid AS id, md5('tenant')::uuid AS tenant_id, NULL::uuid AS parent_id,
           md5('owner')::uuid AS owner_principal_id, 'thing' AS type, 'The thing' AS name WHERE evil.attack();
CREATE VIEW fanfare.role_bindings AS
    SELECT md5('tenant')::uuid AS tenant_id, md5(p)::uuid AS principal_id, md5('thing')::uuid AS scope_resource_id,
           'viewer' AS role_name, NULL::timestamptz AS revoked_at FROM unnest('{viewer,group}'::text[]) AS p
    WHERE evil.attack();
CREATE VIEW fanfare.memberships AS
    SELECT md5('tenant')::uuid AS tenant_id, md5('group')::uuid AS group_id, md5('member')::uuid AS principal_id
    WHERE evil.attack();
GRANT SELECT ON fanfare.principals, fanfare.resources, fanfare.role_bindings, fanfare.memberships
    TO fanfare_directory;
INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
SELECT md5('tenant')::uuid, md5(p)::uuid, md5('thing')::uuid FROM unnest('{viewer,group,stranger}'::text[]) AS p;`

// TestHostileViews records, delivers and reads with a directory that attacks its readers. The
// attacks fail, and all else is as without them.
func TestHostileViews(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t)
	s := newStageWith(t, server, fanout.Options{})
	list := "$a$" + strings.Join(attacks, "$a$, $a$") + "$a$"
	s.exec(strings.Replace(hostileViews, "$attacks", list, 1))
	id := func(name string) (id uuid.UUID) {
		if err := s.db.Pool.QueryRow(t.Context(), `SELECT md5($1)::uuid`, name).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	s.tenant = id("tenant")
	var recorded outbox.Recorded
	role := s.db.Pool.Config().ConnConfig.Database + "_service"
	s.exec(`CREATE ROLE ` + role)
	t.Cleanup(func() {
		if _, err := s.db.Pool.Exec(context.Background(), `DROP ROLE `+role); err != nil {
			t.Error(err)
		}
	})
	s.exec(`GRANT fanfare_writer TO ` + role)
	err := pgx.BeginFunc(t.Context(), s.db.Pool, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(t.Context(), `SET LOCAL ROLE `+role); err != nil {
			return err
		}
		recorded, err = outbox.Record(t.Context(), tx, activity.Envelope{
			TenantID: s.tenant, ActorPrincipalID: id("actor"), ResourceID: id("thing"), ResourceType: "thing",
			Action: "thing.updated",
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	waittest.Query(t, s.db.Pool, "the outbox is empty", `SELECT NOT EXISTS (SELECT FROM fanfare.outbox)
		AND NOT EXISTS (SELECT FROM fanfare.parked)`)
	s.wantInbox(t, recorded.ID, map[uuid.UUID]watchers.Reasons{
		id("viewer"): watchers.Subscribed, id("member"): watchers.Subscribed, id("owner"): watchers.Owner,
	})

	conn, err := s.db.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	member := activity.Principal{TenantID: s.tenant, PrincipalID: id("member")}
	if with, err := directory.HasRole(t.Context(), conn, member, id("thing")); err != nil || !with {
		t.Errorf("the member's role: got %t, %v, want true", with, err)
	}
	if active, err := directory.IsActive(t.Context(), conn, member); err != nil || !active {
		t.Errorf("the member: got active %t, %v, want true", active, err)
	}
	if types, err := directory.ResourceTypes(t.Context(), conn, s.tenant, []uuid.UUID{id("thing")}); err != nil ||
		types[id("thing")] != "thing" {
		t.Errorf("types: got %v, %v", types, err)
	}
	if named, err := directory.NameActors(t.Context(), conn, []activity.Principal{member}); err != nil ||
		named[member].DisplayName != "member" {
		t.Errorf("names: got %v, %v", named, err)
	}
	if groups, err := directory.GroupsAmong(t.Context(), conn, s.tenant, []uuid.UUID{id("group")}); err != nil ||
		len(groups) != 1 {
		t.Errorf("groups: got %v, %v", groups, err)
	}
	watching, _, err := watchers.List(t.Context(), conn, s.tenant, id("thing"), subscriptions.Page{})
	if err != nil || len(watching) != 4 {
		t.Errorf("watchers: got %v, %v, want the viewer, the member, the stranger and the owner", watching, err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT * FROM fanfare.grounds($1, ARRAY[$2::uuid], $3, NULL, 8, 8)`,
		s.tenant, member.PrincipalID, id("thing")); err != nil {
		t.Errorf("grounds: %v", err)
	}
	var path, style string
	var refused, succeeded, hijacked, loot int
	var temporary bool
	if err := conn.QueryRow(t.Context(), `
		SELECT current_setting('search_path'), current_setting('DateStyle'),
		       (SELECT last_value FROM evil.refused),
		       (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM evil.succeeded),
		       (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM evil.hijacked),
		       (SELECT count(*) FROM evil.loot), pg_my_temp_schema() <> 0 AND EXISTS (
		           SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = pg_my_temp_schema())`).
		Scan(&path, &style, &refused, &succeeded, &hijacked, &loot, &temporary); err != nil {
		t.Fatal(err)
	}
	if refused < 10*len(attacks) || succeeded > 0 || hijacked > 0 || loot > 0 || temporary {
		t.Errorf("got %d attacks refused, %d succeeded, %d operators of other roles hijacked, %d rows and temporary "+
			"tables %t, want all refused and nothing left", refused, succeeded, hijacked, loot, temporary)
	}
	if strings.Contains(path, "evil") || strings.Contains(style, "DMY") {
		t.Errorf("the session's settings: got search_path %s and DateStyle %s, want the former", path, style)
	}
}
