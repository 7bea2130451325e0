package migrations_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/migrations"
)

// TestTwoInstallationsAreClosed migrates two databases of one cluster: a service of one may not
// record in the other.
func TestTwoInstallationsAreClosed(t *testing.T) {
	t.Parallel()
	first, second := connect(t, empty(t).URL), connect(t, pgtest.NewEmpty(t).URL)
	if err := migrations.Apply(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Apply(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	role := newRole(t, second)
	exec(t, second, `GRANT `+query[string](t, first, `SELECT quote_ident(fanfare.role_of_writers())`)+` TO `+role)
	exec(t, second, `SET ROLE `+role)
	if got := sqlState(second, `SELECT fanfare.record_activity($1)`, envelope); got != "42501" {
		t.Errorf("recording by a service of another database: got SQLSTATE %q, want 42501", got)
	}
	exec(t, second, `RESET ROLE`)
	if got := query[bool](t, second, `
		SELECT bool_and(pg_get_userbyid(p.proowner) = fanfare.role_of_directory())
		   AND fanfare.role_of_directory() <> 'fanfare_directory'
		   AND NOT has_table_privilege('fanfare_directory', 'fanfare.resources', 'SELECT')
		FROM pg_proc AS p
		WHERE p.pronamespace = 'fanfare'::regnamespace
		  AND p.proname IN ('candidates', 'tree_above', 'grounds')`); !got {
		t.Error("the directory of the second database is not read by a role of its own")
	}
	id := query[string](t, second, `SELECT fanfare.record_activity($1)::text`, envelope)
	if got := query[bool](t, second, `SELECT EXISTS (SELECT FROM fanfare.activities WHERE id = $1)`, id); !got {
		t.Errorf("recording in the second database: got no activity %s", id)
	}
}

// TestRepair breaks owners and grants as pg_restore --no-owner --no-acl does.
func TestRepair(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	want := describe(t, conn, true)
	exec(t, conn, `
		ALTER FUNCTION fanfare.purge_activities OWNER TO CURRENT_USER;
		ALTER FUNCTION fanfare.erase_activities OWNER TO CURRENT_USER;
		GRANT EXECUTE ON FUNCTION fanfare.redact_activities TO PUBLIC;
		REVOKE ALL ON FUNCTION fanfare.record_activity FROM fanfare_writer;
		REVOKE ALL ON fanfare.activities FROM fanfare_retention`)
	wrong, err := migrations.WrongRights(t.Context(), conn)
	if err != nil || len(wrong) == 0 {
		t.Fatalf("wrong rights: got %q, %v, want some", wrong, err)
	}
	if _, err := migrations.Repair(t.Context(), conn, ""); err != nil {
		t.Fatal(err)
	}
	wrong, err = migrations.WrongRights(t.Context(), conn)
	if err != nil || len(wrong) > 0 {
		t.Errorf("after repair: got %q, %v, want none", wrong, err)
	}
	if got := describe(t, conn, false); len(got) != len(want) {
		t.Errorf("objects after repair: got %d, want %d", len(got), len(want))
	}
	if done, err := migrations.Repair(t.Context(), conn, ""); err != nil || len(done) > 0 {
		t.Errorf("a second repair: got %q, %v, want nothing to do", done, err)
	}
}

// TestEveryTableHasAKey publishes all tables, which requires a key for updates and deletions.
func TestEveryTableHasAKey(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	exec(t, conn, `CREATE PUBLICATION everything FOR ALL TABLES`)
	exec(t, conn, `
		INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'viewer')`)
	exec(t, conn, `UPDATE fanfare.role_bindings SET revoked_at = now()`)
	without := query[[]string](t, conn, `
		SELECT coalesce(array_agg(c.relname::text), '{}') FROM pg_class AS c
		WHERE c.relnamespace = 'fanfare'::regnamespace AND c.relkind IN ('r', 'p')
		  AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)`)
	if len(without) > 0 {
		t.Errorf("tables without a key: got %q, want none", without)
	}
}

func TestIDOf(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	for _, external := range []string{"", "org_2x", "ä€😀", strings.Repeat("0123456789", 12)} {
		got := query[uuid.UUID](t, conn, `SELECT fanfare.id_of('org', $1)`, external)
		if want := activity.IDOf("org", external); got != want {
			t.Errorf("%q: got %s, want %s", external, got, want)
		}
	}
	if got := sqlState(conn, `SELECT fanfare.id_of('a:b', 'c')`); got != "22023" {
		t.Errorf("a kind with a colon: got SQLSTATE %q, want 22023", got)
	}
}
