package demo

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func newResult() Result {
	return Result{
		Number: 3, Title: "A change", Tenant: aurora, Action: "resource.updated", Committed: true,
		Story: "Ines makes a change whose story has more words than fit into one line of this width, so that " +
			"it is wrapped.",
		Recipients: []Recipient{{Who: ada, Reasons: []string{"delegator"}, Milliseconds: 4.24}},
		InboxOnly:  []Recipient{{Who: eva, Reasons: []string{"target"}}},
		Shared:     []Recipient{{Who: screen, Channel: "tenant", Milliseconds: 12}},
		Others: []Other{
			{Who: ines, Tenant: aurora, Why: Actor, Detail: "the actor"},
			{Who: chen, Tenant: aurora, Why: Filtered, Detail: "wants only run.*, promotion.*"},
			{Who: dilan, Tenant: aurora, Why: LostRole, Detail: "lost the role"},
			{Who: gus, Tenant: aurora, Why: LostRole, Detail: "lost the role"},
			{Who: ada, Tenant: borealis, Why: OtherTenant, Detail: "another tenant"},
			{Who: noor, Tenant: borealis, Why: OtherTenant, Detail: "another tenant"},
		},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	id := resourceID(carry).String()
	for name, test := range map[string]struct {
		shown shown
		want  string
	}{
		"a scene": {newResult(), `
 3  A change                                                       resource.updated · Aurora Capital
    Ines makes a change whose story has more words than fit into one line of this width, so that it
    is wrapped.
    ● Ada    delegator                  4.2 ms    ○ Chen: wants only run.*, promotion.*
    ◐ Eva    target, muted               inbox    ○ Dilan, Gus: lost the role
    ▣ Wall   tenant's stream           12.0 ms    ○ Ines: the actor
                                                  ○ all 2 of Borealis Labs: another tenant
`},
		"a scene without recipients": {Result{
			Number: 12, Title: "Silence", Story: "Nothing.", Tenant: aurora, Action: "resource.updated",
			Others: []Other{
				{Who: ines, Tenant: aurora, Why: NotCommitted, Detail: "nothing was committed"},
				{Who: ada, Tenant: borealis, Why: NotCommitted, Detail: "nothing was committed"},
			},
			Mismatches: []string{"in the log: got true, want false"},
		}, `
12  Silence                                                        resource.updated · Aurora Capital
    Nothing.
      no recipients                               ○ all 2 of both tenants: nothing was committed
    ✗ MISMATCH  in the log: got true, want false
`},
		"a scene of the API": {Result{
			Number: 5, Title: "A request", Story: "Nothing happens.", Tenant: aurora,
			Requests: []Request{
				{
					Who: ada, Tenant: aurora, Method: "GET", Path: "/v1/activities/" + id,
					Status: 200, Note: "her own", Milliseconds: 3,
				},
				{
					Who: ada, Tenant: borealis, Method: "PATCH", Path: "/v1/notifications/" + id,
					Body: json.RawMessage(`{"read":true}`), Status: 404, Milliseconds: 12.04,
				},
				{
					Who: ines, Tenant: aurora, Method: "GET",
					Path: "/v1/activities?action=" + strings.Repeat("long.", 20), Status: 200,
				},
			},
			Unread: []Unread{{Who: ada, Count: 0, Milliseconds: 5}},
		}, `
 5  A request                                                               the API · Aurora Capital
    Nothing happens.
    ⇄ Ada             GET /v1/activities/92e3…8220                            200, her own    3.0 ms
    ⇄ Ada of Borealis PATCH /v1/notifications/92e3…8220                                404   12.0 ms
                      {"read":true}
    ⇄ Ines            GET /v1/activities?action=long.long.long.long.long.long.long.l…  200    0.0 ms
    ● Ada    unread count: 0            5.0 ms
`},
		"a summary": {Summary{
			Scenes: 15, Committed: 14, RolledBack: 1, Deliveries: 30, Shared: 12, InboxRows: 31, P50: 4.04, P99: 12.5,
			Requests: 6, RequestP99: 21, DeadLetters: 1, Mismatches: 1,
			Discrepancies: []string{"dead letters: got 1, want 0"}, Seconds: 19.96,
		}, `
────────────────────────────────────────────────────────────────────────────────────────────────────
    Summary  ✗ 1 MISMATCH

    activities committed              14        commit to socket, p50         4.0 ms
    rolled back                        1        commit to socket, p99        12.5 ms
    pushes to people                  30        dead letters                       1
    on shared channels                12        mismatches                         1
    inbox rows                        31        API request, p99             21.0 ms
    API requests                       6        duration                      20.0 s
    ✗ MISMATCH  dead letters: got 1, want 0

`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.shown.text(false)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestColour shows that colour changes nothing but escape sequences, and that every line fits.
func TestColour(t *testing.T) {
	t.Parallel()
	escape := regexp.MustCompile("\x1b\\[[0-9;]*m")
	live := Live{Who: ada, Tenant: borealis, Channel: "user", Summary: strings.Repeat("long ", 20), Milliseconds: 3}
	for name, shown := range map[string]shown{
		"title":      title{},
		"progress":   progress{"PostgreSQL", "started"},
		"cast":       cast(newWorld()),
		"scene":      newResult(),
		"requests":   Result{Requests: []Request{{Who: ada, Path: "/v1/activities", Body: json.RawMessage("{}")}}},
		"summary":    Summary{Mismatches: 2, Discrepancies: []string{"x"}},
		"farewell":   farewell{},
		"connection": Connection{Who: farid + " of " + aurora, Setup: "API=…", Commands: commands()},
		"live":       live,
		"live count": liveOf(message{unread: new(3), channel: "user"}, newWorld()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, coloured := shown.text(false), shown.text(true)
			if strings.Contains(plain, "\x1b") {
				t.Errorf("an escape sequence in plain text:\n%q", plain)
			}
			if !strings.Contains(coloured, "\x1b") {
				t.Error("no colour")
			}
			if diff := cmp.Diff(plain, escape.ReplaceAllString(coloured, "")); diff != "" {
				t.Errorf("(-plain +coloured)\n%s", diff)
			}
			for line := range strings.SplitSeq(plain, "\n") {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("%d columns, want at most %d:\n%s", n, width, line)
				}
			}
		})
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		n    int
		want []string
	}{
		{"", 5, []string{""}},
		{"one two", 7, []string{"one two"}},
		{"one two", 6, []string{"one", "two"}},
		{"unbreakable word", 4, []string{"unbreakable", "word"}},
		{"äöü äöü", 7, []string{"äöü äöü"}},
	} {
		if diff := cmp.Diff(test.want, wrap(test.text, test.n)); diff != "" {
			t.Errorf("wrap %q at %d (-want +got)\n%s", test.text, test.n, diff)
		}
	}
}
