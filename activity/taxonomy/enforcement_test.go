package taxonomy_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// enforcementCase is the wanted result of recording an envelope, in Go and in SQL.
type enforcementCase struct {
	Name     string
	Envelope struct {
		Action     string              `json:"action"`
		Severity   activity.Severity   `json:"severity,omitempty"`
		Visibility activity.Visibility `json:"visibility,omitempty"`
		Category   string              `json:"category,omitempty"`
		Payload    json.RawMessage     `json:"payload,omitempty"`
	}
	Refused   *refusal // in every mode
	Violation *refusal // refused with Strict, stored as a warning with Warn
	GoOnly    bool     `json:"go_only"` // the database does not check the rule
	Stored    *stored
}

type refusal struct{ Field, Value, Rule, Code string }

func (r refusal) field() invalid.Field {
	return invalid.Field{Name: r.Field, Value: r.Value, Rule: r.Rule}
}

type stored struct {
	Severity   activity.Severity
	Visibility activity.Visibility
	Category   string
	Payload    json.RawMessage
}

var modes = []taxonomy.Mode{taxonomy.Off, taxonomy.Warn, taxonomy.Strict}

// refusal returns the wanted refusal in a mode, or nil.
func (c enforcementCase) refusal(mode taxonomy.Mode) *refusal {
	if c.Refused != nil {
		return c.Refused
	}
	if mode == taxonomy.Strict {
		return c.Violation
	}
	return nil
}

// warning returns the wanted warning in a mode.
func (c enforcementCase) warning(mode taxonomy.Mode) string {
	if mode == taxonomy.Warn && c.Violation != nil {
		return c.Violation.Field + " " + c.Violation.Rule
	}
	return ""
}

func readEnforcementCases(t testing.TB) (*taxonomy.Taxonomy, []enforcementCase) {
	t.Helper()
	file, err := os.Open("testdata/enforcement.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	parsed, err := taxonomy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/enforcement.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []enforcementCase
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return parsed, cases
}

// diffJSON compares two JSON texts as values.
func diffJSON(t testing.TB, got, want json.RawMessage) string {
	t.Helper()
	read := func(raw json.RawMessage) (value any) {
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		return value
	}
	return cmp.Diff(read(want), read(got))
}

func TestEnforcementInGo(t *testing.T) {
	t.Parallel()
	parsed, cases := readEnforcementCases(t)
	for _, c := range cases {
		for _, mode := range modes {
			t.Run(c.Name+"/"+string(mode), func(t *testing.T) {
				t.Parallel()
				e := activity.Envelope{
					TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
					Action: c.Envelope.Action, Severity: c.Envelope.Severity,
					Visibility: c.Envelope.Visibility, Category: c.Envelope.Category,
				}
				if c.Envelope.Payload != nil {
					e.Payload = c.Envelope.Payload
				}
				err := parsed.Check(mode)(t.Context(), &e)
				if err == nil {
					err = e.Validate()
				}
				if want := c.refusal(mode); want != nil {
					var invalidErr *invalid.Error
					if !errors.As(err, &invalidErr) {
						t.Fatalf("got %v, want a refusal of %s", err, want.Field)
					}
					if diff := cmp.Diff(want.field(), invalidErr.Fields[0]); diff != "" {
						t.Errorf("refusal (-want +got):\n%s", diff)
					}
					return
				}
				if err != nil {
					t.Fatalf("got %v, want no error", err)
				}
				if _, registered := parsed.Action(e.Action); registered {
					if e.Severity != c.Stored.Severity || e.Visibility != c.Stored.Visibility ||
						e.Category != c.Stored.Category {
						t.Errorf("got %s, %s, %s; want %+v", e.Severity, e.Visibility, e.Category, c.Stored)
					}
				}
				if diff := diffJSON(t, sent(t, e), c.Stored.Payload); diff != "" {
					t.Errorf("payload (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// sent returns the payload that is sent to the database.
func sent(t testing.TB, e activity.Envelope) json.RawMessage {
	t.Helper()
	raw, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	fields := struct{ Payload json.RawMessage }{json.RawMessage("{}")}
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	return fields.Payload
}

// TestWarningsAreCounted has a taxonomy of its own, because the counts belong to the taxonomy.
func TestWarningsAreCounted(t *testing.T) {
	t.Parallel()
	parsed, cases := readEnforcementCases(t)
	check := parsed.Check(taxonomy.Warn)
	want := map[string]uint64{}
	for _, c := range cases {
		e := activity.Envelope{
			TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
			Action: c.Envelope.Action, Severity: c.Envelope.Severity, Payload: c.Envelope.Payload,
		}
		if c.Violation != nil {
			want[e.Action]++
		}
		if err := check(t.Context(), &e); err != nil && c.Refused == nil {
			t.Errorf("%s: got %v, want no error", c.Name, err)
		}
	}
	if diff := cmp.Diff(want, parsed.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestEnforcementInSQL(t *testing.T) {
	t.Parallel()
	parsed, cases := readEnforcementCases(t)
	db := pgtest.New(t)
	if _, err := taxonomy.Apply(t.Context(), db.Pool, parsed, taxonomy.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, mode := range modes {
		tenant := uuid.New()
		if err := taxonomy.SetMode(t.Context(), db.Pool, tenant, mode); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			t.Run(c.Name+"/"+string(mode), func(t *testing.T) {
				t.Parallel()
				fields := map[string]any{
					"tenant_id": tenant, "actor_principal_id": uuid.New(),
					"resource_id": uuid.New(), "resource_type": "signal", "action": c.Envelope.Action,
				}
				if c.Envelope.Severity != "" {
					fields["severity"] = c.Envelope.Severity
				}
				if c.Envelope.Visibility != "" {
					fields["visibility"] = c.Envelope.Visibility
				}
				if c.Envelope.Category != "" {
					fields["category"] = c.Envelope.Category
				}
				if c.Envelope.Payload != nil {
					fields["payload"] = c.Envelope.Payload
				}
				envelope, err := json.Marshal(fields)
				if err != nil {
					t.Fatal(err)
				}
				if c.GoOnly {
					c.Violation = nil
				}
				want := c.refusal(mode)
				var id uuid.UUID
				err = db.Pool.QueryRow(t.Context(), `SELECT fanfare.record_activity($1)`, string(envelope)).Scan(&id)
				if want != nil {
					var pgErr *pgconn.PgError
					if !errors.As(err, &pgErr) {
						t.Fatalf("got %v, want a refusal of %s", err, want.Field)
					}
					got := []string{pgErr.Code, pgErr.ColumnName, pgErr.Message}
					if diff := cmp.Diff([]string{want.Code, want.Field, want.field().Error()}, got); diff != "" {
						t.Errorf("refusal (-want +got):\n%s", diff)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				got, err := pglog.New(db.Pool).Get(t.Context(), tenant, id)
				if err != nil {
					t.Fatal(err)
				}
				if got.Severity != c.Stored.Severity || got.Visibility != c.Stored.Visibility ||
					got.Category != c.Stored.Category {
					t.Errorf("got %s, %s, %s; want %+v", got.Severity, got.Visibility, got.Category, c.Stored)
				}
				if diff := diffJSON(t, got.Payload, c.Stored.Payload); diff != "" {
					t.Errorf("payload (-want +got):\n%s", diff)
				}
				if got.Warning != c.warning(mode) {
					t.Errorf("warning: got %q, want %q", got.Warning, c.warning(mode))
				}
			})
		}
	}
}

// TestRecorderWithCheck records the cases with Check as a hook, and compares the stored activities.
func TestRecorderWithCheck(t *testing.T) {
	t.Parallel()
	parsed, cases := readEnforcementCases(t)
	db := pgtest.New(t)
	if _, err := taxonomy.Apply(t.Context(), db.Pool, parsed, taxonomy.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := taxonomy.SetMode(t.Context(), db.Pool, uuid.Nil, taxonomy.Strict); err != nil {
		t.Fatal(err)
	}
	recorder := outbox.Recorder{Hooks: activity.Hooks{Before: []activity.BeforeAppend{parsed.Check(taxonomy.Strict)}}}
	accepted := 0
	for _, c := range cases {
		e := activity.Envelope{
			TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
			Action: c.Envelope.Action, Severity: c.Envelope.Severity, Visibility: c.Envelope.Visibility,
			Category: c.Envelope.Category, Payload: c.Envelope.Payload,
		}
		var recorded outbox.Recorded
		err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) (err error) {
			recorded, err = recorder.Record(t.Context(), tx, e)
			return err
		})
		if c.refusal(taxonomy.Strict) != nil {
			var invalidErr *invalid.Error
			if !errors.As(err, &invalidErr) {
				t.Errorf("%s: got %v, want a refusal", c.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		accepted++
		if recorded.Severity != c.Stored.Severity || recorded.Visibility != c.Stored.Visibility ||
			recorded.Category != c.Stored.Category {
			t.Errorf("%s: got %s, %s, %s; want %+v",
				c.Name, recorded.Severity, recorded.Visibility, recorded.Category, c.Stored)
		}
		if diff := diffJSON(t, recorded.Payload, c.Stored.Payload); diff != "" {
			t.Errorf("%s: payload (-want +got):\n%s", c.Name, diff)
		}
	}
	if accepted == 0 {
		t.Error("no case was accepted")
	}
}
