package demo

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func aResult() Result {
	return Result{
		Number: 3, Title: "Somebody hears", Story: "Ines does something that takes so many words to tell that they do not fit into one line of this width.",
		Tenant: aurora, Action: "resource.updated", Committed: true,
		Heard:     []Heard{{Who: ada, Reasons: []string{"delegator"}, Milliseconds: 4.24}},
		InboxOnly: []Heard{{Who: eva, Reasons: []string{"target"}}},
		Shared:    []Heard{{Who: screen, Channel: "tenant", Milliseconds: 12}},
		Silent: []Silent{
			{Who: ines, Tenant: aurora, Why: Actor, Detail: "did it"},
			{Who: chen, Tenant: aurora, Why: Filtered, Detail: "wants only run.*, promotion.*"},
			{Who: dilan, Tenant: aurora, Why: LostRole, Detail: "lost the role"},
			{Who: gus, Tenant: aurora, Why: LostRole, Detail: "lost the role"},
			{Who: ada, Tenant: borealis, Why: OtherTenant, Detail: "another tenant"},
			{Who: noor, Tenant: borealis, Why: OtherTenant, Detail: "another tenant"},
		},
	}
}

func TestRenderScene(t *testing.T) {
	t.Parallel()
	const want = `
 3  Somebody hears                                                 resource.updated · Aurora Capital
    Ines does something that takes so many words to tell that they do not fit into one line of this
    width.
    ● Ada    delegator                  4.2 ms    ○ Chen: wants only run.*, promotion.*
    ◐ Eva    target, muted               inbox    ○ Dilan, Gus: lost the role
    ▣ Wall   tenant's stream           12.0 ms    ○ Ines: did it
                                                  ○ all 2 of Borealis Labs: another tenant
`
	if diff := cmp.Diff(want, renderScene(aResult(), false)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRenderSceneThatNobodyHears(t *testing.T) {
	t.Parallel()
	r := Result{
		Number: 12, Title: "Silence", Story: "Nothing.", Tenant: aurora, Action: "resource.updated",
		Silent: []Silent{
			{Who: ines, Tenant: aurora, Why: NotCommitted, Detail: "nothing was committed"},
			{Who: ada, Tenant: borealis, Why: NotCommitted, Detail: "nothing was committed"},
		},
		Mismatches: []string{"in the log: got true, want false"},
	}
	const want = `
12  Silence                                                        resource.updated · Aurora Capital
    Nothing.
      nobody                                      ○ all 2 of both tenants: nothing was committed
    ✗ MISMATCH  in the log: got true, want false
`
	if diff := cmp.Diff(want, renderScene(r, false)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRenderSummary(t *testing.T) {
	t.Parallel()
	s := Summary{
		Scenes: 15, Committed: 14, RolledBack: 1, Deliveries: 30, Shared: 12, InboxRows: 31, P50: 4.04, P99: 12.5, Requests: 6, RequestP99: 21,
		DeadLetters: 1, Mismatches: 1, Discrepancies: []string{"dead letters: got 1, want 0"}, Seconds: 19.96,
	}
	const want = `
────────────────────────────────────────────────────────────────────────────────────────────────────
    Summary  ✗ 1 MISMATCH

    activities committed              14        commit to socket, p50         4.0 ms
    rolled back                        1        commit to socket, p99        12.5 ms
    deliveries to people              30        dead letters                       1
    on shared channels                12        mismatches                         1
    inbox rows                        31        request to answer, p99       21.0 ms
    requests to the API                6        wall time                     20.0 s
    ✗ MISMATCH  dead letters: got 1, want 0

`
	if diff := cmp.Diff(want, renderSummary(s, false)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRenderSceneOfTheAPI(t *testing.T) {
	t.Parallel()
	id := resourceID(carry).String()
	r := Result{
		Number: 5, Title: "Somebody asks", Story: "Nothing happens.", Tenant: aurora,
		Requests: []Request{
			{
				Who:          ada,
				Tenant:       aurora,
				Method:       "GET",
				Path:         "/v1/activities/" + id,
				Status:       200,
				Note:         "hers",
				Milliseconds: 3,
			},
			{
				Who:          ada,
				Tenant:       borealis,
				Method:       "PATCH",
				Path:         "/v1/notifications/" + id,
				Body:         json.RawMessage(`{"read":true}`),
				Status:       404,
				Milliseconds: 12.04,
			},
			{
				Who:    ines,
				Tenant: aurora,
				Method: "GET",
				Path:   "/v1/activities?action=" + strings.Repeat("long.", 20),
				Status: 200,
			},
		},
		Unread: []Unread{{Who: ada, Count: 0, Milliseconds: 5}},
	}
	const want = `
 5  Somebody asks                                                           the API · Aurora Capital
    Nothing happens.
    ⇄ Ada             GET /v1/activities/92e3…8220                               200, hers    3.0 ms
    ⇄ Ada of Borealis PATCH /v1/notifications/92e3…8220                                404   12.0 ms
                      {"read":true}
    ⇄ Ines            GET /v1/activities?action=long.long.long.long.long.long.long.l…  200    0.0 ms
    ● Ada    unread count: 0            5.0 ms
`
	if diff := cmp.Diff(want, renderScene(r, false)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCommandsFitTheWidth(t *testing.T) {
	t.Parallel()
	text := renderCommands(Connection{Who: farid + " of " + aurora, Setup: "API=…", Commands: commands()}, false)
	for line := range strings.Lines(text) {
		if n := runes(strings.TrimSuffix(line, "\n")); n > width {
			t.Errorf("%d columns, %d are there:\n%s", n, width, line)
		}
	}
}

// Colour adds to the text and changes nothing in it, and without it there is no escape sequence at
// all.
func TestColour(t *testing.T) {
	t.Parallel()
	escape := regexp.MustCompile("\x1b\\[[0-9;]*m")
	live := Live{
		At:           time.Unix(0, 0),
		Who:          ada,
		Tenant:       borealis,
		Channel:      "user",
		Summary:      strings.Repeat("long ", 20),
		Milliseconds: 3,
	}
	for name, render := range map[string]func(p paint) string{
		"title":    renderTitle,
		"progress": func(p paint) string { return renderProgress("PostgreSQL", "up", p) },
		"cast":     func(p paint) string { return renderCast(newWorld(), p) },
		"scene":    func(p paint) string { return renderScene(aResult(), p) },
		"summary":  func(p paint) string { return renderSummary(Summary{Mismatches: 2, Discrepancies: []string{"x"}}, p) },
		"farewell": renderFarewell,
		"requests": func(p paint) string {
			return renderRequests(Result{Requests: []Request{{Who: ada, Path: "/v1/activities", Body: json.RawMessage("{}")}}}, p)
		},
		"live": func(p paint) string { return renderLive(live, p) },
		"live count": func(p paint) string {
			return renderLive(liveOf(sound{unread: new(3), channel: "user"}, newWorld()), p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, coloured := render(false), render(true)
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
					t.Errorf("%d columns, %d are there:\n%s", n, width, line)
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
