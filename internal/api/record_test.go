package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/envelopetest"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// recordings is the response to envelopes that were recorded.
type recordings struct {
	IDs      []uuid.UUID `json:"ids"`
	Existing []uuid.UUID `json:"existing_ids"`
}

// writer returns a client that may record activities of a tenant.
func (w *world) writer(tenant uuid.UUID) client {
	return (&tenantOf{w, tenant}).as(uuid.New(), identity.ScopeWrite)
}

// tenantOf is a tenant without contents.
type tenantOf struct {
	w  *world
	id uuid.UUID
}

func (at *tenantOf) as(principal uuid.UUID, scopes ...string) client {
	return (&tenant{w: at.w, id: at.id}).as(principal, scopes...)
}

// inSQL records an envelope with fanfare.record_activity and returns the stored columns, or the
// rejected field, and whether it was rejected. It rolls back.
func (w *world) inSQL(t *testing.T, text string) (row map[string]string, field string, rejected bool) {
	t.Helper()
	tx, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	var id uuid.UUID
	err = tx.QueryRow(t.Context(), `SELECT fanfare.record_activity($1::text::jsonb)`, text).Scan(&id)
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return nil, refused.ColumnName, true
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.stored(t, tx, id), "", false
}

// stored returns the columns of an activity that do not differ with each recording.
func (w *world) stored(t *testing.T, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, id uuid.UUID,
) (row map[string]string) {
	t.Helper()
	err := db.QueryRow(t.Context(), `
		SELECT jsonb_object_agg(c.name, c.value)
		FROM fanfare.activities AS a, jsonb_each_text(to_jsonb(a) - 'id' - 'recorded_at'
		    - CASE WHEN a.occurred_at = a.recorded_at THEN 'occurred_at' ELSE '' END
		    - CASE WHEN a.correlation_id = a.id THEN 'correlation_id' ELSE '' END) AS c(name, value)
		WHERE a.id = $1 AND c.value IS NOT NULL`, id).Scan(&row)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// forget removes what was recorded, so that nothing is a duplicate.
func (w *world) forget() {
	w.t.Helper()
	err := pgx.BeginFunc(w.t.Context(), w.db.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(w.t.Context(), `SET LOCAL session_replication_role = replica;
			DELETE FROM fanfare.activities; DELETE FROM fanfare.idempotency_keys; DELETE FROM fanfare.outbox`)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestRecordedAsInSQL records every case of the envelopes over HTTP, alone and in a list, and with
// fanfare.record_activity: the outcome is the same, except that the caller's tenant and id are
// defaults.
func TestRecordedAsInSQL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	usual := uuid.MustParse("11111111-1111-4111-8111-111111111111")
	var same, defaulted int
	for _, c := range envelopetest.Cases(t) {
		text := c.JSON(t)
		var given struct {
			TenantID any `json:"tenant_id"`
		}
		_ = json.Unmarshal([]byte(text), &given)
		tenant, err := uuid.Parse(fmt.Sprint(given.TenantID))
		if err != nil || tenant == uuid.Nil {
			tenant = usual
		}
		row, field, rejected := w.inSQL(t, text)
		if rejected != c.Rejected() || field != c.Field {
			t.Errorf("%s: SQL: got rejected %t, field %q; want %t, %q", c.Name, rejected, field, c.Rejected(), c.Field)
		}
		hasDefault := c.State == "23502" && (field == "tenant_id" || field == "actor_principal_id")
		other := `{"resource_id":"99999999-9999-4999-8999-999999999998","resource_type":"x","action":"x.made"}`
		for form, body := range map[string]string{"": text, "activities[1].": list(other, text)} {
			w.forget()
			got := w.writer(tenant).do("POST", "/v1/activities", body)
			switch {
			case hasDefault && c.Name != "an empty object":
				got.want(http.StatusAccepted)
				defaulted++
			case hasDefault: // another field is required
				got.want(http.StatusUnprocessableEntity)
				defaulted++
			case !rejected:
				ids := as[recordings](got.want(http.StatusAccepted)).IDs
				stored := w.stored(t, w.db.Pool, ids[len(ids)-1])
				for _, column := range slices.Sorted(maps.Keys(row)) {
					if row[column] != stored[column] { // a diff of long texts takes minutes
						t.Errorf("%s: %s: SQL stores %.200q, HTTP %.200q", c.Name, column, row[column], stored[column])
					}
				}
				if len(row) != len(stored) {
					t.Errorf("%s: SQL stores %d columns, HTTP %d", c.Name, len(row), len(stored))
				}
				same++
			case got.status == http.StatusBadRequest && c.Refused: // no JSON
				same++
			default:
				p := as[api.Problem](got.want(http.StatusUnprocessableEntity))
				want := form + field
				if field == "envelope" { // it is the body or an item
					want = cmp.Or(strings.TrimSuffix(form, "."), "body")
				}
				if len(want) > 100 {
					want = want[:100] + "…"
				}
				if len(p.Errors) != 1 || field != "" && p.Errors[0].Field != want || p.Errors[0].Rule == "" {
					t.Errorf("%s: got errors %+v, want one of %q", c.Name, p.Errors, want)
				}
				if n := w.count(`SELECT count(*) FROM fanfare.activities`); n != 0 {
					t.Errorf("%s: got %d activities after a refusal, want none", c.Name, n)
				}
				same++
			}
		}
	}
	if defaulted == 0 {
		t.Error("no case had the defaults of the credential")
	}
	t.Logf("%d requests with the outcome of SQL, %d with a default of the credential", same, defaulted)
}

// order is an envelope of a shop.
func order(more string) string {
	return fmt.Sprintf(`{"resource_id":%q,"resource_type":"order","action":"order.placed"%s}`, uuid.New(), more)
}

func list(envelopes ...string) string { return `{"activities":[` + strings.Join(envelopes, ",") + `]}` }

func TestRecordDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	c := at.as(at.member, identity.ScopeWrite)
	signal := fmt.Sprintf(`{"resource_id":%q,"resource_type":"signal","action":"signal.noted"}`, at.signal)
	id := as[recordings](c.do("POST", "/v1/activities", signal).want(http.StatusAccepted)).IDs[0]
	row := w.stored(t, w.db.Pool, id)
	for column, want := range map[string]uuid.UUID{
		"tenant_id": at.id, "actor_principal_id": at.member, "owner_id": at.owner, "parent_id": at.folder,
	} {
		if row[column] != want.String() {
			t.Errorf("%s: got %v, want %v", column, row[column], want)
		}
	}
	if n := w.count(`SELECT count(*) FROM fanfare.outbox WHERE activity_id = $1`, id); n != 1 {
		t.Errorf("got %d rows in the outbox, want 1", n)
	}
	by := fmt.Sprintf(`,"tenant_id":%q,"actor_principal_id":%q`, strings.ToUpper(at.id.String()), at.owner)
	id = as[recordings](c.do("POST", "/v1/activities", order(by)).want(http.StatusAccepted)).IDs[0]
	if got := w.stored(t, w.db.Pool, id)["actor_principal_id"]; got != at.owner.String() {
		t.Errorf("actor: got %v, want %v", got, at.owner)
	}
}

// TestRecordAgain repeats a request whose envelopes have correlation ids.
func TestRecordAgain(t *testing.T) {
	t.Parallel()
	observer := &recordingObserver{}
	w := newWorld(t, func(o *api.Options) { o.Observer = observer })
	c := w.here.as(w.here.member, identity.ScopeWrite)
	keyed := func() string { return order(fmt.Sprintf(`,"correlation_id":%q`, uuid.New())) }
	first, second, third := keyed(), keyed(), keyed()
	made := as[recordings](c.do("POST", "/v1/activities", list(first, second)).want(http.StatusAccepted))
	if len(made.IDs) != 2 || len(made.Existing) != 0 || made.IDs[0] == made.IDs[1] {
		t.Fatalf("got %+v, want two new ids", made)
	}
	again := as[recordings](c.do("POST", "/v1/activities", list(first, third, second, third)).want(http.StatusAccepted))
	want := recordings{
		IDs:      []uuid.UUID{made.IDs[0], again.IDs[1], made.IDs[1], again.IDs[1]},
		Existing: []uuid.UUID{made.IDs[0], made.IDs[1], again.IDs[1]},
	}
	if diff := gocmp.Diff(want, again); diff != "" {
		t.Errorf("the request with two of the activities again (-want +got):\n%s", diff)
	}
	if n := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'order.placed'`); n != 3 {
		t.Errorf("got %d activities, want 3", n)
	}
	c.do("POST", "/v1/activities", list(order(`,"status":"odd"`), order(`,"status":""`))).want(422)
	observed := []string{
		"recorded 2 0 0", "POST /v1/activities 202", "recorded 1 3 0", "POST /v1/activities 202",
		"recorded 0 0 2", "POST /v1/activities 422",
	}
	if diff := gocmp.Diff(observed, observer.all); diff != "" {
		t.Errorf("calls of the observer (-want +got):\n%s", diff)
	}
}

// TestRecordRefused sends what is refused as a whole, and checks the names of the violations.
func TestRecordRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member, identity.ScopeWrite)
	foreign := w.elsewhere.id.String()
	digits := strings.ReplaceAll(foreign, "-", "")
	odd := digits[:4] + "-" + digits[4:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:]
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	many := make([]string, 1001)
	for i := range many {
		many[i] = "{}"
	}
	for name, tc := range map[string]struct {
		body string
		want []string // fields and rules
	}{
		"nothing":             {`{}`, []string{"resource_id is required"}},
		"null":                {`null`, []string{"body must be an object"}},
		"a list":              {`[` + order("") + `]`, []string{"body must be an object"}},
		"a text":              {`"order.placed"`, []string{"body must be an object"}},
		"no envelopes":        {list(), []string{"activities must have at least 1 item"}},
		"1001 envelopes":      {list(many...), []string{"activities must have at most 1000 items"}},
		"envelopes null":      {`{"activities":null}`, []string{"activities must be an array"}},
		"envelopes an object": {`{"activities":{}}`, []string{"activities must be an array"}},
		"more than envelopes": {
			`{"activities":[],"action":"a.b"}`,
			[]string{"activities must be the only field of the body"},
		},
		"items that are none": {
			list("1", order(""), "null"),
			[]string{"activities[0] must be an object", "activities[2] must be an object"},
		},
		"a foreign tenant": {
			order(`,"tenant_id":"` + foreign + `"`),
			[]string{"tenant_id must be the tenant of the credential"},
		},
		"one without hyphens": {
			order(`,"tenant_id":"` + digits + `"`),
			[]string{"tenant_id must be the tenant of the credential"},
		},
		"one that only SQL reads": {
			order(`,"tenant_id":"` + odd + `"`),
			[]string{"tenant_id must be a UUID"},
		},
		"a number as tenant": {order(`,"tenant_id":7`), []string{"tenant_id must be a UUID"}},
		"two tenants": {
			order(`,"tenant_id":"` + w.here.id.String() + `","tenant_id":"` + foreign + `"`),
			[]string{"tenant_id must be the tenant of the credential"},
		},
		"Tenant_ID": {
			order(`,"Tenant_ID":"` + foreign + `"`),
			[]string{"Tenant_ID is not a field of the envelope"},
		},
		"a field with NUL": {
			order(`,"a\u0000":1`),
			[]string{"a\uFFFD is not a field of the envelope"},
		},
		"NUL": {
			list(order(""), order(`,"message":"a\u0000b"`)),
			[]string{"activities[1].message must not contain a NUL character"},
		},
		"half a surrogate pair": {
			order(`,"payload":{"a":"\ud800"}`),
			[]string{"payload must not contain a lone surrogate"},
		},
		"a number beyond numeric": {
			order(`,"payload":{"a":1e999999}`),
			[]string{"payload must not contain a number beyond PostgreSQL's numeric"},
		},
		"70 levels": {
			order(`,"payload":{"a":` + deep + `}`),
			[]string{"payload must nest at most 64 levels deep"},
		},
		"deep channels": {
			order(`,"delivery_channels":` + deep),
			[]string{"delivery_channels must nest at most 64 levels deep"},
		},
		"three of four": {
			list(order(`,"visibility":"all"`), order(`,"status":"odd"`), order(""), order(`,"action":"Placed"`)),
			[]string{
				"activities[0].visibility must be one of private, resource, scope, tenant",
				"activities[1].status must be one of success, failure",
				"activities[3].action must be 3 to 100 characters, <resource>.<verb>: " +
					"words of a-z, 0-9 and _ with at least one dot",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			c.t = t
			before := w.count(`SELECT count(*) FROM fanfare.activities`)
			p := as[api.Problem](c.do("POST", "/v1/activities", tc.body).want(http.StatusUnprocessableEntity))
			var got []string
			for _, v := range p.Errors {
				got = append(got, v.Field+" "+v.Rule)
			}
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if n := w.count(`SELECT count(*) FROM fanfare.activities`); n != before {
				t.Errorf("got %d activities, want %d as before", n, before)
			}
		})
	}
	violations := make([]string, 50)
	for i := range violations {
		violations[i] = order(`,"visibility":"all"`)
	}
	p := as[api.Problem](c.do("POST", "/v1/activities", list(violations...)).want(http.StatusUnprocessableEntity))
	if n := len(p.Errors); n != 20 || p.Errors[19].Field != "activities[19].visibility" || p.Errors[19].Value != "all" {
		t.Errorf("got %d errors, the last of them %+v; want 20 up to activities[19]", n, p.Errors[n-1])
	}
}

// TestRecordMany records the largest list in its order.
func TestRecordMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	envelopes := make([]string, 1000)
	for i := range envelopes {
		envelopes[i] = order(fmt.Sprintf(`,"message":"%d","payload":{"text":%q}`, i, strings.Repeat("x", 1500)))
	}
	c := w.here.as(w.here.member, identity.ScopeWrite)
	ids := as[recordings](c.do("POST", "/v1/activities", list(envelopes...)).want(http.StatusAccepted)).IDs
	if len(ids) != 1000 {
		t.Fatalf("got %d ids, want 1000", len(ids))
	}
	for i, id := range ids {
		if got := w.stored(t, w.db.Pool, id)["message"]; got != fmt.Sprint(i) {
			t.Fatalf("activity %d: got the message %v", i, got)
		}
	}
	if n := w.count(`SELECT count(*) FROM (
		SELECT q.activity_id, lead(q.activity_id) OVER (PARTITION BY q.lane ORDER BY q.seq) AS next
		FROM fanfare.outbox AS q
		JOIN fanfare.activities AS a ON a.id = q.activity_id WHERE a.action = 'order.placed') AS o
		WHERE o.next < o.activity_id`); n != 0 {
		t.Errorf("got %d rows of the outbox in another order", n)
	}
}

// TestRecordWithToken records with service tokens, one of them limited to some actions.
func TestRecordWithToken(t *testing.T) {
	t.Parallel()
	var tokens *identity.Tokens
	w := newWorld(t, func(o *api.Options) {
		tokens = identity.NewTokens(o.Pool, nil)
		var err error
		if o.Authenticator, err = identity.New(identity.Options{Tokens: tokens, TrustHeaders: true}); err != nil {
			t.Fatal(err)
		}
	})
	service := uuid.New()
	bearing := func(scopes, actions []string) client {
		secret, _, err := tokens.Create(t.Context(), identity.NewToken{
			TenantID: w.here.id, PrincipalID: service, Name: "shop", Lifetime: time.Hour,
			Scopes: scopes, Actions: actions,
		})
		if err != nil {
			t.Fatal(err)
		}
		return w.anyone().withHeader("Authorization", "Bearer "+string(secret))
	}
	moved := strings.Replace(order(""), "order.placed", "stock.moved", 1)
	all := bearing([]string{identity.ScopeWrite}, nil)
	id := as[recordings](all.do("POST", "/v1/activities", list(order(""), moved)).want(http.StatusAccepted)).IDs[0]
	if got := w.stored(t, w.db.Pool, id)["actor_principal_id"]; got != service.String() {
		t.Errorf("actor: got %v, want the token's principal %v", got, service)
	}
	orders := bearing([]string{identity.ScopeWrite}, []string{"order.*", "cart.[ab]*"})
	orders.do("POST", "/v1/activities", order("")).want(http.StatusAccepted)
	refused := orders.do("POST", "/v1/activities", list(order(""), moved))
	p := as[api.Problem](refused.want(http.StatusUnprocessableEntity))
	want := []api.Violation{{
		Field: "activities[1].action", Value: "stock.moved",
		Rule: "is not among the actions that the credential may record",
	}}
	if diff := gocmp.Diff(want, p.Errors); diff != "" {
		t.Errorf("an action that the token may not record (-want +got):\n%s", diff)
	}
	for name, scopes := range map[string][]string{
		"no scope": nil, "read": {identity.ScopeRead}, "admin": {identity.ScopeAdmin},
	} {
		got := bearing(scopes, nil).do("POST", "/v1/activities", order(""))
		if got.status != http.StatusForbidden {
			t.Errorf("%s: got status %d, want 403", name, got.status)
		}
	}
	if n := w.count(`SELECT count(*) FROM fanfare.activities WHERE action IN ('order.placed', 'stock.moved')`); n != 3 {
		t.Errorf("got %d activities, want 3", n)
	}
}
