package template_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy/template"
)

func parse(t testing.TB, text string) template.Template {
	t.Helper()
	p, err := template.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAppend(t *testing.T) {
	t.Parallel()
	a := activity.Activity{
		ResourceType: "pipeline_def",
		ResourceName: "Prices",
		Action:       "pipeline_def.deployed",
		Status:       activity.Failure,
		Severity:     activity.Error,
		Payload: json.RawMessage(`{"n": 12.50, "ok":true, "none":null, "run":{"id":"r-7","list":[1]},
			"text":"a\u00e9\n\"b\"", "k\u0065y":"escaped", "deep":{"er":{"x":"y"}}, "twice":1, "twice":{"x":2},
			"scalar":{"x":1}, "scalar":3, "": "empty", "long":"` + strings.Repeat("é", 600) + `"}`),
	}
	nameless := a
	nameless.ResourceName = ""
	for name, tc := range map[string]struct {
		a                 activity.Activity
		text, actor, want string
	}{
		"empty text":     {a, "", "Ada", ""},
		"no placeholder": {a, "Signal created", "Ada", "Signal created"},
		"every placeholder": {
			a, "{actor}|{resource}|{resource_type}|{action}|{status}|{severity}", "Ada",
			"Ada|Prices|pipeline_def|pipeline_def.deployed|failure|error",
		},
		"braces":                  {a, "{{{actor}}} {{}} }}{{", "Ada", "{Ada} {} }{"},
		"no actor, first":         {a, "{actor} deployed it", "", "Someone deployed it"},
		"no actor, later":         {a, "deployed by {actor}", "", "deployed by someone"},
		"no name, first":          {nameless, "{resource} was deployed", "Ada", "The pipeline def was deployed"},
		"no name, later":          {nameless, "{actor} deployed {resource}", "Ada", "Ada deployed the pipeline def"},
		"number":                  {a, "{payload.n}", "", "12.50"},
		"boolean":                 {a, "{payload.ok}", "", "true"},
		"null":                    {a, "<{payload.none}>", "", "<>"},
		"string":                  {a, "{payload.run.id}", "", "r-7"},
		"object":                  {a, "<{payload.run}>", "", "<>"},
		"list":                    {a, "<{payload.run.list}>", "", "<>"},
		"missing":                 {a, "<{payload.score}>", "", "<>"},
		"missing below":           {a, "<{payload.run.score}>", "", "<>"},
		"below a leaf":            {a, "<{payload.n.x}>", "", "<>"},
		"one line":                {a, "{payload.text}", "", `aé "b"`},
		"escaped key":             {a, "{payload.key}", "", "escaped"},
		"deep":                    {a, "{payload.deep.er.x}", "", "y"},
		"equal keys, object last": {a, "<{payload.twice}{payload.twice.x}>", "", "<2>"},
		"equal keys, scalar last": {a, "<{payload.scalar}{payload.scalar.x}>", "", "<3>"},
		"several values":          {a, "{payload.run.id} {payload.n} {payload.run.id}", "", "r-7 12.50 r-7"},
		"long":                    {a, "{payload.long}!", "", strings.Repeat("é", 499) + "…"},
		"invalid UTF-8":           {a, "{actor}", "A\xffa", "A\uFFFDa"},
		"control characters":      {a, "{actor}", "A\r\nd\u0085a", "A  d a"},
		"no payload":              {activity.Activity{}, "<{payload.n}>", "", "<>"},
	} {
		p := parse(t, tc.text)
		if got := string(p.Append([]byte("before:"), &tc.a, tc.actor)); got != "before:"+tc.want {
			t.Errorf("%s: got %q, want %q", name, got, "before:"+tc.want)
		}
		if p.String() != tc.text {
			t.Errorf("%s: got the text %q, want %q", name, p.String(), tc.text)
		}
	}
}

func TestPayloadPaths(t *testing.T) {
	t.Parallel()
	got := parse(t, "{actor} {payload.a} {payload.run.id-2}").PayloadPaths()
	if diff := cmp.Diff([][]string{{"a"}, {"run", "id-2"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseReportsTheFirstViolation(t *testing.T) {
	t.Parallel()
	const (
		names = "must be {actor}, {resource}, {resource_type}, {action}, {status}, {severity} or {payload.<key>}"
		brace = "must not contain an unpaired brace; write {{ or }} for a literal brace"
		keys  = "must name 1 to 8 keys: {payload.score}, {payload.run.id}"
		plain = "the text must be valid UTF-8 without control characters"
	)
	for text, want := range map[string]string{
		"{foo}":                       `character 1: "{foo}" ` + names,
		"é {Actor}":                   `character 3: "{Actor}" ` + names,
		"{}":                          `character 1: "{}" ` + names,
		"a {actor":                    `character 3: "{actor" ` + brace,
		"a } b":                       `character 3: "} b" ` + brace,
		"{actor{resource}":            `character 1: "{actor{resource}" ` + brace,
		"{actor}}":                    `character 8: "}" ` + brace,
		"{payload}":                   `character 1: "{payload}" ` + keys,
		"{payload.}":                  `character 1: "{payload.}" must name keys of letters, digits, _ and -`,
		"{payload.a b}":               `character 1: "{payload.a b}" must name keys of letters, digits, _ and -`,
		"{payload.1.2.3.4.5.6.7.8.9}": `character 1: "{payload.1.2.3.4.5.6.7.8.9}" ` + keys,
		strings.Repeat("{payload.a}", 17): `character 177: "{payload.a}" ` +
			"must be one of at most 16 values of the payload",
		strings.Repeat("é", 501): "the text must be at most 500 characters",
		"a\nb":                   plain,
		"a\xffb":                 plain,
	} {
		_, err := template.Parse(text)
		var syntaxErr *template.SyntaxError
		if !errors.As(err, &syntaxErr) || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// FuzzTemplate checks that a valid template renders one line of bounded length, and each value of
// the payload as encoding/json reads it.
func FuzzTemplate(f *testing.F) {
	f.Add("{actor} created {resource}", `{"a":1}`, "Ada", "Momentum")
	f.Add("{payload.a.b}", `{"a":{"b":"\u00e9\\"},"a":{"b":[1]}}`, "", "")
	f.Add("{payload.a}{payload.a.b}", ` { "a" : {"b" : -1e5 } , "b":"}" }`, "\xff", "\x00")
	f.Add("{payload.a}", `{"a":"`, "", "")
	f.Add("{payload.a}", `{"b":[{"a":1}],"\u0061":"x"}`, "", "")
	f.Fuzz(func(t *testing.T, text, payload, actor, resource string) {
		a := activity.Activity{
			ResourceType: "signal",
			ResourceName: resource,
			Action:       "signal.created",
			Payload:      json.RawMessage(payload),
		}
		p, err := template.Parse(text)
		if err != nil {
			return
		}
		got := p.Append(nil, &a, actor)
		if n := utf8.RuneCount(got); !utf8.Valid(got) || n > template.MaxRunes ||
			strings.ContainsAny(string(got), "\x00\n\r") {
			t.Fatalf("got %q, %d characters, want one line of valid UTF-8 with at most %d", got, n, template.MaxRunes)
		}
		for _, path := range p.PayloadPaths() {
			one := parse(t, "{payload."+strings.Join(path, ".")+"}")
			want := ""
			if value, ok := lookup(payload, path); ok {
				want = string(parse(t, "{resource}").Append(nil, &activity.Activity{ResourceName: value}, ""))
				if value == "" {
					want = ""
				}
			} else if !json.Valid([]byte(payload)) {
				continue
			}
			if got := string(one.Append(nil, &a, "")); got != want {
				t.Fatalf("%s of %s: got %q, want %q", one, payload, got, want)
			}
		}
	})
}

// lookup returns the text of the value at a path, read by encoding/json.
func lookup(payload string, path []string) (string, bool) {
	var object map[string]json.RawMessage
	for _, key := range path {
		if json.Unmarshal([]byte(payload), &object) != nil {
			return "", false
		}
		value, ok := object[key]
		if !ok {
			return "", false
		}
		payload, object = string(value), nil
	}
	switch payload[0] {
	case '{', '[', 'n':
		return "", false
	case '"':
		var text string
		err := json.Unmarshal([]byte(payload), &text)
		return text, err == nil
	}
	return payload, true
}
