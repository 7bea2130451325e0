package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/export"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/activity/redaction"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// recordMessage records an activity of the actor with a message.
func (w world) recordMessage(t testing.TB, action, message string) uuid.UUID {
	t.Helper()
	var recorded outbox.Recorded
	err := pgx.BeginFunc(t.Context(), w.db.Pool, func(tx pgx.Tx) (err error) {
		recorded, err = outbox.Record(t.Context(), tx, activity.Envelope{
			TenantID: w.tenant, ActorPrincipalID: w.actor, ResourceID: w.resource, ResourceType: "signal",
			Action: action, Message: message,
			Payload: map[string]string{"said": message},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return recorded.ID
}

// runActivity runs a command of fanfare activity for the world's tenant.
func (w world) runActivity(t testing.TB, name string, args ...string) string {
	t.Helper()
	return must(t, w.environ(), append([]string{"activity", name, "--tenant", w.tenant.String()}, args...)...)
}

type listed struct {
	Items []struct {
		ID      uuid.UUID
		Message string
		Payload json.RawMessage
	}
	NextBefore *uuid.UUID `json:"next_before"`
}

func (w world) list(t testing.TB, args ...string) (l listed) {
	t.Helper()
	if err := json.Unmarshal([]byte(w.runActivity(t, "list", append(args, "--json")...)), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestActivityList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	other := newWorld(t, w.db)
	if got := w.runActivity(t, "list"); got != "No activities.\n" {
		t.Errorf("empty log: got %q", got)
	}
	first := w.recordMessage(t, "signal.made", "one")
	second := w.recordMessage(t, "signal.lost", "two\x1b[31m\nand a half")
	third := w.recordMessage(t, "signal.made", "three")
	other.recordMessage(t, "signal.made", "elsewhere")

	if got := w.list(t); len(got.Items) != 3 || got.Items[0].ID != third || got.Items[2].ID != first ||
		got.NextBefore != nil {
		t.Errorf("got %+v, want the three, the newest first", got)
	}
	page := w.list(t, "--limit", "2")
	if len(page.Items) != 2 || page.NextBefore == nil || *page.NextBefore != second {
		t.Fatalf("a page: got %+v, want two and the next page", page)
	}
	if rest := w.list(t, "--limit", "2", "--before", page.NextBefore.String()); len(rest.Items) != 1 ||
		rest.Items[0].ID != first ||
		rest.NextBefore != nil {
		t.Errorf("the next page: got %+v, want the first", rest)
	}
	for filter, want := range map[string]int{
		"--action signal.l*":                              1,
		"--actor " + w.actor.String():                     3,
		"--actor " + uuid.NewString():                     0,
		"--resource " + w.resource.String():               3,
		"--resource-type doc":                             0,
		"--owner " + w.owner.String():                     3,
		"--target " + uuid.NewString():                    0,
		"--correlation-id " + uuid.NewString():            0,
		"--request-id r":                                  0,
		"--status failure":                                0,
		"--severity info":                                 3,
		"--category signal":                               3,
		"--since 24h":                                     3,
		"--until 1h":                                      0,
		"--since 2020-01-01 --until 2020-01-02T00:00:00Z": 0,
		"--q THREE":                                       1,
	} {
		if got := w.list(t, strings.Fields(filter)...); len(got.Items) != want {
			t.Errorf("%s: got %d, want %d", filter, len(got.Items), want)
		}
	}

	table := strings.Split(w.runActivity(t, "list"), "\n")
	row := second.String() + "   signal.lost   " + w.actor.String() +
		"   signal Signal 7   success   info       two\uFFFD[31m and a half"
	if len(table) != 5 || !strings.HasPrefix(table[0], "RECORDED ") || !strings.Contains(table[2], row) {
		t.Errorf("got the table\n%s", strings.Join(table, "\n"))
	}
	whole := w.runActivity(t, "get", second.String())
	for _, want := range []string{
		"id            " + second.String() + "\n", "resource      signal " + w.resource.String() + " Signal 7\n",
		"message       two\uFFFD[31m and a half\n",
	} {
		if !strings.Contains(whole, want) {
			t.Errorf("get: got\n%swant %q in it", whole, want)
		}
	}
	if strings.Contains(whole, "\x1b") || strings.Contains(strings.Join(table, ""), "\x1b") {
		t.Error("an escape sequence reaches the terminal")
	}
	var got struct{ ID, Message string }
	if err := json.Unmarshal([]byte(w.runActivity(t, "get", second.String(), "--json")), &got); err != nil ||
		got.ID != second.String() ||
		got.Message != "two\x1b[31m\nand a half" {
		t.Errorf("get --json: got %+v, %v, want it unchanged", got, err)
	}
	r := fanfare(t, other.environ(), "activity", "get", second.String(), "--tenant", other.tenant.String())
	if r.code != exitFailure || !strings.Contains(r.stderr, "not found") {
		t.Errorf("another tenant's: got exit code %d and %q, want an error", r.code, r.stderr)
	}
}

func TestActivityUsage(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"}
	tenant := " --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"
	for _, c := range []struct{ line, want string }{
		{"list", "--tenant is required"},
		{"get 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f", "--tenant is required"},
		{"get" + tenant, "exactly one argument is required: the id of the activity"},
		{"get x" + tenant, `activity "x": must be a UUID`},
		{"list --limit 0" + tenant, "--limit 0: must be from 1 to 10000"},
		{"list --status ok" + tenant, `--status "ok" must be one of success, failure`},
		{"list --since yesterday" + tenant, "must be a time such as"},
		{"list --since -3h" + tenant, "must be a time such as"},
		{"list --since 1h --until 2h" + tenant, "must be after since"},
		{"tail --interval 1ms" + tenant, "--interval 1ms: must be at least 10ms"},
		{"tail --lines -1" + tenant, "--lines -1: must be from 0 to 10000"},
		{"stats --top 0" + tenant, "--top 0: must be from 1 to 1000"},
		{"stats --scan-limit 0" + tenant, "--scan-limit 0: must be from 1 to 100000000"},
		{"export --format xml" + tenant, `--format "xml" must be one of csv, jsonl, cloudevents`},
		{"export --output=" + tenant, "--output must be a file or -"},
		{"redact --reason x --yes" + tenant, "--id must be given, or an actor, a target or a resource"},
		{"redact --id x --reason x --yes" + tenant, `--id "x": must be a UUID`},
		{"redact --yes --actor " + uuid.NewString() + tenant, "--reason is required"},
		{"redact --reason x --actor " + uuid.NewString() + tenant, "either --dry-run or --yes is required"},
		{"redact --reason x --yes --actor " + uuid.NewString(), "--tenant is required"},
		{
			"redact --reason x --yes --since 1h --id " + uuid.NewString() + tenant,
			"--id must not be given together with",
		},
	} {
		r := fanfare(t, environ, append([]string{"activity"}, strings.Fields(c.line)...)...)
		if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: got exit code %d, stdout %q, stderr %q; want %d, nothing and %q", c.line, r.code, r.stdout,
				r.stderr, exitUsage, c.want)
		}
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05.5+02:00": time.Date(
			2026, 1, 2, 1, 4, 5, 5e8, time.UTC), "2026-01-02": time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		"24h": now.Add(-24 * time.Hour), "7d": now.AddDate(0, 0, -7), "0s": now, "1h30m": now.Add(-90 * time.Minute),
	} {
		if got, err := parseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "-1h", "now", "2026-02-30", "99999999d"} {
		if got, err := parseTime(text, now); err == nil {
			t.Errorf("%q: got %v, want it refused", text, got)
		}
	}
}

func TestActivityExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.recordMessage(t, "signal.made", "=1+1")
	last := w.recordMessage(t, "signal.lost", "two")
	records, err := csv.NewReader(strings.NewReader(w.runActivity(t, "export"))).ReadAll()
	if err != nil || len(records) != 3 || records[1][17] != "'=1+1" || records[2][0] != last.String() {
		t.Errorf("got %v, %v, want the two, the oldest first", records, err)
	}
	event := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"https://x.example/tenants/%s",`, last, w.tenant) +
		`"type":"org.x.signal.lost",`
	for format, want := range map[string]string{"jsonl": `{"id":"`, "cloudevents": event} {
		if got := w.runActivity(t, "export", "--format", format, "--newest-first", "--source", "https://x.example",
			"--type-prefix", "org.x."); !strings.HasPrefix(
			got,
			want,
		) ||
			strings.Count(got, "\n") != 2 {
			t.Errorf("%s: got %s, want %s first", format, got, want)
		}
	}

	path := filepath.Join(t.TempDir(), "log.jsonl")
	r := fanfare(t, w.environ(), "activity", "export", "--tenant", w.tenant.String(), "--format", "jsonl", "--action",
		"*.lost", "--output", path, "--progress")
	if r.code != exitOK || r.stdout != "" || !strings.Contains(r.stderr, "100%  1 activity  ") ||
		!strings.Contains(r.stderr, "Exported 1 activity to "+path) {
		t.Errorf("to a file: got exit code %d, stdout %q, stderr %q", r.code, r.stdout, r.stderr)
	}
	content, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(content, []byte(`{"id":"`+last.String())) {
		t.Errorf("the file: got %s, %v", content, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: got %v, %v, want mode 0600", info.Mode(), err)
	}
	if _, err := os.Stat(path + ".partial"); !os.IsNotExist(err) {
		t.Errorf("the partial file: got %v, want it removed", err)
	}
}

// TestActivityExportInterrupted interrupts an export to a file.
func TestActivityExportInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.recordMessage(t, "signal.made", "one")
	path := filepath.Join(t.TempDir(), "log.csv")
	ctx, cancel := context.WithCancel(t.Context())
	wanted := export.Export{Tenant: w.tenant, Encoder: export.Encoder{Format: export.CSV}}
	cancel()
	_, err := writeExport(ctx, pglog.New(w.db.Pool), wanted, path, nil)
	if err == nil || !strings.Contains(err.Error(), "interrupted after 0 activities") ||
		!strings.Contains(err.Error(), path+".partial") {
		t.Errorf("got %v, want an interruption and the partial file", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file: got %v, want none", err)
	}
	if _, err := os.Stat(path + ".partial"); err != nil {
		t.Errorf("the partial file: %v", err)
	}
}

func TestExportProgress(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]export.Progress{
		"[........................]   0%  0 activities  0/s": {},
		"[############............]  50%  1,234,567 activities  617,283/s": {
			Activities: 1_234_567, Part: 0.5, Took: 2 * time.Second,
		},
		"[########################] 100%  1 activity  1/s": {Activities: 1, Part: 1, Took: time.Second},
	} {
		if got := exportProgress(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestActivityTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.recordMessage(t, "signal.made", "zero")
	one := w.recordMessage(t, "signal.made", "one")
	if got := w.runActivity(t, "tail", "-n", "1"); !strings.HasSuffix(got,
		"Z info     signal.made signal Signal 7 by "+w.actor.String()+": one\n") ||
		strings.Count(got, "\n") != 1 {
		t.Errorf("got %q, want the latest", got)
	}
	d := startDaemon(t, w.environ(), "activity", "tail", "--tenant", w.tenant.String(), "--follow", "--json", "-n", "1",
		"--interval", "10ms", "--action", "*.made")
	d.says(t, one.String())
	w.recordMessage(t, "signal.lost", "no")
	two := w.recordMessage(t, "signal.made", "two")
	d.says(t, two.String(), `"message":"two"`)
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
	if got := strings.Count(d.log.String(), "\n"); got != 2 {
		t.Errorf("got %d lines, want 2:\n%s", got, d.log)
	}
}

func TestActivityStats(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	for range 2 {
		w.recordMessage(t, "signal.made", "x")
	}
	w.recordMessage(t, "signal.lost", "x")
	got := w.runActivity(t, "stats")
	for _, want := range []string{
		"activities   3\n", "\nACTION        ACTIVITIES\nsignal.made   2\nsignal.lost   1\n",
		"\nSTATUS    ACTIVITIES\nsuccess   3\n", "\nDAY ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%swant %q in it", got, want)
		}
	}
	if got := w.runActivity(t, "stats", "--scan-limit", "2"); !strings.HasPrefix(got,
		"activities   2   among the newest 2, since 2") ||
		!strings.Contains(got, "for older ones, increase --scan-limit\n") {
		t.Errorf("with a scan limit: got\n%s", got)
	}
	var stats pglog.Stats
	if err := json.Unmarshal([]byte(w.runActivity(t, "stats", "--json", "--action", "*.lost")), &stats); err != nil ||
		stats.Activities != 1 ||
		!stats.Complete {
		t.Errorf("--json: got %+v, %v", stats, err)
	}
}

func TestActivityRedact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	one, two := w.recordMessage(t, "signal.made", "Ada"), w.recordMessage(t, "signal.lost", "Ada too")
	reason := []string{"--reason", "asked to be forgotten"}
	if got := w.runActivity(t, "redact", append(reason, "--actor", w.actor.String(),
		"--dry-run")...); got != "would be redacted    2\nalready redacted     0\nunder a legal hold   0\n" {
		t.Errorf("dry run: got\n%s", got)
	}
	if got := w.list(t, "--q", "Ada"); len(got.Items) != 2 {
		t.Fatalf("after a dry run: got %+v, want both unchanged", got)
	}
	if _, err := w.db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.legal_holds (id, tenant_id, resource_id, created_by, reason)
		VALUES (gen_random_uuid(), $1, $2, $2, 'a dispute')`, w.tenant, w.resource); err != nil {
		t.Fatal(err)
	}
	held := fanfare(
		t,
		w.environ(),
		append(append([]string{"activity", "redact", "--tenant", w.tenant.String()}, reason...), "--id", one.String(),
			"--yes")...)
	if held.code != exitFailure || !strings.Contains(held.stdout, "under a legal hold   1\n") ||
		!strings.Contains(held.stderr, "--override-hold") {
		t.Errorf("held: got %+v, want a failure that names the hold", held)
	}
	var done redaction.Result
	if err := json.Unmarshal([]byte(w.runActivity(t, "redact", append(reason, "--id", one.String()+","+two.String(),
		"--yes", "--override-hold", "--json")...)), &done); err != nil ||

		done.Redacted != 2 {
		t.Errorf("got %+v, %v, want two redacted", done, err)
	}
	if got := w.runActivity(t, "redact", append(reason, "--id", one.String(), "--id", uuid.NewString(), "--yes",
		"--override-hold")...); !strings.Contains(
		got,
		"already redacted     1\n",
	) ||
		!strings.Contains(got, "not found            1\n") {
		t.Errorf("again: got\n%s", got)
	}
	if got := w.list(t, "--correlation-id", done.Run.String()); len(got.Items) != 1 ||
		!strings.Contains(string(got.Items[0].Payload), "asked to be forgotten") {
		t.Errorf("recorded: got %+v, want one record with the reason", got)
	}
	for _, item := range w.list(t, "--resource", w.resource.String()).Items {
		if item.Message != "" || !strings.HasPrefix(strings.ReplaceAll(string(item.Payload), "\n", ""), `{`) ||
			strings.Contains(string(item.Payload), "Ada") {
			t.Errorf("got %+v, want it redacted", item)
		}
	}
}

// TestRedactPending redacts a pending activity. Its event is published redacted.
func TestRedactPending(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	id := w.recordMessage(t, "resource.updated", "Ada")
	w.runActivity(t, "redact", "--id", id.String(), "--reason", "asked to", "--yes")
	events := w.listen(t, centrifugo)
	d := startWorker(t, environment(db, centrifugo))
	event := next(t, events, d)
	var payload map[string]any
	if err := json.Unmarshal(event.Payload, &payload); err != nil || event.EventID != id ||
		payload["redacted"] != true ||
		len(payload) != 2 ||
		strings.Contains(event.UIHints.Summary, "Ada") ||
		event.Resource.Name != "" {
		t.Errorf("got %+v with the payload %s, want it redacted", event, event.Payload)
	}
}
