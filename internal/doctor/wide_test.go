package doctor_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestOneWideResource gives one project most of a tenant's members, in tables of an application
// with an index by project and one by person. The remedies of the report mend the plans.
func TestOneWideResource(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	o := onDatabase(t, db)
	tenant, wide := uuid.NewString(), uuid.NewString()
	exec(t, db.Pool, `
		CREATE TABLE members (org uuid, project uuid, person uuid, role varchar(20));
		INSERT INTO members SELECT '`+tenant+`', '`+wide+`', gen_random_uuid(), 'owner' FROM generate_series(1, 60000);
		INSERT INTO members SELECT '`+tenant+`', gen_random_uuid(), gen_random_uuid(), 'viewer'
			FROM generate_series(1, 3);
		CREATE INDEX ON members (org, project);
		CREATE INDEX ON members (org, person, project, role);
		DROP TABLE fanfare.role_bindings;
		CREATE VIEW fanfare.role_bindings AS
			SELECT org AS tenant_id, person AS principal_id, project AS scope_resource_id, role AS role_name,
				NULL::timestamptz AS revoked_at FROM members;
		GRANT SELECT ON fanfare.role_bindings TO fanfare_directory;
		-- A vacuum would make another plan cheaper, and change which tables the report names.
		ALTER TABLE fanfare.subscriptions SET (autovacuum_enabled = off);
		ALTER TABLE fanfare.subscriptions ALTER COLUMN resource_id RESET (n_distinct);
		INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
			SELECT '`+tenant+`', gen_random_uuid(), '`+wide+`' FROM generate_series(1, 60000);
		ANALYZE fanfare.subscriptions`)
	exec(t, db.Pool, `VACUUM ANALYZE members`)
	report := examine(t, o)
	report.wantOnly(t, "postgres-plans", doctor.Warn, "fanfare.role_bindings by scope_resource_id",
		`ALTER TABLE "public"."members" ALTER COLUMN project SET (n_distinct = -1);`,
		`ALTER TABLE "fanfare"."subscriptions" ALTER COLUMN resource_id SET (n_distinct = -1);`)
	remedy := report.diagnostic(t, "postgres-plans").Remedy
	for _, sql := range regexp.MustCompile(`(?:ALTER TABLE|ANALYZE) [^;]*`).FindAllString(remedy, -1) {
		exec(t, db.Pool, sql)
	}
	examine(t, o).wantOnly(t, "postgres-plans", doctor.OK)

	exec(t, db.Pool, `DROP INDEX members_org_project_idx`)
	got := examine(t, o).diagnostic(t, "postgres-plans")
	if got.Status == doctor.OK || !strings.Contains(got.Detail, "postgres-indexes") &&
		!strings.Contains(got.Detail, "role_bindings") {
		t.Errorf("without the index: got %+v, want a warning", got)
	}
}
