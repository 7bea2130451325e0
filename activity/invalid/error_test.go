package invalid_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

func TestErrorNamesEveryField(t *testing.T) {
	t.Parallel()
	err := &invalid.Error{Fields: []invalid.Field{
		{Name: "resource_type", Rule: "is required"},
		{Name: "status", Value: "bad\n", Rule: "must be one of success, failure"},
	}}
	const want = `envelope refused: resource_type is required; status "bad\n" must be one of success, failure`
	if got := err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	err.Subject = "filter"
	const moved = `filter refused: envelopes[3].resource_type is required; ` +
		`envelopes[3].status "bad\n" must be one of success, failure`
	if got := err.At("envelopes[3].").Error(); got != moved {
		t.Errorf("got  %s\nwant %s", got, moved)
	}
	if got := err.Fields[0].Name; got != "resource_type" {
		t.Errorf("after At: got field %q, want the original unchanged", got)
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	t.Parallel()
	err := &invalid.Error{}
	for i := range 100 {
		err.Fields = append(err.Fields, invalid.Field{Name: fmt.Sprint("field", i), Rule: "is required"})
	}
	if got := err.Error(); len(got) > 1000 || !strings.HasSuffix(got, " more") {
		t.Errorf("got %d bytes, want at most 1000 that end in the number of further fields: %s", len(got), got)
	}
	for _, value := range []string{
		strings.Repeat("\x01", 1000),
		strings.Repeat("é", 1000),
		strings.Repeat("\xff", 1000),
	} {
		got := invalid.Field{Name: "q", Value: value, Rule: "must be shorter"}.Error()
		if len(got) > 1000 || !utf8.ValidString(got) {
			t.Errorf("got %d bytes, want at most 1000 of valid UTF-8: %s", len(got), got)
		}
	}
}
