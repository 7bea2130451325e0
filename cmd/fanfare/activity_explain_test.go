package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestActivityExplain explains an activity to candidates with every outcome. The taxonomy and the
// setting --mutations change it.
func TestActivityExplain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	args := []string{"activity", "explain", "--tenant", w.tenant.String()}
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
			"PRINCIPAL REASONS NOTIFIED WHY",
			"owner owner " + owner,
		}
	}
	const included = "yes has permission, and the preference includes the action"
	const excluded = "no the filter mode mutations does not include resource.updated; " +
		"the taxonomy (notify), the setting --mutations or a preference can"
	for _, test := range []struct {
		notify string
		more   []string
		want   string
	}{
		{"", nil, included},
		{"", []string{id.String()}, included},
		{"", []string{"--mutations", "transfer.*"}, excluded},
		{"optional", nil, excluded},
		{"mandatory", []string{"--mutations", "transfer.*"}, included},
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
