package doctor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/migrations"
)

func exec(t testing.TB, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// TestDatabase changes one thing in a database at a time.
func TestDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql    string
		check  string
		status doctor.Status
		texts  []string
	}{
		"a newer schema": {
			`UPDATE fanfare.schema_version SET version = version + 1`,
			"postgres-schema", doctor.Warn,
			[]string{"with which this program works; it has migrations up to", "replace this program"},
		},
		"a schema that is too new": {
			`UPDATE fanfare.schema_version SET version = version + 2, oldest_program = version + 1`,
			"postgres-schema", doctor.Fail,
			[]string{"which requires a program with the migrations up to", "replace this program"},
		},
		"no partition for next month": {
			`DO $$ BEGIN
			     EXECUTE format('DROP TABLE fanfare.%I',
			         to_char(now() AT TIME ZONE 'UTC' + interval '1 month', '"activities_y"YYYY"m"MM'));
			 END $$`,
			"postgres-partitions", doctor.Fail,
			[]string{"no partitions activities_y", "fanfare worker", "fanfare.ensure_partitions()"},
		},
		"a detached partition": {
			`DO $$ BEGIN
			     EXECUTE format('ALTER TABLE fanfare.activities DETACH PARTITION fanfare.%I',
			         to_char(now() AT TIME ZONE 'UTC', '"activities_y"YYYY"m"MM'));
			 END $$`,
			"postgres-partitions", doctor.Fail,
			[]string{"no partitions activities_y"},
		},
		"activities in the default partition": {
			`INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
			     occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
			     delivery_channels, payload)
			 VALUES (fanfare.uuidv7_floor('2020-01-01'), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
			     gen_random_uuid(), now(), now(), 'signal', 'signal.created', 'resource', 'success', 'info', '',
			     '{}', '{}')`,
			"postgres-partitions", doctor.Warn,
			[]string{"default partition holds activities", "ensure_partitions"},
		},
		"no table of the directory": {
			`DROP TABLE fanfare.role_bindings`,
			"postgres-directory", doctor.Fail,
			[]string{
				"fanfare.role_bindings does not exist",
				"tenant_id, principal_id, scope_resource_id, role_name, revoked_at",
			},
		},
		"a view without a column": {
			`ALTER TABLE fanfare.resources RENAME TO things;
			 CREATE VIEW fanfare.resources AS SELECT id, tenant_id, parent_id, type, name FROM fanfare.things;
			 GRANT SELECT ON fanfare.resources TO fanfare_directory`,
			"postgres-directory", doctor.Fail,
			[]string{
				"fanfare.resources has no column owner_principal_id", "add the column owner_principal_id of type uuid",
			},
		},
		"a view with a column of another type": {
			`ALTER TABLE fanfare.principals RENAME TO people;
			 CREATE VIEW fanfare.principals AS 
			     SELECT id::text AS id, tenant_id, kind::varchar(20) AS kind, display_name, active FROM fanfare.people;
			 GRANT SELECT ON fanfare.principals TO fanfare_directory`,
			"postgres-directory", doctor.Fail,
			[]string{"fanfare.principals.id has the type text", "change its type to uuid"},
		},
		"a view that fails": {
			`DROP TABLE fanfare.role_bindings;
			 CREATE VIEW fanfare.role_bindings AS 
			     SELECT gen_random_uuid() AS tenant_id, gen_random_uuid() AS principal_id,
			         gen_random_uuid() AS scope_resource_id, (1 / (random() * 0)::int)::text AS role_name,
			         NULL::timestamptz AS revoked_at;
			 GRANT SELECT ON fanfare.role_bindings TO fanfare_directory`,
			"postgres-directory", doctor.Fail,
			[]string{"fanfare.role_bindings cannot be read", "division by zero", "correct the view"},
		},
		"no index": {
			`DROP INDEX fanfare.role_bindings_principal`,
			"postgres-indexes", doctor.Warn,
			[]string{"in fanfare.role_bindings by principal_id", "(tenant_id, principal_id, scope_resource_id)"},
		},
		"a view on a table without an index": {
			`DROP TABLE fanfare.resources;
			 CREATE TABLE public.things (thing uuid, org uuid, folder uuid, boss uuid, what text, label text);
			 CREATE INDEX ON public.things (org);
			 CREATE VIEW fanfare.resources AS
			     SELECT thing AS id, org AS tenant_id, folder AS parent_id, boss AS owner_principal_id, what AS type,
			         label AS name FROM public.things;
			 GRANT SELECT ON fanfare.resources TO fanfare_directory`,
			"postgres-indexes", doctor.Warn,
			[]string{"in fanfare.resources by id", "index the table behind fanfare.resources on (tenant_id, id)"},
		},
		"PUBLIC can record": {
			`GRANT EXECUTE ON FUNCTION fanfare.record_activity TO PUBLIC`,
			"postgres-public", doctor.Fail,
			[]string{"REVOKE ALL ON FUNCTION fanfare.record_activity(jsonb) FROM PUBLIC;"},
		},
		"PUBLIC can read the log": {
			`GRANT SELECT ON fanfare.activities TO PUBLIC`,
			"postgres-public", doctor.Fail,
			[]string{"REVOKE ALL ON TABLE fanfare.activities FROM PUBLIC;"},
		},
		"services cannot record": {
			`REVOKE EXECUTE ON FUNCTION fanfare.refuse_envelope FROM fanfare_writer`,
			"postgres-owners", doctor.Fail,
			[]string{"in 1 places", "GRANT EXECUTE ON FUNCTION fanfare.refuse_envelope", "fanfare migrate repair"},
		},
		"retention without its owner": {
			`ALTER FUNCTION fanfare.purge_activities OWNER TO CURRENT_USER`,
			"postgres-owners", doctor.Fail,
			[]string{"ALTER FUNCTION fanfare.purge_activities", "OWNER TO fanfare_retention", "fanfare migrate repair"},
		},
		"a view that the role of the directory may not read": {
			`CREATE TABLE public.things AS SELECT * FROM fanfare.resources;
			 DROP TABLE fanfare.resources;
			 CREATE VIEW fanfare.resources WITH (security_invoker) AS SELECT * FROM public.things;
			 CREATE INDEX ON public.things (tenant_id, id);
			 GRANT SELECT ON fanfare.resources TO fanfare_directory`,
			"postgres-directory", doctor.Fail,
			[]string{"fanfare_directory, which reads the directory, cannot: permission denied for table things"},
		},
		"a dead letter": {
			`INSERT INTO fanfare.dead_letters
			     (activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, error)
			 VALUES (gen_random_uuid(), 1, 1, gen_random_uuid(), gen_random_uuid(), now(), 1, 'no')`,
			"postgres-backlog", doctor.Warn,
			[]string{"1 dead letters", "fanfare outbox dead", "fanfare outbox replay"},
		},
		"no worker runs": {
			`INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
			 VALUES (1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now() - interval '1 hour')`,
			"postgres-backlog", doctor.Warn,
			[]string{"1 activities are pending, the oldest for 1h", "run fanfare worker"},
		},
		"an activity keeps failing": {
			`INSERT INTO fanfare.parked
			     (lane, seq, activity_id, tenant_id, resource_id, recorded_at, attempts, retry_at)
			 VALUES (1, 1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now(), 3, now())`,
			"postgres-backlog", doctor.Warn,
			[]string{"(1 failed, ", "worker's log"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			exec(t, db.Pool, c.sql)
			examine(t, onDatabase(t, db)).wantOnly(t, c.check, c.status, c.texts...)
		})
	}
}

func TestOldSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn, err := db.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status, err := migrations.Read(t.Context(), conn.Conn())
	if err == nil {
		err = migrations.Down(t.Context(), conn.Conn(), status.Latest-1, nil)
	}
	conn.Release()
	if err != nil {
		t.Fatal(err)
	}
	report := examine(t, onDatabase(t, db))
	report.wantOnly(t, "postgres-schema", doctor.Fail, "fanfare migrate up")
	if got, want := report.diagnostic(t, "postgres-rights").Detail, "skipped: see postgres-schema"; got != want {
		t.Errorf("a check that requires the schema: got %q, want %q", got, want)
	}
}

func TestNoSchema(t *testing.T) {
	t.Parallel()
	examine(t, onDatabase(t, pgtest.NewEmpty(t))).wantOnly(
		t, "postgres-schema", doctor.Fail, "no schema", "fanfare migrate up",
	)
}

// TestDirectoryOfViews defines the directory as views on tables of an application, with other types
// and with indexes.
func TestDirectoryOfViews(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	exec(t, db.Pool, `
		CREATE TABLE people (person uuid PRIMARY KEY, org uuid NOT NULL, name varchar(80) NOT NULL);
		CREATE TABLE things (
			thing uuid PRIMARY KEY, org uuid NOT NULL, folder uuid, boss uuid,
			what varchar(40) NOT NULL, label varchar(80)
		);
		CREATE TABLE grants (org uuid, who uuid, thing uuid, role varchar(20));
		CREATE INDEX ON grants (thing);
		CREATE INDEX ON grants (who);
		DROP TABLE fanfare.principals, fanfare.resources, fanfare.role_bindings;
		CREATE VIEW fanfare.principals AS
			SELECT person AS id, org AS tenant_id, 'user' AS kind, name AS display_name, true AS active FROM people;
		CREATE VIEW fanfare.resources AS
			SELECT thing AS id, org AS tenant_id, folder AS parent_id, boss AS owner_principal_id, what AS type,
				label AS name FROM things;
		CREATE VIEW fanfare.role_bindings AS
			SELECT org AS tenant_id, who AS principal_id, thing AS scope_resource_id, role AS role_name,
				NULL::timestamptz AS revoked_at FROM grants;
		GRANT SELECT ON fanfare.principals, fanfare.resources, fanfare.role_bindings TO fanfare_directory`)
	examine(t, onDatabase(t, db)).wantOnly(t, "postgres-indexes", doctor.OK)
}

// TestDirectoryOfOtherIds defines the directory as views on tables whose ids are no UUIDs, with
// indexes of the expressions.
func TestDirectoryOfOtherIds(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	exec(t, db.Pool, `
		CREATE TABLE people (id bigint PRIMARY KEY, org bigint NOT NULL, name text NOT NULL);
		CREATE TABLE boats (id text PRIMARY KEY, org bigint NOT NULL, skipper bigint, name text NOT NULL);
		CREATE TABLE crew (boat text REFERENCES boats, person bigint REFERENCES people, job text);
		CREATE INDEX ON people (fanfare.id_of('org', org::text), fanfare.id_of('person', id::text));
		CREATE INDEX ON boats ((md5('boat' || id)::uuid));
		CREATE INDEX ON crew ((md5('boat' || boat)::uuid));
		CREATE INDEX ON crew (fanfare.id_of('person', person::text));
		DROP TABLE fanfare.principals, fanfare.resources, fanfare.role_bindings;
		CREATE VIEW fanfare.principals AS
			SELECT fanfare.id_of('person', id::text) AS id, fanfare.id_of('org', org::text) AS tenant_id,
				'user' AS kind, name AS display_name, true AS active FROM people;
		CREATE VIEW fanfare.resources AS
			SELECT md5('boat' || id)::uuid AS id, fanfare.id_of('org', org::text) AS tenant_id,
				NULL::uuid AS parent_id, fanfare.id_of('person', skipper::text) AS owner_principal_id,
				'boat' AS type, name FROM boats;
		CREATE VIEW fanfare.role_bindings AS
			SELECT fanfare.id_of('org', b.org::text) AS tenant_id,
				fanfare.id_of('person', c.person::text) AS principal_id,
				md5('boat' || c.boat)::uuid AS scope_resource_id, c.job AS role_name,
				NULL::timestamptz AS revoked_at FROM crew AS c JOIN boats AS b ON b.id = c.boat;
		GRANT SELECT ON fanfare.principals, fanfare.resources, fanfare.role_bindings TO fanfare_directory`)
	examine(t, onDatabase(t, db)).wantOnly(t, "postgres-indexes", doctor.OK)
	exec(t, db.Pool, `DROP INDEX crew_id_of_idx`)
	examine(t, onDatabase(t, db)).wantOnly(
		t, "postgres-indexes", doctor.Warn, "no index serves lookups in fanfare.role_bindings by principal_id",
	)
}

// newRole creates a role and returns its name and a pool that uses it.
func newRole(t testing.TB, db *pgtest.DB) (string, *pgxpool.Pool) {
	t.Helper()
	role := db.Pool.Config().ConnConfig.Database + "_role"
	exec(t, db.Pool, `CREATE ROLE `+role)
	t.Cleanup(func() {
		for _, sql := range []string{`DROP OWNED BY ` + role, `DROP ROLE ` + role} {
			if _, err := db.Pool.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
	})
	return role, openPool(t, db.URL, map[string]string{"role": role})
}

// TestPrivileges applies the remedies of each report to a role without privileges until all checks
// pass.
func TestPrivileges(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	role, pool := newRole(t, db)
	o := onDatabase(t, db)
	o.Pool = pool

	report := examine(t, o)
	report.wantOnly(
		t,
		"postgres-schema",
		doctor.Fail,
		"permission denied for schema fanfare",
		"GRANT USAGE ON SCHEMA fanfare TO "+role,
	)
	exec(t, db.Pool, `GRANT USAGE ON SCHEMA fanfare TO `+role+`; GRANT SELECT ON fanfare.schema_version TO `+role)

	report = examine(t, o)
	privileges := report.diagnostic(t, "postgres-rights")
	if privileges.Status != doctor.Fail ||
		!strings.Contains(privileges.Remedy, "GRANT SELECT, INSERT, DELETE ON TABLE fanfare.outbox TO "+role+";") {
		t.Fatalf("got\n%s", report.text)
	}
	exec(t, db.Pool, privileges.Remedy)

	report = examine(t, o)
	report.wantOnly(
		t, "postgres-snapshots", doctor.OK, "to check those of other roles, GRANT pg_read_all_stats TO "+role,
	)
}

func TestDeliveringRole(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	role, pool := newRole(t, db)
	exec(t, db.Pool, `
		GRANT USAGE ON SCHEMA fanfare TO `+role+`;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fanfare TO `+role+`;
		GRANT SELECT ON ALL SEQUENCES IN SCHEMA fanfare TO `+role+`;
		GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA fanfare TO `+role+`;
		REVOKE UPDATE ON fanfare.preferences FROM `+role)
	o := onDatabase(t, db)
	o.Pool = pool
	examine(t, o).wantOnly(
		t, "postgres-rights", doctor.Warn, "can deliver", "GRANT UPDATE ON TABLE fanfare.preferences TO "+role+";",
	)
}

func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	o := onDatabase(t, db)
	o.Pool = openPool(t, db.URL, map[string]string{"default_transaction_read_only": "on"})
	examine(t, o).wantOnly(t, "postgres-writable", doctor.Fail, "read-only", "default_transaction_read_only")
}

func TestOpenTransactions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SELECT pg_current_xact_id()`); err != nil {
		t.Fatal(err)
	}
	o := onDatabase(t, db)
	o.LongTransaction = time.Nanosecond
	examine(t, o).wantOnly(
		t, "postgres-snapshots", doctor.Warn, "hold VACUUM back", "of postgres", "idle in transaction",
		"idle_in_transaction_session_timeout",
	)
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, c := range []struct {
		limit  string
		status doctor.Status
		text   string
	}{{"10", doctor.Fail, "PostgreSQL allows 10"}, {"11", doctor.OK, "up to 11"}} {
		exec(t, db.Pool, `ALTER DATABASE `+db.Pool.Config().ConnConfig.Database+` CONNECTION LIMIT `+c.limit)
		examine(t, onDatabase(t, db)).wantOnly(t, "postgres-connections", c.status, c.text)
	}
}

func TestDatabaseUnreachable(t *testing.T) {
	t.Parallel()
	server, db := pgtest.NewCluster(t)
	if err := server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	report := examine(t, onDatabase(t, db))
	report.wantOnly(t, "postgres-reachable", doctor.Fail, "start PostgreSQL, or correct --database-url")
	if got := report.diagnostic(t, "postgres-connections"); got.Status != doctor.Skipped ||
		got.Detail != "skipped: see postgres-reachable" {
		t.Errorf("a check that requires the database: got %s, %q", got.Status, got.Detail)
	}
}

func TestConnectionRejected(t *testing.T) {
	t.Parallel()
	_, db := pgtest.NewCluster(t) // it requires its password
	password := db.Pool.Config().ConnConfig.Password
	for url, want := range map[string]string{
		strings.Replace(db.URL, password, "hunter2", 1):                             "pg_hba.conf",
		strings.Replace(db.URL, db.Pool.Config().ConnConfig.Database, "nowhere", 1): "create the database",
	} {
		o := onDatabase(t, db)
		o.Pool = openPool(t, url, nil)
		examine(t, o).wantOnly(t, "postgres-reachable", doctor.Fail, want, "--database-url")
	}
}

// TestOddDirectory checks what the rows of the directory contain.
func TestOddDirectory(t *testing.T) {
	t.Parallel()
	const views = `
		DROP TABLE fanfare.principals, fanfare.resources, fanfare.role_bindings;
		CREATE TABLE p (id uuid, tenant_id uuid, kind text, display_name text, active boolean,
			PRIMARY KEY (tenant_id, id));
		CREATE TABLE r (id uuid, tenant_id uuid, parent_id uuid, owner_principal_id uuid, type text, name text,
			PRIMARY KEY (tenant_id, id));
		CREATE TABLE b (tenant_id uuid, principal_id uuid, scope_resource_id uuid, role_name text,
			revoked_at timestamptz);
		CREATE INDEX ON b (tenant_id, scope_resource_id, role_name, principal_id);
		CREATE INDEX ON b (tenant_id, principal_id, scope_resource_id);
		CREATE VIEW fanfare.principals AS SELECT * FROM p UNION ALL SELECT * FROM p WHERE display_name = 'twice';
		CREATE VIEW fanfare.resources AS SELECT * FROM r UNION ALL SELECT * FROM r WHERE name = 'twice';
		CREATE VIEW fanfare.role_bindings AS SELECT * FROM b;
		GRANT SELECT ON fanfare.principals, fanfare.resources, fanfare.role_bindings TO fanfare_directory;
		CREATE FUNCTION chain(length int) RETURNS void LANGUAGE sql AS $$
			INSERT INTO r SELECT md5(n::text)::uuid, md5('t')::uuid,
				CASE WHEN n > 0 THEN md5((n - 1)::text)::uuid END, NULL, 'folder', 'F'
			FROM generate_series(0, length) AS n
		$$;`
	for name, c := range map[string]struct {
		sql   string
		texts []string // none: nothing is found
	}{
		"ordinary": {`INSERT INTO p VALUES (md5('a')::uuid, md5('t')::uuid, 'user', repeat('é', 500), true);
			SELECT chain(128)`, nil},
		"a principal without texts": {
			`INSERT INTO p VALUES (md5('a')::uuid, md5('t')::uuid, NULL, NULL, NULL)`,
			[]string{"1 rows of fanfare.principals", "no kind or no display_name", "null in active"},
		},
		"a large name": {
			`INSERT INTO p VALUES (md5('a')::uuid, md5('t')::uuid, 'user', repeat('é', 501), true)`,
			[]string{"a display_name of more than 500"},
		},
		"a principal twice": {
			`INSERT INTO p VALUES (md5('a')::uuid, md5('t')::uuid, 'user', 'twice', true)`,
			[]string{"occur more than once"},
		},
		"a resource twice": {
			`INSERT INTO r VALUES (md5('a')::uuid, md5('t')::uuid, NULL, NULL, 'x', 'twice')`,
			[]string{"occur more than once"},
		},
		"a resource without a type": {
			`INSERT INTO r VALUES (md5('a')::uuid, md5('t')::uuid, NULL, NULL, NULL, NULL)`, []string{"have no type"},
		},
		"a role without a principal": {
			`INSERT INTO b VALUES (md5('t')::uuid, NULL, md5('a')::uuid, 'x', NULL)`,
			[]string{"1 rows of fanfare.role_bindings, such as 0cc175b9-c0f1-b6a8-31c3-99e269772661"},
		},
		"a deep tree": {`SELECT chain(131)`, []string{"3 rows of fanfare.resources", "more than 128 ancestors"}},
		"a cycle": {
			`INSERT INTO r VALUES (md5('a')::uuid, md5('t')::uuid, md5('b')::uuid, NULL, 'x', ''),
				(md5('b')::uuid, md5('t')::uuid, md5('a')::uuid, NULL, 'x', '')`,
			[]string{"2 rows of fanfare.resources", "cycle"},
		},
		"a resource of a group": {
			`INSERT INTO r VALUES (md5('a')::uuid, md5('t')::uuid, NULL, md5('g')::uuid, 'x', '');
			INSERT INTO fanfare.memberships VALUES (md5('t')::uuid, md5('g')::uuid, md5('p')::uuid)`,
			[]string{"1 rows of fanfare.resources", "belong to a group", "the role owner"},
		},
		"groups that nest": {
			`INSERT INTO fanfare.memberships
				SELECT md5('t')::uuid, md5('g' || n)::uuid, md5('g' || n + 1)::uuid FROM generate_series(1, 8) AS n`,
			nil,
		},
		"groups that nest too deep": {
			`INSERT INTO fanfare.memberships
				SELECT md5('t')::uuid, md5('g' || n)::uuid, md5('g' || n + 1)::uuid FROM generate_series(1, 9) AS n`,
			[]string{"1 rows of fanfare.memberships", "more than 8 deep"},
		},
		"a cycle of groups": {
			`INSERT INTO fanfare.memberships SELECT md5('t')::uuid, md5(a)::uuid, md5(b)::uuid
				FROM (VALUES ('a', 'b'), ('b', 'a'), ('b', 'c'), ('c', 'p'), ('d', 'p')) AS v(a, b)`,
			[]string{"3 rows of fanfare.memberships", "contain themselves"},
		},
		"odd memberships": {
			`DROP TABLE fanfare.memberships;
			CREATE TABLE m (tenant_id uuid, group_id uuid, principal_id uuid);
			CREATE INDEX ON m (tenant_id, group_id, principal_id);
			CREATE INDEX ON m (tenant_id, principal_id, group_id);
			CREATE VIEW fanfare.memberships AS SELECT * FROM m;
			GRANT SELECT ON fanfare.memberships TO fanfare_directory;
			INSERT INTO m SELECT md5('t')::uuid, md5(a)::uuid, md5(b)::uuid
				FROM (VALUES ('a', 'b'), ('a', 'b'), ('a', NULL), (NULL, 'b')) AS v(a, b)`,
			[]string{
				"2 rows of fanfare.memberships", "no tenant_id, group_id or principal_id",
				"1 rows of fanfare.memberships", "occur more than once",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			exec(t, db.Pool, views)
			exec(t, db.Pool, c.sql)
			status := doctor.Warn
			if c.texts == nil {
				status = doctor.OK
			}
			examine(t, onDatabase(t, db)).wantOnly(t, "postgres-directory-rows", status, c.texts...)
		})
	}
}
