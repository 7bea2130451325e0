package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// aged inserts activities of this age into the tenant's log, without recording them.
func (w world) aged(t testing.TB, n, days int) {
	t.Helper()
	if _, err := w.db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at,
			recorded_at, resource_type, action, visibility, status, severity, category, delivery_channels, payload)
		SELECT fanfare.uuidv7(now() - make_interval(days => $5, mins => i)), $1, $2, $3, gen_random_uuid(), now(),
			now(), 'signal', 'signal.created', 'resource', 'success', 'info', 'signal', '{}', '{}'
		FROM generate_series(1, $4::int) AS i`, w.tenant, w.actor, w.resource, n, days); err != nil {
		t.Fatal(err)
	}
}

func (w world) logged(t testing.TB, action string) (n int) {
	t.Helper()
	if err := w.db.Pool.QueryRow(t.Context(),
		`SELECT count(*) FROM fanfare.activities WHERE tenant_id = $1 AND action = $2`, w.tenant,
		action).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRetentionCommands sets and shows limits, counts, places and releases a hold, and removes.
func TestRetentionCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.aged(t, 12, 30)
	w.aged(t, 3, 1)
	do := func(args ...string) string {
		t.Helper()
		return must(t, w.environ(), append([]string{"retention"}, args...)...)
	}
	tenant := w.tenant.String()
	if got := do("show"); !strings.Contains(got,
		"max_days           none    installation   maximum age of activities, in days\n") ||
		!strings.Contains(got, "\nmin_days           7 ") {
		t.Errorf("show: got\n%s", got)
	}
	if got := do("set", "--tenant", tenant, "--max-days", "20", "--inbox-days", "none", "--by",
		w.owner.String()); !strings.Contains(
		got,
		"max_days           20      tenant ",
	) ||
		!strings.Contains(got, "inbox_days         none    tenant ") {
		t.Errorf("set: got\n%s", got)
	}
	var shown struct {
		Policy retention.Policy
		Holds  []retention.Hold
	}
	if err := json.Unmarshal([]byte(do("show", "--tenant", tenant, "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	want := retention.Limit{Value: 20, From: retention.FromTenant}
	if shown.Policy.MaxDays != want || *shown.Policy.UpdatedBy != w.owner || len(shown.Holds) != 0 {
		t.Errorf("show --json: got %+v", shown)
	}

	var estimate retention.Estimate
	if err := json.Unmarshal([]byte(do("run", "--dry-run", "--json")), &estimate); err != nil {
		t.Fatal(err)
	}
	if estimate.Removed.Activities != 12 || !estimate.Exact || len(estimate.Tenants) != 1 ||
		time.Since(*estimate.Tenants[0].Before) < 20*24*time.Hour {
		t.Errorf("run --dry-run --json: got %+v", estimate)
	}
	if got := do("run", "--dry-run"); !strings.Contains(got, "\nactivities         12\n") ||
		!strings.HasSuffix(got, "\nDry run: nothing was removed.\n") {
		t.Errorf("run --dry-run: got\n%s", got)
	}

	placed := do("hold", "place", "--tenant", tenant, "--resource", w.resource.String(), "--reason", "case 17")
	hold := strings.TrimSpace(strings.TrimPrefix(placed, "Hold placed: "))
	if got := do("hold", "list"); !strings.HasPrefix(got, "HOLD ") ||
		!strings.Contains(got, hold+"   "+tenant+"   resource "+w.resource.String()) ||
		!strings.HasSuffix(got, "case 17\n") {
		t.Errorf("hold list: got\n%s", got)
	}
	if got := do("run"); !strings.HasPrefix(got, "activities         0\n") {
		t.Errorf("run under a hold: got\n%s", got)
	}
	if got := do("hold", "release", hold, "--tenant", tenant); got != "Hold released: "+hold+"\n" {
		t.Errorf("hold release: got %s", got)
	}
	if got := do("hold", "list"); got != "No legal holds.\n" {
		t.Errorf("hold list after the release: got %s", got)
	}
	if got := do("hold", "list", "--all", "--tenant", tenant); !strings.Contains(got, "RELEASED") ||
		!strings.Contains(got, hold) {
		t.Errorf("hold list --all: got\n%s", got)
	}
	r := fanfare(t, w.environ(), "retention", "hold", "release", hold, "--tenant", tenant)
	if r.code != exitFailure || !strings.Contains(r.stderr, hold) || !strings.Contains(r.stderr, "not found") {
		t.Errorf("release again: got exit code %d and %q", r.code, r.stderr)
	}

	var report retention.Report
	if err := json.Unmarshal([]byte(do("run", "--tenant", tenant, "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if (report.Removed != retention.Counts{Activities: 12}) {
		t.Errorf("run: got %+v, want the 12 removed", report)
	}
	for action, want := range map[string]int{
		"signal.created":          3,
		"retention.changed":       1,
		"retention.hold_placed":   1,
		"retention.hold_released": 1,
		"retention.purged":        1,
	} {
		if got := w.logged(t, action); got != want {
			t.Errorf("%s in the log: got %d, want %d", action, got, want)
		}
	}

	if _, err := w.db.Pool.Exec(t.Context(), `SELECT fanfare.retention_begin($1, NULL)`, uuid.New()); err != nil {
		t.Fatal(err)
	}
	if r := fanfare(t, w.environ(), "retention", "run"); r.code != exitFailure ||
		!strings.Contains(r.stderr, "another retention run is in progress") {
		t.Errorf("run during another: got exit code %d and %q", r.code, r.stderr)
	}
}

func TestRetentionUsage(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"}
	tenant := uuid.NewString()
	for _, c := range []struct{ line, want string }{
		{"retention set", "at least one limit is required, such as --max-days 365"},
		{"retention set --max-days ever", "must be an integer, none or inherit"},
		{"retention set --max-days -1", `invalid argument "-1" for "--max-days" flag: must be from 0 to 18250`},
		{"retention set --max-entries 1000000001", "must be from 0 to 1000000000"},
		{"retention set --max-weeks 1", "unknown flag: --max-weeks"},
		{"retention run --tenant acme", "must be a UUID"},
		{"retention hold place --reason x", "--tenant is required"},
		{"retention hold place --tenant " + tenant, "--reason is required"},
		{"retention hold release --tenant " + tenant, "exactly one argument is required: the id of the hold"},
		{"retention hold release x --tenant " + tenant, `hold "x": must be a UUID`},
		{"retention hold release " + tenant, "--tenant is required"},
		{
			"retention hold place --reason x --tenant " + tenant + " --resource " + tenant + " --actor " + tenant,
			"--resource and --actor cannot be combined",
		},
	} {
		r := fanfare(t, environ, strings.Fields(c.line)...)
		if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: got exit code %d, stdout %q, stderr %q; want %d, nothing and %q", c.line, r.code, r.stdout,
				r.stderr, exitUsage, c.want)
		}
	}
}

// TestRetentionInTheWorker removes expired data periodically, and counts it in the metrics.
func TestRetentionInTheWorker(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	w.aged(t, 12, 30)
	must(t, w.environ(), "retention", "set", "--max-days", "20")
	idle := startWorker(t, environment(db, centrifugo), "--retention-interval", "0")
	idle.says(t, "dependency is available", "postgres")
	d := startWorker(t, environment(db, centrifugo))
	d.says(t, "retention run removed expired rows", `"activities":12`)
	if got := d.get(t, "/metrics").body; !strings.Contains(got,
		`fanfare_retention_removed_total{kind="activities"} 12`+"\n") ||
		!strings.Contains(got, `fanfare_retention_runs_total{result="completed"} 1`+"\n") {
		t.Errorf("/metrics does not count them:\n%s", got)
	}
	if got := w.logged(t, "retention.purged"); got != 1 {
		t.Errorf("recorded: got %d, want 1", got)
	}
	if got := idle.get(t, "/metrics").body; strings.Contains(got, "fanfare_retention") {
		t.Error("a worker without retention has metrics of it")
	}
}
