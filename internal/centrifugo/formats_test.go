package centrifugo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

func TestDefaultFormats(t *testing.T) {
	t.Parallel()
	channels := parse(t, centrifugo.Formats{})
	tenant := uuid.MustParse("0198f3a0-0000-7000-8000-0123456789ab")
	id := uuid.MustParse("FEDCBA98-7654-4321-8fed-cba987654321")
	for _, test := range []struct{ got, want string }{
		{
			channels.User(principalOf(tenant, id)),
			"user:#0198f3a0-0000-7000-8000-0123456789ab.fedcba98-7654-4321-8fed-cba987654321",
		},
		{
			channels.Resource(tenant, id),
			"resource:0198f3a0-0000-7000-8000-0123456789ab.fedcba98-7654-4321-8fed-cba987654321",
		},
		{channels.Tenant(tenant), "tenant:0198f3a0-0000-7000-8000-0123456789ab"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
	if got, want := channels.Namespaces(), []string{"resource", "tenant", "user"}; !slices.Equal(got, want) {
		t.Errorf("namespaces: got %q, want %q", got, want)
	}
}

func TestCustomFormats(t *testing.T) {
	t.Parallel()
	channels := parse(t, centrifugo.Formats{
		User:     "inbox:{principal}@{tenant}",
		Resource: "live:r-{resource}-of-{tenant}!",
		Tenant:   "stream:{tenant}",
	})
	tenant, id := uuid.New(), uuid.New()
	if got, want := channels.User(principalOf(tenant, id)), "inbox:"+id.String()+"@"+tenant.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := channels.Resource(tenant, id), "live:r-"+id.String()+"-of-"+tenant.String()+"!"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := channels.Namespaces(), []string{"inbox", "live", "stream"}; !slices.Equal(got, want) {
		t.Errorf("namespaces: got %q, want %q", got, want)
	}
}

func TestParseFormatsRejects(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		template string // of the user's channel
		rule     string
	}{
		"no tenant":             {"user:#{principal}", "must contain {tenant}"},
		"no principal":          {"user:#{tenant}", "must contain {principal}"},
		"another's placeholder": {"user:#{tenant}.{resource}", "unknown placeholder {resource}"},
		"unknown placeholder":   {"user:#{tenant}.{principal}{x}", "unknown placeholder {x}"},
		"twice":                 {"user:#{tenant}.{tenant}.{principal}", "{tenant} twice"},
		"open brace":            {"user:#{tenant}.{principal", "unmatched brace"},
		"closing brace":         {"user:#{tenant}.{principal}}", "unmatched brace"},
		"braces reversed":       {"user:#}{tenant}.{principal}", "unmatched brace"},
		"no namespace":          {"{tenant}.{principal}", "must begin with a namespace"},
		"namespace of an id":    {"{tenant}:{principal}", "must begin with a namespace"},
		"short namespace":       {"u:{tenant}.{principal}", "at least two characters"},
		"odd namespace":         {"us er:{tenant}.{principal}", "letters, digits"},
		"private":               {"$user:{tenant}.{principal}", "letters, digits"},
		"space":                 {"user:{tenant} {principal}", "printable ASCII"},
		"not ASCII":             {"user:{tenant}é{principal}", "printable ASCII"},
		"too long": {
			"user:{tenant}.{principal}" + strings.Repeat("x", 178),
			"256 bytes; the maximum is 255",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := centrifugo.ParseFormats(centrifugo.Formats{User: test.template})
			var broken *centrifugo.FormatError
			if !errors.As(err, &broken) {
				t.Fatalf("got %v, want a FormatError", err)
			}
			if broken.Format != "user" || broken.Template != test.template ||
				!strings.Contains(broken.Rule, test.rule) {
				t.Errorf("got %v, want %q broken for the user format", err, test.rule)
			}
		})
	}
}

func TestParseFormatsReportsEveryViolation(t *testing.T) {
	t.Parallel()
	_, err := centrifugo.ParseFormats(centrifugo.Formats{User: "x", Resource: "y", Tenant: "z"})
	for _, format := range []string{"user", "resource", "tenant"} {
		if err == nil || !strings.Contains(err.Error(), format+" channel format") {
			t.Errorf("got %v, want the %s format among the violations", err, format)
		}
	}
}

func TestParseFormatsKeepsKindsApart(t *testing.T) {
	t.Parallel()
	for _, f := range []centrifugo.Formats{
		{User: "all:{tenant}.{principal}", Resource: "all:{tenant}.{resource}"},
		{User: "tenant:{tenant}.{principal}"},
		{Tenant: "resource:{tenant}"},
	} {
		if _, err := centrifugo.ParseFormats(f); err == nil {
			t.Errorf("%+v: got no error, want a refusal of the shared namespace", f)
		}
	}
}

func TestCheckLiteral(t *testing.T) {
	t.Parallel()
	channels := parse(t, centrifugo.Formats{Tenant: "stream:{tenant}"})
	tenant := uuid.MustParse("0198f3a0-0000-7000-8000-0123456789ab")
	other := uuid.MustParse("0198f3a0-0000-7000-8000-0123456789ac")
	tests := map[string]struct {
		name string
		rule string
	}{
		"chat room":          {"chat:" + tenant.String() + ".room", ""},
		"default not in use": {"tenant:" + tenant.String() + ".x", ""},
		"other tenant":       {"chat:" + other.String() + ".room", "must have the form"},
		"prefix of tenant":   {"chat:" + tenant.String()[:8] + ".room", "must have the form"},
		"tenant run on":      {"chat:" + tenant.String() + "room", "must have the form"},
		"nothing after":      {"chat:" + tenant.String() + ".", "must have the form"},
		"tenant later":       {"chat:x." + tenant.String() + ".room", "must have the form"},
		"upper case":         {"chat:" + strings.ToUpper(tenant.String()) + ".room", "must have the form"},
		"no namespace":       {tenant.String() + ".room", "<namespace>:<tenant>.<rest>"},
		"reserved user":      {channels.User(principalOf(tenant, other)), `"user" is reserved`},
		"reserved resource":  {channels.Resource(tenant, other), `"resource" is reserved`},
		"reserved tenant":    {"stream:" + tenant.String() + ".x", `"stream" is reserved`},
		"private reserved":   {"$user:" + tenant.String() + ".x", "letters, digits"},
		"space":              {"chat:" + tenant.String() + ".a b", "printable ASCII"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := channels.CheckLiteral(test.name, tenant)
			if test.rule == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			var broken *centrifugo.ChannelError
			if !errors.As(err, &broken) || !strings.Contains(broken.Rule, test.rule) {
				t.Errorf("got %v, want a ChannelError with %q", err, test.rule)
			}
		})
	}
}

func TestRenderingAllocatesOnce(t *testing.T) {
	channels := parse(t, centrifugo.Formats{})
	tenant, id := uuid.New(), uuid.New()
	var sink string
	if got := testing.AllocsPerRun(100, func() { sink = channels.User(principalOf(tenant, id)) }); got > 1 {
		t.Errorf("got %v allocations, want 1", got)
	}
	_ = sink
}

func BenchmarkUser(b *testing.B) {
	channels := parse(b, centrifugo.Formats{})
	tenant, id := uuid.New(), uuid.New()
	b.ReportAllocs()
	for b.Loop() {
		channels.User(principalOf(tenant, id))
	}
}

// Valid formats render channels that clients can subscribe to, that differ by kind and by id, and
// that cannot be named literally.
func FuzzParseFormats(f *testing.F) {
	f.Add(centrifugo.DefaultUserFormat, centrifugo.DefaultResourceFormat, centrifugo.DefaultTenantFormat)
	f.Add("ab:{principal}{tenant}", "cd:{tenant}{resource}", "ef:x{tenant}")
	f.Add("ab:}{", "{{tenant}", "ab:{tenant}{tenant}")
	f.Fuzz(func(t *testing.T, user, resource, stream string) {
		channels, err := centrifugo.ParseFormats(centrifugo.Formats{User: user, Resource: resource, Tenant: stream})
		if err != nil {
			return
		}
		tenant, a, b := uuid.New(), uuid.New(), uuid.New()
		names := []string{
			channels.User(principalOf(tenant, a)), channels.User(principalOf(tenant, b)),
			channels.User(principalOf(a, tenant)), channels.User(principalOf(b, a)),
			channels.Resource(tenant, a), channels.Resource(tenant, b), channels.Tenant(tenant), channels.Tenant(a),
		}
		for _, name := range names {
			if err := centrifugo.CheckChannel(name); err != nil {
				t.Errorf("formats %q %q %q: %v", user, resource, stream, err)
			}
			if channels.CheckLiteral(name, tenant) == nil {
				t.Errorf("formats %q %q %q: literal %s accepted", user, resource, stream, name)
			}
		}
		slices.Sort(names)
		if len(slices.Compact(names)) != 8 {
			t.Errorf("formats %q %q %q: names collide: %q", user, resource, stream, names)
		}
	})
}

func FuzzCheckLiteral(f *testing.F) {
	channels := parse(f, centrifugo.Formats{})
	tenant := uuid.MustParse("0198f3a0-0000-7000-8000-0123456789ab")
	f.Add("chat:" + tenant.String() + ".room")
	f.Add("user:#" + tenant.String() + ".x")
	f.Add("$user:" + tenant.String() + ".x")
	f.Fuzz(func(t *testing.T, name string) {
		if channels.CheckLiteral(name, tenant) != nil {
			return
		}
		namespace, rest, _ := strings.Cut(name, ":")
		if slices.Contains(channels.Namespaces(), namespace) || !strings.HasPrefix(rest, tenant.String()+".") {
			t.Errorf("accepted %q", name)
		}
		if err := centrifugo.CheckChannel(name); err != nil {
			t.Error(err)
		}
	})
}

func parse(tb testing.TB, f centrifugo.Formats) *centrifugo.Channels {
	tb.Helper()
	channels, err := centrifugo.ParseFormats(f)
	if err != nil {
		tb.Fatal(err)
	}
	return channels
}
