package centrifugo_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

func TestCheckChannel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name string
		rule string // a part of the broken rule; empty when there is none
	}{
		"personal":              {name: "user:#t.p"},
		"private":               {name: "$chat:room"},
		"no namespace":          {name: "news"},
		"second colon":          {name: "chat:a:b"},
		"shortest namespace":    {name: "ab:"},
		"longest":               {name: strings.Repeat("x", 255)},
		"empty":                 {name: "", rule: "must not be empty"},
		"too long":              {name: strings.Repeat("x", 256), rule: "256 bytes; the maximum is 255"},
		"space":                 {name: "chat:a b", rule: "printable ASCII"},
		"newline":               {name: "chat:a\n", rule: "printable ASCII"},
		"delete":                {name: "chat:\x7f", rule: "printable ASCII"},
		"not ASCII":             {name: "chat:é", rule: "printable ASCII"},
		"one-letter namespace":  {name: "c:room", rule: "at least two characters"},
		"empty namespace":       {name: ":room", rule: "at least two characters"},
		"private, no namespace": {name: "$:room", rule: "at least two characters"},
		"odd namespace":         {name: "us#er:1", rule: "letters, digits"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := centrifugo.CheckChannel(test.name)
			if test.rule == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			var broken *centrifugo.ChannelError
			if !errors.As(err, &broken) || broken.Channel != test.name || !strings.Contains(broken.Rule, test.rule) {
				t.Errorf("got %v, want a ChannelError with %q", err, test.rule)
			}
		})
	}
}

func FuzzCheckChannel(f *testing.F) {
	for _, name := range []string{"user:#t.p", "", "a:b", "$x:", "$$ab:", ":", "é", "\x00", strings.Repeat("a", 256)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if centrifugo.CheckChannel(name) != nil {
			return
		}
		if name == "" || len(name) > centrifugo.MaxChannelBytes {
			t.Fatalf("accepted %q of %d bytes", name, len(name))
		}
		for i := range len(name) {
			if name[i] < 0x21 || name[i] > 0x7e {
				t.Fatalf("accepted %q with byte %#x", name, name[i])
			}
		}
		if namespace, _, ok := strings.Cut(strings.TrimPrefix(name, "$"), ":"); ok && len(namespace) < 2 {
			t.Fatalf("accepted %q with the namespace %q", name, namespace)
		}
	})
}
