package doctor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

func TestSkew(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	second := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Second))) }
	for name, c := range map[string]struct {
		r    reading
		want time.Duration
		warn string
	}{
		"same":                          {reading{second(0), second(1), second(0.5), second(0.5)}, 0, ""},
		"the network took its time":     {reading{second(0), second(9), second(8), second(8)}, 0, ""},
		"whole seconds, cut":            {reading{second(0.9), second(0.95), second(0), second(1)}, 0, ""},
		"a little ahead":                {reading{second(0), second(1), second(2.5), second(2.5)}, 1500 * time.Millisecond, ""},
		"ahead":                         {reading{second(0), second(1), second(5), second(5)}, 4 * time.Second, "ahead of ours by 4s"},
		"behind":                        {reading{second(10), second(11), second(5), second(6)}, -4 * time.Second, "behind ours by 4s"},
		"behind by what is still right": {reading{second(10), second(11), second(7), second(8)}, -2 * time.Second, ""},
	} {
		if got := c.r.skew(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		v := c.r.judge("PostgreSQL", "so what")
		if (v.status == Warn) != (c.warn != "") || !strings.Contains(v.detail, c.warn) {
			t.Errorf("%s: got %s, %q, want %q", name, v.status, v.detail, c.warn)
		}
	}
}

func TestJudgements(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		got    verdict
		status Status
		words  string
	}{
		"PostgreSQL 14":            {judgeVersion(14), Fail, "PostgreSQL 14 is too old upgrade it to 15 or newer"},
		"PostgreSQL 18":            {judgeVersion(18), OK, "PostgreSQL 18, at least 15 is needed"},
		"Centrifugo 4":             {judgeCentrifugo([]string{"5.4.9", "4.1.5"}, true), Fail, "Centrifugo 4.1.5 is too old upgrade it to v5 or v6"},
		"Centrifugo 5":             {judgeCentrifugo([]string{"5.4.9"}, true), OK, "Centrifugo 5.4.9 takes batches"},
		"Centrifugo 6":             {judgeCentrifugo([]string{"v6.2.0"}, true), OK, "Centrifugo v6.2.0 takes batches"},
		"Centrifugo 10":            {judgeCentrifugo([]string{"10.0.0"}, true), OK, "Centrifugo 10.0.0 takes batches"},
		"Centrifugos":              {judgeCentrifugo([]string{"5.4.9", "6.0.0"}, true), Warn, "different versions: 5.4.9, 6.0.0 finish the upgrade"},
		"a version without number": {judgeCentrifugo([]string{"edge"}, true), OK, "Centrifugo edge takes batches"},
		"nothing said, no batches": {judgeCentrifugo([]string{"0.0.0"}, false), Fail, "takes no batches, so it is too old upgrade it to v5 or v6"},
		"received twice":           {judgeDelivery(2, time.Millisecond, time.Second), Warn, "arrived 2 times see the engine of Centrifugo"},
		"connections in use":       {judgeConnections(room{most: 20, used: 15}, 11), Warn, "of the 20 that PostgreSQL allows 15 are in use raise max_connections"},
		"more than its own":        {judgeOwnChannel([]string{"news", "user:#a.b"}, "user:#a.b"), Warn, "more than its principal's own channel: news, user:#a.b"},
		"no clock":                 {centrifugoClock(context.Background(), &examination{}), Skipped, "no date"},
	} {
		if said := c.got.detail + " " + c.got.remedy; c.got.status != c.status || !strings.Contains(said, c.words) {
			t.Errorf("%s: got %s, %q, want %s, %q", name, c.got.status, said, c.status, c.words)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	got := worst(
		[]verdict{
			fine("a is well"),
			warn("b is odd", "look at b"),
			fail("c is wrong", "mend c"),
			fail("c is wrong", "mend c"),
		},
	)
	if want := (verdict{Fail, "b is odd; c is wrong", "look at b; mend c"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := worst([]verdict{fine("a"), fine("b")}), (verdict{OK, "a; b", ""}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestIndexServes(t *testing.T) {
	t.Parallel()
	plan := []byte(`[{"Plan": {"Node Type": "Hash Join", "Plans": [
		{"Node Type": "Seq Scan", "Relation Name": "grants", "Schema": "app", "Alias": "g",
		 "Filter": "((g.gone IS NULL) AND (g.org = 'T'::uuid) AND ((g.who)::uuid = 'V'::uuid))"},
		{"Node Type": "Hash", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "roles", "Schema": "app", "Alias": "r"}]}]}}]`)
	scans, err := readPlan(plan)
	if err != nil || len(scans) != 2 || scans[0].table != "grants" || scans[1].table != "roles" {
		t.Fatalf("got %+v, %v", scans, err)
	}
	for _, c := range []struct {
		index index
		want  bool
	}{
		{index{[]string{"org", "(who)::uuid"}, ""}, true},
		{index{[]string{"(who)::uuid", "role"}, "(gone IS NULL)"}, true},
		{index{[]string{"(who)::uuid"}, "(kind = 1)"}, false},
		{index{[]string{"org"}, ""}, false},
		{index{[]string{"org", "role", "(who)::uuid"}, ""}, false},
		{index{[]string{"who"}, ""}, false},
	} {
		if got := scans[0].servedBy(c.index, "V"); got != c.want {
			t.Errorf("%+v: got %t, want %t", c.index, got, c.want)
		}
	}
	if _, err := readPlan([]byte(`{`)); err == nil {
		t.Error("a plan that is cut off: got no error")
	}
}

// TestProblemsHaveARemedy: each sentence of the client's ends in what to do.
func TestProblemsHaveARemedy(t *testing.T) {
	t.Parallel()
	v := apiTrouble(
		centrifugo.Problem{
			Text: "Centrifugo at http://h:8000/api cannot be reached (dial tcp 1.2.3.4:8000: refused): start it, or correct --x.",
		},
	)
	if want := (verdict{Fail, "Centrifugo at http://h:8000/api cannot be reached (dial tcp 1.2.3.4:8000: refused)", "start it, or correct --x"}); v != want {
		t.Errorf("got %+v, want %+v", v, want)
	}
	if v := apiTrouble(centrifugo.Problem{Text: "It is broken."}); v.detail != "It is broken" || v.remedy == "" {
		t.Errorf("got %+v, want a remedy", v)
	}
}

// TestChecksStandInOrder: what a check needs was made before it, and no two have one name.
func TestChecksStandInOrder(t *testing.T) {
	t.Parallel()
	var made []string
	for _, c := range checks() {
		for _, need := range c.needs {
			if !slices.Contains(made, need) {
				t.Errorf("%s needs %s, which is not made before it", c.name, need)
			}
		}
		if slices.Contains(made, c.name) {
			t.Errorf("%s is there twice", c.name)
		}
		made = append(made, c.name)
	}
}

func TestRunStopsInTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	report := run(ctx, &examination{Options: Options{Timeout: time.Minute}}, []check{
		{"slow", nil, func(context.Context, *examination) verdict { cancel(); return fine("at last") }},
		{"late", nil, func(context.Context, *examination) verdict { return fail("it was made", "do not") }},
		{
			"later",
			[]string{"late"},
			func(context.Context, *examination) verdict { return fail("it was made", "do not") },
		},
	})
	if got := report.Checks; !report.OK || got[0].Status != OK || got[1].Status != Skipped ||
		got[2].Detail != "not checked: see late" {
		t.Errorf("got %+v", got)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	report := Report{Checks: []Check{
		{"a", OK, "is well", ""},
		{"bbb", Warn, "is odd", "look at it"},
		{"cc", Fail, "is wrong", "mend it"},
		{"d", Skipped, "not checked: see cc", ""},
	}}
	for color, want := range map[bool]string{
		false: `✓ a    is well
! bbb  is odd
       → look at it
✗ cc   is wrong
       → mend it
· d    not checked: see cc

1 of 4 checks are fine, 1 to look at, 1 wrong, 1 not checked.
`,
		true: "\x1b[32m✓\x1b[0m a    is well\n",
	} {
		var b strings.Builder
		if err := report.WriteText(&b, color); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want && (!color || !strings.HasPrefix(got, want)) {
			t.Errorf("colour %t: got\n%s\nwant\n%s", color, got, want)
		}
	}
}
