package migrations_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/migrations"
)

const anEnvelope = `{
	"tenant_id": "11111111-1111-4111-8111-111111111111",
	"actor_principal_id": "22222222-2222-4222-8222-222222222222",
	"resource_id": "33333333-3333-4333-8333-333333333333",
	"resource_type": "signal",
	"action": "signal.created"
}`

// TestViewsInPlaceOfTheDirectory has an application with tables of its own put views of them in
// place of Fanfare's.
func TestViewsInPlaceOfTheDirectory(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	exec(t, conn, `
		CREATE TABLE people (person uuid PRIMARY KEY, org uuid NOT NULL, name varchar(80) NOT NULL);
		CREATE TABLE things (thing uuid PRIMARY KEY, org uuid NOT NULL, folder uuid, boss uuid, what varchar(40) NOT NULL, label varchar(80));
		CREATE TABLE grants (org uuid, who uuid, thing uuid, role varchar(20));
		INSERT INTO things VALUES ('33333333-3333-4333-8333-333333333333', '11111111-1111-4111-8111-111111111111',
			'44444444-4444-4444-8444-444444444444', '55555555-5555-4555-8555-555555555555', 'signal', 'Momentum 12');
		DROP TABLE fanfare.principals, fanfare.resources, fanfare.role_bindings;
		CREATE VIEW fanfare.principals AS SELECT person AS id, org AS tenant_id, 'user' AS kind, name AS display_name, true AS active FROM people;
		CREATE VIEW fanfare.resources AS SELECT thing AS id, org AS tenant_id, folder AS parent_id, boss AS owner_principal_id, what AS type, label AS name FROM things;
		CREATE MATERIALIZED VIEW fanfare.role_bindings AS
			SELECT org AS tenant_id, who AS principal_id, thing AS scope_resource_id, role AS role_name, NULL::timestamptz AS revoked_at FROM grants`)
	id := query[string](t, conn, `SELECT fanfare.record_activity($1)::text`, anEnvelope)
	got := query[string](
		t,
		conn,
		`SELECT concat_ws(' ', owner_id, parent_id, resource_name) FROM fanfare.activities WHERE id = $1`,
		id,
	)
	if want := "55555555-5555-4555-8555-555555555555 44444444-4444-4444-8444-444444444444 Momentum 12"; got != want {
		t.Errorf("owner, parent and name from the views: got %q, want %q", got, want)
	}
	if err := migrations.Down(t.Context(), conn, 0, nil); err != nil {
		t.Fatal(err)
	}
	if got := query[int](t, conn, `SELECT count(*)::int FROM things`); got != 1 {
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

// TestAnApplicationLoadsSubscriptions checks that a role with INSERT on the two tables that it may
// load needs nothing else.
func TestAnApplicationLoadsSubscriptions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn := connect(t, db.URL)
	role := newRole(t, conn)
	exec(t, conn, `GRANT USAGE ON SCHEMA fanfare TO `+role)
	exec(t, conn, `GRANT INSERT ON fanfare.subscriptions, fanfare.preferences TO `+role)
	exec(t, conn, `SET ROLE `+role)
	exec(t, conn, `INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
		SELECT '11111111-1111-4111-8111-111111111111', gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 100)`)
	exec(
		t,
		conn,
		`INSERT INTO fanfare.preferences (tenant_id, principal_id) VALUES (gen_random_uuid(), gen_random_uuid())`,
	)
}
