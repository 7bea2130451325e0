package tenantmove_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// fill adds rows of the tenant $1 to every table, more than a chunk to most. $2 scales the numbers.
var fill = []string{
	`INSERT INTO fanfare.principals (tenant_id, id, kind, display_name, active)
	 SELECT $1, gen_random_uuid(), 'user', 'Ada ' || n || E'\n"é', n % 7 <> 0
	 FROM generate_series(1, 60 * $2::int) AS n`,
	`INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type, name)
	 SELECT $1, gen_random_uuid(), nullif(p.id, p.id), p.id, 'project', 'R ' || p.display_name
	 FROM fanfare.principals AS p WHERE p.tenant_id = $1 AND $2::int > 0`,
	`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name, revoked_at)
	 SELECT $1, p.id, r.id, 'viewer', CASE WHEN n = 2 THEN now() END
	 FROM (SELECT id, row_number() OVER () AS k FROM fanfare.principals WHERE tenant_id = $1) AS p
	 JOIN (SELECT id, row_number() OVER () AS k FROM fanfare.resources WHERE tenant_id = $1) AS r USING (k),
	      generate_series(1, 3) AS n WHERE $2::int > 0`,
	`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id)
	 SELECT $1, fanfare.id_of('group', (n % 5)::text), fanfare.id_of('p', n::text)
	 FROM generate_series(1, 5 * $2::int) AS n`,
	`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope, revoked_at)
	 SELECT $1, p.id, r.id, s.scope, CASE WHEN r.k % 3 = 0 THEN now() END
	 FROM (SELECT id, row_number() OVER () AS k FROM fanfare.principals WHERE tenant_id = $1) AS p
	 JOIN (SELECT id, row_number() OVER () AS k FROM fanfare.resources WHERE tenant_id = $1) AS r USING (k),
	      (VALUES ('resource'), ('descendants')) AS s(scope) WHERE $2::int > 0`,
	`INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode, custom_actions, muted_actors)
	 SELECT $1, id, 'custom', ARRAY['project.*', 'a"b'], ARRAY[id] FROM fanfare.principals
	 WHERE tenant_id = $1 AND $2::int > 0`,
	`INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level, patterns)
	 SELECT $1, owner_principal_id, id, 'custom', '{x.*}' FROM fanfare.resources WHERE tenant_id = $1 AND $2::int > 0`,
	`INSERT INTO fanfare.tenant_preferences (tenant_id, filter_mode) SELECT $1, 'all' WHERE $2::int > 0`,
	`INSERT INTO fanfare.enforcement (tenant_id, mode) SELECT $1, 'warn' WHERE $2::int > 0`,
	`INSERT INTO fanfare.retention (tenant_id, max_entries, inbox_days) SELECT $1, 100, 1 WHERE $2::int > 0`,
	`INSERT INTO fanfare.legal_holds (id, tenant_id, created_by, reason)
	 SELECT gen_random_uuid(), $1, gen_random_uuid(), 'a lawsuit' FROM generate_series(1, 2) WHERE $2::int > 0`,
	`INSERT INTO fanfare.retention_progress (tenant_id, entries) SELECT $1, 5 WHERE $2::int > 0`,
	`INSERT INTO fanfare.retention_unrecorded (tenant_id, run_id, activities) SELECT $1, gen_random_uuid(), 5
	 WHERE $2::int > 0`,
	`INSERT INTO fanfare.service_tokens (
	     id, tenant_id, principal_id, created_at, expires_at, name, scopes, hash, last_used_at)
	 SELECT gen_random_uuid(), $1, gen_random_uuid(), now(), now() + interval '1 day', 'T', '{a}',
	        sha256(n::text::bytea), now()
	 FROM generate_series(1, $2::int) AS n`,
	`INSERT INTO fanfare.sign_in_codes (hash, tenant_id, principal_id, created_at, expires_at, lifetime, scopes)
	 SELECT sha256(n::text::bytea), $1, gen_random_uuid(), now(), now() + interval '5 minutes', '1 hour', '{}'
	 FROM generate_series(1, 3) AS n WHERE $2::int > 0`,
	`SELECT fanfare.add_ip_hash_key() WHERE $1::uuid IS NOT NULL AND $2::int > 0`,
	`INSERT INTO fanfare.activities (
	     id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at, recorded_at, resource_type,
	     action, visibility, status, severity, category, delivery_channels, payload, ip_hash, ip_key_id)
	 SELECT fanfare.uuidv7_of((extract(epoch FROM now() - interval '40 days' * n / (60 * $2::int)) * 1000000)::bigint),
	        $1, gen_random_uuid(), fanfare.id_of('r', (n % 40)::text), gen_random_uuid(), now(), now(), 'project',
	        'project.changed', 'resource', 'success', 'info', 'project', '{}', jsonb_build_object('n', n, 'é', E'"\\'),
	        '\xab01', CASE WHEN n % 3 = 0 THEN 1 + n % 2 END
	 FROM generate_series(1, 60 * $2::int) AS n`,
	`INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, resource_id, activity_id, action)
	 SELECT tenant_id, correlation_id, resource_id, id, action FROM fanfare.activities
	 WHERE tenant_id = $1 AND (payload ->> 'n')::int % 2 = 0 AND $2::int > 0`,
	`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, read_at, snoozed_until, resource_id,
	     reasons, visibility, party)
	 SELECT tenant_id, fanfare.id_of('p', (n % 50)::text), id, CASE WHEN n = 1 THEN now() END,
	        CASE WHEN n = 2 THEN now() - interval '1 hour' END, resource_id, 1, 'r', false
	 FROM fanfare.activities, generate_series(1, 2) AS n WHERE tenant_id = $1 AND $2::int > 0`,
	`INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at, channels)
	 SELECT fanfare.lane_of(tenant_id, resource_id), id, tenant_id, resource_id, recorded_at, '{a,b}'
	 FROM (SELECT * FROM fanfare.activities WHERE tenant_id = $1 ORDER BY id DESC LIMIT 3 * $2::int) AS a ORDER BY id`,
	// Of each five, one is parked, one has a fan-out job and one is a dead letter.
	`WITH moved AS (DELETE FROM fanfare.outbox WHERE tenant_id = $1 AND $2::int > 0 AND seq % 5 = 0 RETURNING *)
	 INSERT INTO fanfare.parked (lane, seq, activity_id, tenant_id, resource_id, recorded_at, attempts, retry_at, error)
	 SELECT lane, seq, activity_id, tenant_id, resource_id, recorded_at, 3, now() + interval '1 hour', 'failed'
	 FROM moved`,
	`WITH moved AS (DELETE FROM fanfare.outbox WHERE tenant_id = $1 AND $2::int > 0 AND seq % 5 = 1 RETURNING *)
	 INSERT INTO fanfare.fan_out_jobs (lane, seq, activity_id, tenant_id, resource_id, recorded_at, notified)
	 SELECT lane, seq, activity_id, tenant_id, resource_id, recorded_at, 7 FROM moved`,
	`WITH moved AS (DELETE FROM fanfare.outbox WHERE tenant_id = $1 AND $2::int > 0 AND seq % 5 = 2 RETURNING *)
	 INSERT INTO fanfare.dead_letters (lane, seq, activity_id, tenant_id, resource_id, recorded_at, attempts, error)
	 SELECT lane, seq, activity_id, tenant_id, resource_id, recorded_at, 20, 'too large' FROM moved`,
}

// cells are two databases, of which the first has rows of two tenants.
type cells struct {
	source, destination *pgtest.DB
	tenant, other       uuid.UUID
}

func newCells(t *testing.T, scale int) *cells {
	t.Helper()
	return newCellsIn(t, pgtest.New(t), pgtest.New(t), scale)
}

func newCellsIn(t *testing.T, source, destination *pgtest.DB, scale int) *cells {
	t.Helper()
	c := &cells{source: source, destination: destination, tenant: uuid.New(), other: uuid.New()}
	for db, months := range map[*pgtest.DB]int{c.source: 3} {
		for n := range months {
			exec(t, db, `SELECT fanfare.ensure_partition(now() - make_interval(months => $1))`, n)
		}
	}
	// The destination has keys of its own, and other numbers in use.
	exec(t, c.destination, `SELECT fanfare.add_ip_hash_key() FROM generate_series(1, 3)`)
	for _, statement := range fill {
		exec(t, c.source, statement, c.tenant, scale)
	}
	for _, statement := range fill {
		if !strings.Contains(statement, "sign_in_codes") {
			exec(t, c.source, statement, c.other, max(1, scale/10))
		}
	}
	return c
}

func exec(t *testing.T, db *pgtest.DB, sql string, args ...any) {
	t.Helper()
	if _, err := db.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// contents returns, for each table, the number of the tenant's rows and a hash of their sorted
// texts. It shares no code with the package. Seqs are replaced by the order that they have, keys of
// hashed addresses by their contents, and records of moves are left out.
func contents(t *testing.T, db *pgtest.DB, tenant uuid.UUID) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, table := range tenantdata.Tables() {
		switch table.Name {
		case "tenant_moves", "tenant_move_rows", "sign_in_codes":
			continue
		}
		line := "to_jsonb(x) - 'last_used_at' - 'binding_id'"
		switch table.Kind {
		case tenantdata.Pending:
			line = "to_jsonb(x) - 'seq' || jsonb_build_object('n', row_number() OVER (ORDER BY x.seq))"
		case tenantdata.Log:
			line = `to_jsonb(x) - 'ip_key_id' || jsonb_build_object('key', (
			    SELECT k.outer_pad FROM fanfare.ip_hash_keys AS k WHERE k.key_id = x.ip_key_id))`
		}
		where := "x.tenant_id = $1"
		if table.Kind == tenantdata.Log {
			where += " AND x.action NOT LIKE 'tenant.%'"
		}
		if table.Name == "outbox" || table.Name == "idempotency_keys" {
			where += ` AND x.activity_id NOT IN (
			    SELECT id FROM fanfare.activities WHERE tenant_id = $1 AND action LIKE 'tenant.%')`
		}
		var text string
		err := db.Pool.QueryRow(t.Context(), fmt.Sprintf(`
			SELECT count(*) || ' ' || coalesce(md5(string_agg(l.line::text, E'\n' ORDER BY l.line::text)), '')
			FROM (SELECT %s AS line FROM fanfare.%s AS x WHERE %s) AS l`, line, table.Name, where), tenant).Scan(&text)
		if err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
		found[table.Name] = text
	}
	return found
}

// none returns the contents of a tenant without rows.
func none(of map[string]string) map[string]string {
	empty := maps.Clone(of)
	for table := range empty {
		empty[table] = "0 "
	}
	return empty
}

// errInterrupted is the panic at a point.
var errInterrupted = errors.New("interrupted")

// move moves the tenant with connections of its own. It is interrupted at a point unless that is
// "".
func (c *cells) move(t *testing.T, at tenantmove.Point, o tenantmove.Options) (*tenantmove.Result, error) {
	t.Helper()
	return c.call(t, at, o, tenantmove.Run)
}

func (c *cells) abort(t *testing.T) (*tenantmove.Result, error) {
	t.Helper()
	return c.call(t, "", tenantmove.Options{}, tenantmove.Abort)
}

func (c *cells) call(
	t *testing.T, at tenantmove.Point, o tenantmove.Options,
	do func(context.Context, tenantmove.Databases, tenantmove.Options) (*tenantmove.Result, error),
) (r *tenantmove.Result, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var db tenantmove.Databases
	for conn, url := range map[**pgx.Conn]string{
		&db.Source: c.source.URL, &db.Lock: c.source.URL, &db.Destination: c.destination.URL,
	} {
		if *conn, err = pgx.Connect(ctx, url); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = (*conn).Close(context.WithoutCancel(ctx)) }()
	}
	o.Tenant, o.SourceName, o.DestinationName, o.By = c.tenant, "a", "b", activity.System
	o.FreezeTimeout, o.ChunkRows = 30*time.Second, 50
	o.Progress = func(p tenantmove.Progress) {
		if p.Message != "" {
			t.Log(p.Step, p.Message)
		}
	}
	o.At = func(p tenantmove.Point) {
		if p == at {
			panic(errInterrupted)
		}
	}
	defer func() {
		if cause := recover(); cause != nil {
			if cause != errInterrupted {
				panic(cause)
			}
			// A process that is killed closes its connections, whatever they are doing.
			for _, conn := range []*pgx.Conn{db.Source, db.Lock, db.Destination} {
				_ = conn.PgConn().Conn().Close()
			}
			err = errInterrupted
		}
	}()
	return do(ctx, db, o)
}

// tables returns the tables in which two contents differ.
func tables(a, b map[string]string) (differ []string) {
	for table := range a {
		if a[table] != b[table] {
			differ = append(differ, fmt.Sprintf("%s: %q, %q", table, a[table], b[table]))
		}
	}
	slices.Sort(differ)
	return differ
}
