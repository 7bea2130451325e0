package activity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/activitytest"
)

var (
	tenant   = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	actor    = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	resource = uuid.MustParse("33333333-3333-4333-8333-333333333333")
)

func anEnvelope() activity.Envelope {
	e := activitytest.NewEnvelope()
	e.TenantID, e.ActorPrincipalID, e.ResourceID = tenant, actor, resource
	return e
}

// violation is an invalid.Field that a table can spell without keys.
type violation invalid.Field

// violations returns the violations that an *invalid.Error reports, none for a nil error.
func violations(t testing.TB, err error) (found []violation) {
	t.Helper()
	if err == nil {
		return nil
	}
	invalidErr := (*invalid.Error)(nil)
	if !errors.As(err, &invalidErr) {
		t.Fatalf("got %v, want an *invalid.Error", err)
	}
	for _, f := range invalidErr.Fields {
		found = append(found, violation(f))
	}
	return found
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("no form") }

func TestValidate(t *testing.T) {
	t.Parallel()
	const (
		actionRule  = "must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot"
		channelRule = "must be user, resource, tenant, or <namespace>:<tenant_id>.<rest> of the same tenant: " +
			"at most 255 printable ASCII characters, in a namespace of its own"
		textRule = "must be valid UTF-8 without NUL"
	)
	deep := func(levels int) json.RawMessage {
		return json.RawMessage(`{"a":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`)
	}
	type fields = []violation
	for name, tc := range map[string]struct {
		change func(e *activity.Envelope)
		want   fields
	}{
		"the least that will do": {func(*activity.Envelope) {}, nil},
		"tenant missing": {
			func(e *activity.Envelope) { e.TenantID = uuid.Nil },
			fields{{"tenant_id", "", "is required"}},
		},
		"actor missing": {
			func(e *activity.Envelope) { e.ActorPrincipalID = uuid.Nil },
			fields{{"actor_principal_id", "", "is required"}},
		},
		"resource missing": {
			func(e *activity.Envelope) { e.ResourceID = uuid.Nil },
			fields{{"resource_id", "", "is required"}},
		},
		"type missing": {
			func(e *activity.Envelope) { e.ResourceType = "" },
			fields{{"resource_type", "", "is required"}},
		},
		"action missing": {func(e *activity.Envelope) { e.Action = "" }, fields{{"action", "", "is required"}}},
		"33 targets": {
			func(e *activity.Envelope) { e.TargetPrincipalIDs = make([]uuid.UUID, 33) },
			fields{{"target_principal_ids", "33 principals", "must be at most 32 principals"}},
		},
		"type at its limit": {func(e *activity.Envelope) { e.ResourceType = strings.Repeat("漢", 100) }, nil},
		"type over its limit": {
			func(e *activity.Envelope) { e.ResourceType = strings.Repeat("漢", 101) },
			fields{{"resource_type", strings.Repeat("漢", 100), "must be 1 to 100 characters"}},
		},
		"type not UTF-8": {
			func(e *activity.Envelope) { e.ResourceType = "a\xff" },
			fields{{"resource_type", "a\uFFFD", textRule}},
		},
		"type with NUL": {
			func(e *activity.Envelope) { e.ResourceType = "a\x00" },
			fields{{"resource_type", "a\uFFFD", textRule}},
		},
		"action of one word": {
			func(e *activity.Envelope) { e.Action = "created" },
			fields{{"action", "created", actionRule}},
		},
		"action in capitals": {
			func(e *activity.Envelope) { e.Action = "Signal.Created" },
			fields{{"action", "Signal.Created", actionRule}},
		},
		"action not UTF-8": {
			func(e *activity.Envelope) { e.Action = "a.\xff" },
			fields{{"action", "a.\uFFFD", actionRule}},
		},
		"action very long": {
			func(e *activity.Envelope) { e.Action = "a." + strings.Repeat("b", 1<<20) },
			fields{{"action", "a." + strings.Repeat("b", 98), actionRule}},
		},
		"visibility unknown": {
			func(e *activity.Envelope) { e.Visibility = "public" },
			fields{{"visibility", "public", "must be one of private, resource, scope, tenant"}},
		},
		"status unknown": {
			func(e *activity.Envelope) { e.Status = "maybe" },
			fields{{"status", "maybe", "must be one of success, failure"}},
		},
		"severity unknown": {
			func(e *activity.Envelope) { e.Severity = "fatal" },
			fields{{"severity", "fatal", "must be one of info, warning, error, critical"}},
		},
		"category too long": {
			func(e *activity.Envelope) { e.Category = strings.Repeat("c", 101) },
			fields{{"category", strings.Repeat("c", 100), "must be 1 to 100 characters"}},
		},
		"long texts are cut": {func(e *activity.Envelope) {
			e.Message, e.ResourceName = strings.Repeat("m", 1<<20), strings.Repeat("r", 1<<20)
		}, nil},
		"texts with NUL": {
			func(e *activity.Envelope) {
				e.Message, e.RequestID, e.UserAgent, e.ResourceName = "m\x00", "r\x00", "u\x00", "n\x00"
			},
			fields{
				{"resource_name", "n\uFFFD", textRule},
				{"message", "m\uFFFD", textRule},
				{"request_id", "r\uFFFD", textRule},
				{"user_agent", "u\uFFFD", textRule},
			},
		},
		"IPv4": {func(e *activity.Envelope) { e.IP = "203.0.113.7" }, nil},
		"IPv6": {func(e *activity.Envelope) { e.IP = "2001:db8::1" }, nil},
		"IP with a zone": {
			func(e *activity.Envelope) { e.IP = "fe80::1%eth0" },
			fields{{"ip", "", "must be an IPv4 or IPv6 address"}},
		},
		"IP with a mask": {
			func(e *activity.Envelope) { e.IP = "203.0.113.7/24" },
			fields{{"ip", "", "must be an IPv4 or IPv6 address"}},
		},
		"traceparent": {
			func(e *activity.Envelope) { e.Traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
			nil,
		},
		"traceparent malformed": {
			func(e *activity.Envelope) { e.Traceparent = "00-0" },
			fields{{"traceparent", "00-0", "must be a W3C traceparent"}},
		},
		"the last moment": {
			func(e *activity.Envelope) { e.OccurredAt = time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC) },
			nil,
		},
		"after the last moment": {
			func(e *activity.Envelope) { e.OccurredAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
			fields{{"occurred_at", "year 10000", "must be in the years 0001 to 9999"}},
		},
		"the year 10000 in its own zone only": {
			func(e *activity.Envelope) {
				e.OccurredAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600))
			}, nil,
		},
		"a zone of more than a day": {
			func(e *activity.Envelope) {
				e.OccurredAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 30*3600))
			}, nil,
		},
		"before the first moment": {
			func(e *activity.Envelope) { e.OccurredAt = time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC) },
			fields{{"occurred_at", "year 0", "must be in the years 0001 to 9999"}},
		},
		"channels": {
			func(e *activity.Envelope) {
				e.DeliveryChannels = []string{
					"user",
					"resource",
					"tenant",
					"chat:" + tenant.String() + ".room",
					"ai-runs:" + tenant.String() + ".1:2#3",
				}
			},
			nil,
		},
		"channels too many": {
			func(e *activity.Envelope) { e.DeliveryChannels = make([]string, 33) },
			fields{{"delivery_channels", "33 channels", "must be at most 32 channels"}},
		},
		"every foreign channel is named": {
			func(e *activity.Envelope) {
				e.DeliveryChannels = []string{
					"user",
					"chat:" + actor.String() + ".room",
					"everyone",
					"user:" + tenant.String() + ".ada",
					"chat:\xff",
				}
			},
			fields{
				{"delivery_channels", "chat:" + actor.String() + ".room", channelRule},
				{"delivery_channels", "everyone", channelRule},
				{"delivery_channels", "user:" + tenant.String() + ".ada", channelRule},
				{"delivery_channels", "chat:\uFFFD", channelRule},
			},
		},
		"payload a struct":         {func(e *activity.Envelope) { e.Payload = struct{ A int }{1} }, nil},
		"payload a nil map":        {func(e *activity.Envelope) { e.Payload = map[string]any(nil) }, nil},
		"payload a nil pointer":    {func(e *activity.Envelope) { e.Payload = (*struct{})(nil) }, nil},
		"payload null":             {func(e *activity.Envelope) { e.Payload = json.RawMessage("null") }, nil},
		"payload raw, with spaces": {func(e *activity.Envelope) { e.Payload = json.RawMessage(" \n{ } ") }, nil},
		"payload a list": {
			func(e *activity.Envelope) { e.Payload = []int{1} },
			fields{{"payload", "array", "must be a JSON object"}},
		},
		"payload a string": {
			func(e *activity.Envelope) { e.Payload = "{}" },
			fields{{"payload", "string", "must be a JSON object"}},
		},
		"payload bytes": {
			func(e *activity.Envelope) { e.Payload = []byte("{}") },
			fields{{"payload", "string", "must be a JSON object"}},
		},
		"payload true": {
			func(e *activity.Envelope) { e.Payload = true },
			fields{{"payload", "boolean", "must be a JSON object"}},
		},
		"payload a number": {
			func(e *activity.Envelope) { e.Payload = -1 },
			fields{{"payload", "number", "must be a JSON object"}},
		},
		"payload that has no form": {
			func(e *activity.Envelope) { e.Payload = failing{} },
			fields{
				{
					"payload",
					"",
					"must be what encoding/json can encode: " +
						"json: error calling MarshalJSON for type activity_test.failing: no form",
				},
			},
		},
		"payload of no JSON": {
			func(e *activity.Envelope) { e.Payload = json.RawMessage(`{"a":}`) },
			fields{
				{
					"payload",
					"",
					"must be what encoding/json can encode: " +
						"json: error calling MarshalJSON for type json.RawMessage: " +
						"invalid character '}' looking for beginning of value",
				},
			},
		},
		"payload of nothing": {
			func(e *activity.Envelope) { e.Payload = json.RawMessage(``) },
			fields{
				{
					"payload",
					"",
					"must be what encoding/json can encode: " +
						"json: error calling MarshalJSON for type json.RawMessage: unexpected end of JSON input",
				},
			},
		},
		"payload with infinity": {
			func(e *activity.Envelope) { e.Payload = map[string]any{"n": math.Inf(1)} },
			fields{{"payload", "", "must be what encoding/json can encode: json: unsupported value: +Inf"}},
		},
		"payload with a channel": {
			func(e *activity.Envelope) { e.Payload = map[string]any{"c": make(chan int)} },
			fields{{"payload", "", "must be what encoding/json can encode: json: unsupported type: chan int"}},
		},
		"payload over the limit": {
			func(e *activity.Envelope) { e.Payload = map[string]string{"a": strings.Repeat("x", 1<<20)} },
			fields{{"payload", "1048584 bytes", "must be at most 1048576 bytes"}},
		},
		"payload 64 levels deep": {func(e *activity.Envelope) { e.Payload = deep(64) }, nil},
		"payload 65 levels deep": {
			func(e *activity.Envelope) { e.Payload = deep(65) },
			fields{{"payload", "", "must nest at most 64 levels deep"}},
		},
		"payload with NUL": {
			func(e *activity.Envelope) { e.Payload = map[string]string{"a": "\x00"} },
			fields{{"payload", "", "must not contain a NUL character"}},
		},
		"payload with NUL in a key": {
			func(e *activity.Envelope) { e.Payload = map[string]string{"\x00": ""} },
			fields{{"payload", "", "must not contain a NUL character"}},
		},
		"payload with half a pair": {
			func(e *activity.Envelope) { e.Payload = json.RawMessage(`{"a":"\ud83d"}`) },
			fields{{"payload", "", "must not contain a lone surrogate"}},
		},
		"payload with a huge number": {
			func(e *activity.Envelope) { e.Payload = json.RawMessage(`{"n":1e400000}`) },
			fields{{"payload", "", "must not contain a number beyond PostgreSQL's numeric"}},
		},
		"payload raw and not UTF-8": {
			func(e *activity.Envelope) { e.Payload = json.RawMessage("{\"a\":\"\xff\"}") },
			fields{{"payload", "", "must be valid UTF-8"}},
		},
		"payload that is not UTF-8": {
			func(e *activity.Envelope) { e.Payload = map[string]string{"a": "\xff"} },
			nil,
		}, // encoding/json replaces it
		"every violation once": {
			func(e *activity.Envelope) {
				*e = activity.Envelope{
					Visibility:       "x",
					Status:           "x",
					Severity:         "x",
					Category:         "\x00",
					IP:               "x",
					Traceparent:      "x",
					Payload:          1,
					DeliveryChannels: []string{"x"},
					Message:          "\x00",
					OccurredAt:       time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
				}
			},
			fields{
				{"tenant_id", "", "is required"},
				{"actor_principal_id", "", "is required"},
				{"resource_id", "", "is required"},
				{"resource_type", "", "is required"},
				{"action", "", "is required"},
				{"visibility", "x", "must be one of private, resource, scope, tenant"},
				{"status", "x", "must be one of success, failure"},
				{"severity", "x", "must be one of info, warning, error, critical"},
				{"category", "\uFFFD", textRule},
				{"message", "\uFFFD", textRule},
				{"ip", "", "must be an IPv4 or IPv6 address"},
				{"traceparent", "x", "must be a W3C traceparent"},
				{"occurred_at", "year -1", "must be in the years 0001 to 9999"},
				{"delivery_channels", "x", channelRule},
				{"payload", "number", "must be a JSON object"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := anEnvelope()
			tc.change(&e)
			body, err := e.Encode()
			if diff := cmp.Diff(tc.want, violations(t, err)); diff != "" {
				t.Errorf("Encode (-want +got):\n%s", diff)
			}
			if (err == nil) != json.Valid(body) {
				t.Errorf("Encode: got %q, %v; want JSON or an error", body, err)
			}
			if diff := cmp.Diff(tc.want, violations(t, e.Validate())); diff != "" {
				t.Errorf("Validate (-want +got):\n%s", diff)
			}
		})
	}
}

// TestErrorsAreShortWithoutSecrets validates an envelope with many violations and secrets.
func TestErrorsAreShortWithoutSecrets(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	e := anEnvelope()
	for range activity.MaxChannels {
		e.DeliveryChannels = append(e.DeliveryChannels, strings.Repeat("\U000E0001", 200))
	}
	e.ResourceType, e.Category = strings.Repeat("x", 200)+" password="+secret, "password="+secret
	e.Message, e.Payload = "password="+secret+"\x00", secret
	err := e.Validate()
	if err == nil || len(err.Error()) > 1000 || !strings.HasSuffix(err.Error(), " more") {
		t.Errorf("got %v, want an error of at most 1000 bytes that counts the remaining violations", err)
	}
	invalidErr := (*invalid.Error)(nil)
	if !errors.As(err, &invalidErr) || len(invalidErr.Fields) != activity.MaxChannels+4 {
		t.Fatalf("got %+v, want %d fields", invalidErr, activity.MaxChannels+4)
	}
	for _, f := range invalidErr.Fields {
		if strings.Contains(fmt.Sprint(f), secret) {
			t.Errorf("got %v, want no secret in it", f)
		}
	}
	if len(invalidErr.Fields[5].Error()) > 1000 {
		t.Errorf("got %s, want at most 1000 bytes", invalidErr.Fields[5])
	}
}

func TestValidationErrorText(t *testing.T) {
	t.Parallel()
	err := activity.Envelope{
		TenantID:         tenant,
		ActorPrincipalID: actor,
		ResourceID:       resource,
		Action:           "created",
	}.Validate()
	const rule = "must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot"
	const want = `envelope refused: resource_type is required; action "created" ` + rule
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	e := anEnvelope()
	got, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const least = `{"tenant_id":"11111111-1111-4111-8111-111111111111",` +
		`"actor_principal_id":"22222222-2222-4222-8222-222222222222",` +
		`"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal","action":"signal.created"}`
	if string(got) != least {
		t.Errorf("nothing optional:\ngot  %s\nwant %s", got, least)
	}
	e.Visibility, e.DeliveryChannels = activity.Private, []string{activity.ToUser}
	e.Payload = map[string]any{"b": 1, "a": "<"}
	e.CorrelationID, e.TargetPrincipalID, e.OwnerID, e.ParentID = tenant, actor, resource, tenant
	e.TargetPrincipalIDs = []uuid.UUID{resource}
	e.ResourceName, e.Message, e.RequestID, e.UserAgent = "n", "m", "r", "u"
	e.Status, e.Severity, e.Category, e.IP = activity.Failure, activity.Error, "c", "::1"
	e.Traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	e.OccurredAt = time.Date(2026, 2, 3, 4, 5, 6, 123456789, time.FixedZone("", 2*3600))
	if got, err = e.Encode(); err != nil {
		t.Fatal(err)
	}
	const all = `{"tenant_id":"11111111-1111-4111-8111-111111111111",` +
		`"actor_principal_id":"22222222-2222-4222-8222-222222222222",` +
		`"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal",` +
		`"action":"signal.created","visibility":"private","severity":"error","category":"c",` +
		`"payload":{"a":"\u003c","b":1},"delivery_channels":["user"],` +
		`"correlation_id":"11111111-1111-4111-8111-111111111111",` +
		`"target_principal_id":"22222222-2222-4222-8222-222222222222",` +
		`"target_principal_ids":["33333333-3333-4333-8333-333333333333"],` +
		`"owner_id":"33333333-3333-4333-8333-333333333333",` +
		`"parent_id":"11111111-1111-4111-8111-111111111111",` +
		`"resource_name":"n","message":"m","request_id":"r","user_agent":"u",` +
		`"status":"failure","ip":"::1",` +
		`"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",` +
		`"occurred_at":"2026-02-03T02:05:06.123456Z"}`
	if string(got) != all {
		t.Errorf("everything:\ngot  %s\nwant %s", got, all)
	}
	payload, options, err := e.EncodeFields()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(all, `"payload":{"a":"\u003c","b":1},`)
	if string(payload) != `{"a":"\u003c","b":1}` || string(options) != "{"+rest {
		t.Errorf("EncodeFields: everything: got the payload %s and the options %s", payload, options)
	}
	if payload, options, err = anEnvelope().EncodeFields(); payload != nil || options != nil || err != nil {
		t.Errorf("EncodeFields: nothing optional: got %s, %s, %v", payload, options, err)
	}
	var refused *invalid.Error
	if _, _, err = (activity.Envelope{}).EncodeFields(); !errors.As(err, &refused) {
		t.Errorf("EncodeFields: nothing: got %v, want violations", err)
	}
}
