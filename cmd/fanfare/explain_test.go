package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestExplain explains an activity to candidates with different outcomes. The taxonomy and the
// setting --mutations change it.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	args := []string{"explain", "--tenant", w.tenant.String()}
	if r := fanfare(t, w.environ(), args...); r.code != exitFailure || !strings.Contains(r.stderr, "no activities") {
		t.Errorf("without activities: got exit code %d and %q", r.code, r.stderr)
	}
	id := w.record(t).ID // resource.updated
	explained := func(more ...string) (lines []string) {
		t.Helper()
		out := must(t, w.environ(), append(args, more...)...)
		for line := range strings.Lines(strings.ReplaceAll(out, w.owner.String(), "owner")) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		return lines
	}
	want := func(owner string) []string {
		return []string{
			id.String() + " resource.updated, signal Signal 7, visible to: resource",
			"PRINCIPAL NAME REASONS NOTIFIED RULE WHY",
			"owner owner " + owner,
		}
	}
	const included = "yes mode the mode is mutations, and a pattern matches resource.updated"
	const excluded = "no mode the mode is mutations, and no pattern matches resource.updated"
	for _, test := range []struct {
		notify string
		more   []string
		want   string
	}{
		{"", nil, included},
		{"", []string{id.String()}, included},
		{"", []string{"--mutations", "transfer.*"}, excluded},
		{"optional", nil, "no mode the mode is mutations, and the taxonomy takes resource.updated out of it"},
		{
			"mandatory",
			[]string{"--mutations", "transfer.*"},
			"yes mandatory the taxonomy makes resource.updated mandatory",
		},
	} {
		text := taxonomyOfTest
		if test.notify != "" {
			const category = "    category: resources\n"
			text = strings.Replace(text, category, category+"    notify: "+test.notify+"\n", 1)
		}
		must(t, w.environ(), "taxonomy", "apply", taxonomyFile(t, text))
		if diff := cmp.Diff(want(test.want), explained(test.more...)); diff != "" {
			t.Errorf("notify %q, %q (-want +got):\n%s", test.notify, test.more, diff)
		}
	}

	for sql, principals := range map[string][]uuid.UUID{
		`INSERT INTO fanfare.principals (tenant_id, id, active) VALUES ($1, $3::uuid, $2::uuid = $3::uuid)`: {w.owner},
		`INSERT INTO fanfare.subscriptions (tenant_id, resource_id, principal_id) VALUES ($1, $2, $3)`: {
			uuid.New(), w.actor,
		},
	} {
		for _, principal := range principals {
			if _, err := w.db.Pool.Exec(t.Context(), sql, w.tenant, w.resource, principal); err != nil {
				t.Fatal(err)
			}
		}
	}
	out := must(t, w.environ(), append(args, "--json")...)
	for _, why := range []string{
		"is inactive in the directory", "holds no role on the resource or above it", "is the actor",
	} {
		if strings.Count(out, why) != 1 {
			t.Errorf("got\n%s\nwant %q once", out, why)
		}
	}
}

// TestExplainAs explains an activity with regard to its resource's owner, before and after a
// notification was stored.
func TestExplainAs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	id := w.record(t).ID
	as := func(principal uuid.UUID) string {
		t.Helper()
		out := must(t, w.environ(), "explain", id.String(), "--tenant", w.tenant.String(), "--as", principal.String())
		lines := []string{}
		for line := range strings.Lines(out) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		return strings.Join(lines, "\n")
	}
	wantLines := func(got string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !strings.Contains("\n"+got+"\n", "\n"+line+"\n") {
				t.Errorf("got\n%s\nwant the line %q", got, line)
			}
		}
	}
	wantLines(as(w.owner),
		"Now: yes, decided by the rule mode: the mode is mutations, and *.updated* matches resource.updated",
		"Then: not delivered yet",
		"concern passed owns the resource",
		"mode notified the mode is mutations, and *.updated* matches resource.updated (set by the installation)",
		"delivery notified stored in the inbox, and pushed (set by the installation)",
		"owner resource "+w.resource.String()+" - - -",
	)
	wantLines(as(uuid.New()),
		"Now: no, decided by the rule concern: neither follows nor owns the resource, and is neither a delegator "+
			"nor a target",
		"mode not reached",
	)
	for _, sql := range []string{
		`WITH settled AS (DELETE FROM fanfare.outbox WHERE tenant_id = $1)
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level) VALUES ($1, $2, $3, 'ignore')`,
		`WITH k AS (SELECT $3::uuid) INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons,
			resource_id, visibility, party)
		SELECT $1, $2, '` + id.String() + `', 2, k.uuid, 'r', false FROM k`,
	} {
		if _, err := w.db.Pool.Exec(t.Context(), sql, w.tenant, w.owner, w.resource); err != nil {
			t.Fatal(err)
		}
	}
	got := as(w.owner)
	if !strings.Contains(got, "Then: notified on ") || !strings.Contains(got, " as owner; not read") {
		t.Errorf("got\n%s\nwant the notification", got)
	}
	wantLines(as(uuid.New()), "Then: not notified, or the notification has been removed")
}
