package migrations_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/migrations"
)

const envelope = `{
	"tenant_id": "11111111-1111-4111-8111-111111111111",
	"actor_principal_id": "22222222-2222-4222-8222-222222222222",
	"resource_id": "33333333-3333-4333-8333-333333333333",
	"resource_type": "signal",
	"action": "signal.created"
}`

// TestViewsReplaceTheDirectory replaces the tables of the directory by views of an application's
// tables.
func TestViewsReplaceTheDirectory(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	exec(t, conn, `
		CREATE TABLE people (person uuid PRIMARY KEY, org uuid NOT NULL, name varchar(80) NOT NULL);
		CREATE TABLE documents (
			document uuid PRIMARY KEY, org uuid NOT NULL, folder uuid, author uuid,
			format varchar(40) NOT NULL, label varchar(80)
		);
		CREATE TABLE grants (org uuid, person uuid, document uuid, role varchar(20));
		INSERT INTO documents VALUES (
			'33333333-3333-4333-8333-333333333333', '11111111-1111-4111-8111-111111111111',
			'44444444-4444-4444-8444-444444444444', '55555555-5555-4555-8555-555555555555',
			'signal', 'Momentum 12'
		);
		DROP TABLE fanfare.principals, fanfare.resources, fanfare.role_bindings;
		CREATE VIEW fanfare.principals AS
			SELECT person AS id, org AS tenant_id, 'user' AS kind, name AS display_name, true AS active
			FROM people;
		CREATE VIEW fanfare.resources AS
			SELECT document AS id, org AS tenant_id, folder AS parent_id, author AS owner_principal_id,
			       format AS type, label AS name
			FROM documents;
		CREATE MATERIALIZED VIEW fanfare.role_bindings AS
			SELECT org AS tenant_id, person AS principal_id, document AS scope_resource_id,
			       role AS role_name, NULL::timestamptz AS revoked_at
			FROM grants`)
	if got := sqlState(conn, `SELECT fanfare.record_activity($1)`, envelope); got != "42501" {
		t.Errorf("recording before the repair: got SQLSTATE %q, want 42501", got)
	}
	if _, err := migrations.Repair(t.Context(), conn, ""); err != nil {
		t.Fatal(err)
	}
	id := query[string](t, conn, `SELECT fanfare.record_activity($1)::text`, envelope)
	got := query[string](t, conn, `
		SELECT concat_ws(' ', owner_id, parent_id, resource_name) FROM fanfare.activities WHERE id = $1`, id)
	if want := "55555555-5555-4555-8555-555555555555 44444444-4444-4444-8444-444444444444 Momentum 12"; got != want {
		t.Errorf("owner, parent and name from the views: got %q, want %q", got, want)
	}
	if err := migrations.Down(t.Context(), conn, 0, nil); err != nil {
		t.Fatal(err)
	}
	if got := query[int](t, conn, `SELECT count(*)::int FROM documents`); got != 1 {
		t.Errorf("the application's rows after down: got %d, want 1", got)
	}
}

func TestDownWithoutADirectory(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	exec(t, conn, `DROP TABLE fanfare.role_bindings`)
	if err := migrations.Down(t.Context(), conn, 0, nil); err != nil {
		t.Errorf("down where a table of the directory is missing: got %v, want no error", err)
	}
}

// TestInsertingSubscriptionsNeedsInsertOnly inserts subscriptions, preferences and levels as a role
// that has no other privilege.
func TestInsertingSubscriptionsNeedsInsertOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn := connect(t, db.URL)
	role := newRole(t, conn)
	exec(t, conn, `GRANT USAGE ON SCHEMA fanfare TO `+role)
	exec(t, conn, `
		GRANT INSERT ON fanfare.subscriptions, fanfare.preferences, fanfare.tenant_preferences, fanfare.watch_levels
		TO `+role)
	exec(t, conn, `SET ROLE `+role)
	exec(t, conn, `
		INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
		SELECT '11111111-1111-4111-8111-111111111111', gen_random_uuid(), gen_random_uuid()
		FROM generate_series(1, 100)`)
	exec(t, conn, `
		INSERT INTO fanfare.preferences (tenant_id, principal_id)
		VALUES (gen_random_uuid(), gen_random_uuid())`)
	exec(t, conn, `INSERT INTO fanfare.tenant_preferences (tenant_id, muted) VALUES (gen_random_uuid(), false)`)
	exec(t, conn, `
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level)
		VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'ignore')`)
}
