package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

// TestNotificationsCommands lists, shows and marks notifications.
func TestNotificationsCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	do := w.as(t, "notifications")
	if got := do("list"); got != "No notifications.\n" {
		t.Errorf("list: got %q", got)
	}
	first, second := w.record(t), w.record(t)
	var rows inbox.Rows
	for _, a := range []activity.Activity{first, second} {
		rows.Add(&a, w.owner, watchers.Owner, uuid.Nil)
	}
	err := pgx.BeginFunc(t.Context(), w.db.Pool, func(tx pgx.Tx) error { return rows.Write(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(do("list", "--reason", "owner", "--action", "resource.*"), "\n")
	want := second.ID.String() + "   unseen, unread   owner     resource.updated"
	if len(lines) != 4 || !strings.Contains(lines[1], want) {
		t.Errorf("list: got %q, want two, the newest first", lines)
	}
	page := fanfare(t, w.environ(), w.asOwner("notifications", "list", "--limit", "1")...)
	if want := "For older notifications, use --before " + second.ID.String() + "\n"; page.stderr != want {
		t.Errorf("list --limit 1: got %q, want %q", page.stderr, want)
	}
	if got := do("list", "--before", second.ID.String()); !strings.Contains(got, first.ID.String()) ||
		strings.Contains(got, second.ID.String()) {
		t.Errorf("list --before: got %s, want the first alone", got)
	}
	for _, step := range []struct{ args, want, state string }{
		{"mark " + first.ID.String() + " --read", "Notifications changed: 1\n", "seen at"},
		{"mark --state all --read", "Notifications changed: 1\n", "read at"},
		{"mark " + first.ID.String() + " --archived --seen=false", "Notifications changed: 1\n", "unseen, archived"},
		{"mark --state archived --archived=false --snoozed-until 3d", "Notifications changed: 1\n", "snoozed until"},
		{
			"mark --state snoozed --snoozed-until none --up-to " + uuid.UUID{1}.String(),
			"Notifications changed: 0\n", "snoozed",
		},
	} {
		if got := do(strings.Fields(step.args)...); got != step.want {
			t.Errorf("%s: got %q, want %q", step.args, got, step.want)
		}
		if got := do("show", first.ID.String()); !strings.Contains(got, step.state) ||
			!strings.Contains(got, "resource.updated") {
			t.Errorf("%s: shows %s, want %q", step.args, got, step.state)
		}
	}
	var shown struct {
		ID           uuid.UUID
		Reasons      []string
		SnoozedUntil time.Time `json:"snoozed_until"`
		Activity     struct{ Action string }
	}
	text := do("show", first.ID.String(), "--json")
	if err := json.Unmarshal([]byte(text), &shown); err != nil || shown.ID != first.ID || len(shown.Reasons) != 1 ||
		time.Until(shown.SnoozedUntil) < 71*time.Hour || shown.Activity.Action != "resource.updated" {
		t.Errorf("show --json: got %s, %v", text, err)
	}
	if got := do("test"); !strings.HasPrefix(got, "Recorded: ") {
		t.Errorf("test: got %q", got)
	}
	if got := do("test", "--json"); !strings.Contains(got, `"activity_id": "`) {
		t.Errorf("test --json: got %s", got)
	}
	var n int
	err = w.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.activities
		WHERE action = 'notification.tested' AND target_principal_ids = ARRAY[$1::uuid]`, w.owner).Scan(&n)
	if err != nil || n != 2 {
		t.Errorf("test: got %d records, %v, want 2", n, err)
	}
	text = do("mark", "--state", "snoozed", "--snoozed-until", "none", "--json")
	if got := text; !strings.Contains(got, `"count": 1`) {
		t.Errorf("mark --json: got %s", got)
	}
	for args, want := range map[string]string{
		"list --state new":  "--state \"new\" must be",
		"list --reason fun": "--reason \"fun\": must be",
		"list --limit 0":    "--limit 0: must be",
		"list --status odd": "--status \"odd\" must be",
		"mark --read":       "either ids or --state",
		"mark --state all":  "one of --seen, --read",
		"mark x --read":     "notification \"x\": must be a UUID",
		"mark " + uuid.NewString() + " --state all --read": "either ids or --state",
		"mark --state all --snoozed-until yesterday":       "must be a time such as",
		"mark --state all --snoozed-until 2020-01-01":      "--snoozed-until",
	} {
		r := fanfare(t, w.environ(), w.asOwner("notifications", strings.Fields(args)...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: got %d, %q, want %q", args, r.code, r.stderr, want)
		}
	}
	r := fanfare(t, w.environ(), w.asOwner("notifications", "show", uuid.NewString())...)
	if r.code != exitFailure || !strings.Contains(r.stderr, "not found") {
		t.Errorf("show of an unknown one: got %d, %q", r.code, r.stderr)
	}
}
