package logtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
)

func refusedFields(err error) (fields []string) {
	invalidErr := (*invalid.Error)(nil)
	if errors.As(err, &invalidErr) {
		for _, f := range invalidErr.Fields {
			fields = append(fields, f.Name)
		}
	}
	return fields
}

func refuses(t *testing.T, s Subject) {
	log, tenant := s.Open(t, activity.Hooks{}), uuid.New()
	changed := func(change func(e *activity.Envelope)) activity.Envelope {
		e := envelope(tenant)
		change(&e)
		return e
	}
	noAction := changed(func(e *activity.Envelope) { e.Action = "" })
	for name, tt := range map[string]struct {
		envelopes []activity.Envelope
		fields    []string
	}{
		"nothing given": {
			[]activity.Envelope{{}},
			[]string{"tenant_id", "actor_principal_id", "resource_id", "resource_type", "action"},
		},
		"one field": {[]activity.Envelope{noAction}, []string{"action"}},
		"one of many": {
			[]activity.Envelope{envelope(tenant), envelope(tenant), noAction},
			[]string{"envelopes[2].action"},
		},
		"two of many": {
			[]activity.Envelope{noAction, envelope(tenant), changed(func(e *activity.Envelope) { e.Status = "?" })},
			[]string{"envelopes[0].action", "envelopes[2].status"},
		},
		"a payload's kind": {
			[]activity.Envelope{changed(func(e *activity.Envelope) { e.Payload = 7 })},
			[]string{"payload"},
		},
		"a large payload": {
			[]activity.Envelope{
				changed(func(e *activity.Envelope) {
					e.Payload = map[string]string{"text": strings.Repeat("x", 64<<10)}
				}),
			},
			[]string{"payload"},
		},
		"a large payload among many": {
			[]activity.Envelope{
				envelope(tenant),
				changed(func(e *activity.Envelope) {
					e.Payload = map[string]string{"text": strings.Repeat("x", 64<<10)}
				}),
			},
			[]string{"envelopes[1].payload"},
		},
	} {
		recorded, err := log.Append(t.Context(), tt.envelopes...)
		if diff := cmp.Diff(tt.fields, refusedFields(err)); diff != "" || recorded != nil {
			t.Errorf("%s: got %v, %v; fields refused (-want +got):\n%s", name, recorded, err, diff)
		}
	}
	if found := all(t, log, tenant, activity.Filter{}, 10); len(found) != 0 {
		t.Errorf("got refused envelopes recorded: %v", found)
	}
	if recorded, err := log.Append(t.Context()); len(recorded) != 0 || err != nil {
		t.Errorf("no envelopes: got %v, %v, want no activities", recorded, err)
	}
}
