package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/redaction"
	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// rolePassword is the password of the roles that these tests create.
const rolePassword = "hunter2"

// managed is a cluster as a provider hands it over: the tests' own role is no superuser, and may
// create neither roles nor databases. The administrator is what the provider's console is.
type managed struct {
	*devstack.Postgres
	administrator *pgx.Conn
}

// newManaged starts a cluster with the database app.
func newManaged(t testing.TB, options devstack.PostgresOptions) managed {
	t.Helper()
	server, err := devstack.StartPostgres(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	m := managed{Postgres: server, administrator: connectTo(t, server.URL("postgres"))}
	m.execute(t, `CREATE DATABASE app`)
	m.administrator = connectTo(t, server.URL("app"))
	return m
}

func connectTo(t testing.TB, connection string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), connection)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (m managed) execute(t testing.TB, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := m.administrator.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// role creates a role that may only connect, and returns its URL of the database app.
func (m managed) role(t testing.TB, name string) string {
	t.Helper()
	m.execute(t, `CREATE ROLE `+name+` LOGIN PASSWORD '`+rolePassword+`' NOSUPERUSER NOCREATEROLE NOCREATEDB`)
	u, err := url.Parse(m.URL("app"))
	if err != nil {
		t.Fatal("the URL of the cluster does not parse")
	}
	u.User = url.UserPassword(name, rolePassword)
	return u.String()
}

// database returns the database app for helpers of tests, with the rights of a role.
func (m managed) database(t testing.TB, connection string) *pgtest.DB {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), connection)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &pgtest.DB{Pool: pool, URL: connection}
}

// documented returns the statements of the page about operating that contain a text, for a role.
func documented(t testing.TB, contains, role string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], contains) {
			statements := strings.ReplaceAll(block[1], "TO migrator", "TO "+role)
			return regexp.MustCompile(`(?m)^[A-Z][^;]*;`).FindAllString(statements, -1)
		}
	}
	t.Fatalf("docs/operating.md has no statements with %q", contains)
	return nil
}

// TestWithoutSuperuser installs and runs everything as a role without the attributes SUPERUSER and
// CREATEROLE, after the statements of docs/operating.md.
func TestWithoutSuperuser(t *testing.T) {
	t.Parallel()
	m, centrifugo := newManaged(t, devstack.PostgresOptions{}), startCentrifugo(t)
	host := m.role(t, "host")
	environ := map[string]string{"FANFARE_DATABASE_URL": host}

	r := fanfare(t, environ, "migrate", "up")
	for _, want := range []string{
		"GRANT CREATE ON DATABASE app TO host;", "CREATE ROLE fanfare_directory NOLOGIN;",
		"ALTER ROLE host CREATEROLE;",
	} {
		if r.code != exitFailure || !strings.Contains(r.stderr, want) {
			t.Errorf("migrate up without roles: got exit code %d and %q, want %q in it", r.code, r.stderr, want)
		}
	}
	m.execute(t, documented(t, "CREATE ROLE fanfare_writer NOLOGIN;", "host")...)
	must(t, environ, "migrate", "up")
	if got := must(t, environ, "migrate", "status"); !strings.Contains(got, ", the latest.") ||
		strings.Contains(got, "wrong") {
		t.Errorf("migrate status: got\n%s", got)
	}
	if got := must(t, environ, "migrate", "repair"); !strings.Contains(got, "The roles, owners and grants are right.") {
		t.Errorf("migrate repair: got\n%s", got)
	}
	db := m.database(t, host)
	t.Run("doctor", func(t *testing.T) { m.isSound(t, doctorEnvironment(db, centrifugo)) })
	w := newWorld(t, db)
	t.Run("delivery", func(t *testing.T) { m.delivers(t, w, host, centrifugo) })
	t.Run("retention", func(t *testing.T) { w.purges(t) })
	t.Run("redaction", func(t *testing.T) { w.redacts(t) })
	t.Run("removal", func(t *testing.T) { must(t, environ, "migrate", "down", "--to", "0", "--yes") })
}

// isSound runs doctor, which may neither fail nor warn.
func (m managed) isSound(t *testing.T, environ map[string]string) {
	t.Helper()
	var report doctor.Report
	if err := json.Unmarshal([]byte(must(t, environ, "doctor", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Diagnostics {
		if d.Status != doctor.OK {
			t.Errorf("%s: got %s: %s: %s", d.ID, d.Status, d.Detail, d.Remedy)
		}
	}
}

// delivers runs worker and API, and records as a service in SQL and by TxActivity.
func (m managed) delivers(t *testing.T, w world, connection string, centrifugo *devstack.Centrifugo) {
	service := m.database(t, m.role(t, "service"))
	for name, record := range recordings {
		if _, err := record(t.Context(), w, service.Pool); err == nil {
			t.Errorf("%s without the role of writers: got no error", name)
		}
	}
	m.execute(t, `GRANT fanfare_writer TO service`)
	events := w.listen(t, centrifugo)
	d := startDaemon(t, environment(&pgtest.DB{URL: connection}, centrifugo), "run")
	for name, record := range recordings {
		id, err := record(t.Context(), w, service.Pool)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := next(t, events, d).EventID; got != id {
			t.Errorf("%s: got event %s, want %s", name, got, id)
		}
	}
	d.serves(t, w)
	waittest.Until(t, "nothing is pending", func() bool { return w.pending(t) == 0 }, d.log)
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
}

// purges removes activities in batches and by partition.
func (w world) purges(t *testing.T) {
	if _, err := w.db.Pool.Exec(t.Context(),
		`SELECT fanfare.ensure_partition(now() - interval '400 days')`); err != nil {
		t.Fatal(err)
	}
	w.aged(t, 20, 400)
	w.aged(t, 5, 30)
	w.aged(t, 3, 100)
	must(t, w.environ(), "retention", "set", "--max-days", "90")
	var report retention.Report
	if err := json.Unmarshal([]byte(must(t, w.environ(), "retention", "run", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if report.Removed.Activities != 23 || len(report.Partitions) == 0 {
		t.Errorf("got %+v, want 23 activities removed, and a partition among them", report)
	}
}

func (w world) redacts(t *testing.T) {
	id := w.record(t).ID
	var result redaction.Result
	out := must(t, w.environ(), "activity", "redact", "--tenant", w.tenant.String(), "--id", id.String(),
		"--reason", "asked to", "--yes", "--json")
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatal(err)
	}
	if result.Redacted != 1 {
		t.Errorf("got %+v, want one redacted", result)
	}
}

// recordings are ways in which a service records a change of the world's resource.
var recordings = map[string]func(ctx context.Context, w world, pool *pgxpool.Pool) (uuid.UUID, error){
	"SQL": func(ctx context.Context, w world, pool *pgxpool.Pool) (id uuid.UUID, err error) {
		err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, `
				SELECT fanfare.record_activity(jsonb_build_object(
				    'tenant_id', $1::text, 'actor_principal_id', $2::text, 'resource_id', $3::text,
				    'resource_type', 'signal', 'action', 'resource.updated'))`,
				w.tenant.String(), w.actor.String(), w.resource.String()).Scan(&id)
		})
		return id, err
	},
	"TxActivity": func(ctx context.Context, w world, pool *pgxpool.Pool) (uuid.UUID, error) {
		_, recorded, err := outbox.TxActivity(ctx, pool, activity.Envelope{
			TenantID: w.tenant, ActorPrincipalID: w.actor, ResourceID: w.resource, ResourceType: "signal",
			Action: "resource.updated",
		}, func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (n int, err error) {
			err = tx.QueryRow(ctx, `SELECT 1`).Scan(&n)
			return n, err
		})
		return recorded.Activity.ID, err
	},
}

// TestPrivilegesOfDoctor runs worker and API as a role that owns nothing, with the privileges that
// fanfare doctor prints.
func TestPrivilegesOfDoctor(t *testing.T) {
	t.Parallel()
	m, centrifugo := newManaged(t, devstack.PostgresOptions{}), startCentrifugo(t)
	owner, daemon := m.role(t, "host"), m.role(t, "daemon")
	m.execute(t, documented(t, "CREATE ROLE fanfare_writer NOLOGIN;", "host")...)
	must(t, map[string]string{"FANFARE_DATABASE_URL": owner}, "migrate", "up")
	grant := regexp.MustCompile(`GRANT [^;]*;`)
	environ := doctorEnvironment(&pgtest.DB{URL: daemon}, centrifugo)
	for range 4 {
		r := fanfare(t, environ, "doctor")
		statements := grant.FindAllString(r.stdout, -1)
		if len(statements) == 0 {
			break
		}
		by := connectTo(t, owner)
		for _, sql := range statements {
			if strings.Contains(sql, "GRANT pg_") { // a role of PostgreSQL, which the provider's administrator grants
				m.execute(t, sql)
			} else if _, err := by.Exec(t.Context(), sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	w := newWorld(t, m.database(t, owner))
	must(t, environ, "doctor")
	m.delivers(t, w, daemon, centrifugo)
}
