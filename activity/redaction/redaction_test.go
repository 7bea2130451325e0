package redaction

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// personal returns an envelope with personal data of Ada.
func personal(tenant, actor, resource uuid.UUID, more map[string]any) map[string]any {
	e := map[string]any{
		"tenant_id":          tenant,
		"actor_principal_id": actor,
		"resource_id":        resource,
		"resource_type":      "signal",
		"action":             "signal.created",
		"message":            "Ada Lovelace did it",
		"user_agent":         "Ada's browser",
		"ip":                 "192.0.2.7",
		"resource_name":      "Ada's signal",
		"request_id":         "req-1",
		"payload":            map[string]any{"name": "Ada"},
	}
	for name, value := range more {
		e[name] = value
	}
	return e
}

func recordSQL(t testing.TB, pool *pgxpool.Pool, envelope map[string]any) uuid.UUID {
	t.Helper()
	body, err := json.Marshal(envelope)
	if err != nil {
		t.Fatal(err)
	}
	var id [16]byte
	if err := pool.QueryRow(t.Context(), `SELECT fanfare.record_activity($1)`, string(body)).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// containsAda reports whether an activity contains data of Ada.
func containsAda(t testing.TB, pool *pgxpool.Pool, id uuid.UUID) bool {
	t.Helper()
	var row string
	if err := pool.QueryRow(t.Context(), `
		SELECT a::text
		FROM fanfare.activities AS a
		WHERE id = $1`, id).Scan(&row); err != nil {
		t.Fatal(err)
	}
	return strings.Contains(row, "Ada")
}

// storeMany stores n activities of the actor.
func storeMany(t testing.TB, pool *pgxpool.Pool, tenant, actor uuid.UUID, n int) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at,
			recorded_at, resource_type, action, visibility, status, severity, category, delivery_channels, message,
			payload)
		SELECT fanfare.uuidv7(now()), $1, $2, gen_random_uuid(), gen_random_uuid(), now(), now(), 'doc', 'doc.made',
			'resource', 'success', 'info', 'doc', '{}', 'Ada', '{}'
		FROM generate_series(1, $3::int)`, tenant, actor, n); err != nil {
		t.Fatal(err)
	}
}

var someID = uuid.UUID{0: 7, 15: 1}

func hold(t testing.TB, pool *pgxpool.Pool, tenant, resource, actor uuid.UUID) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO fanfare.legal_holds (id, tenant_id, resource_id, actor_principal_id, created_by, reason)
		VALUES (gen_random_uuid(), $1, nullif($2::uuid, $4), nullif($3::uuid, $4), gen_random_uuid(), 'a dispute')`,
		tenant, resource, actor, uuid.Nil); err != nil {
		t.Fatal(err)
	}
}

func counts(r Result) [3]int { return [3]int{r.Redacted, r.Held, r.Already} }

// TestRedactErases compares every field of an activity before and after.
func TestRedactErases(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	log := pglog.New(pool)
	tenant, actor, resource := uuid.New(), uuid.New(), uuid.New()
	workflow := uuid.New()
	envelope := personal(tenant, actor, resource, map[string]any{"correlation_id": workflow})
	id := recordSQL(t, pool, envelope)
	before, err := log.Get(t.Context(), tenant, id)
	if err != nil || before.IPHash == nil {
		t.Fatal(before, err)
	}
	by := uuid.New()
	r := Request{Tenant: tenant, IDs: []uuid.UUID{id, id, uuid.New()}, Reason: "Ada asked to be forgotten"}
	dry := r
	dry.DryRun = true
	got, err := Redact(t.Context(), pool, dry)
	if err != nil || counts(got) != [3]int{1, 0, 0} || !containsAda(t, pool, id) {
		t.Fatalf("dry run: got %+v, %v, want one counted and no change", got, err)
	}
	got, err = Redact(activity.WithActor(t.Context(), by), pool, r)
	if err != nil || counts(got) != [3]int{1, 0, 0} {
		t.Fatalf("got %+v, %v, want one redacted", got, err)
	}
	after, err := log.Get(t.Context(), tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	records, _, err := log.List(t.Context(), tenant, activity.Filter{Action: "activity.redacted"}, activity.Page{})
	if err != nil || len(records) != 1 {
		t.Fatalf("got the records %v, %v, want one", records, err)
	}
	record := records[0]
	want := before
	want.Message, want.UserAgent, want.ResourceName, want.IPHash, want.IPKeyID = "", "", "", nil, 0
	want.Payload = json.RawMessage(`{"redacted": true, "redaction": "` + record.ResourceID.String() + `"}`)
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("the activity (-want +got):\n%s", diff)
	}
	if record.ActorPrincipalID != by || record.CorrelationID != got.Run || record.Visibility != activity.Private ||
		record.ResourceType != "redaction" {
		t.Errorf("the record: got %+v, want it of %s and of the run %s", record, by, got.Run)
	}
	var recordedPayload struct {
		Redacted, Held int
		Criteria       struct{ IDs int }
		Reason         string
	}
	err = json.Unmarshal(record.Payload, &recordedPayload)
	if err != nil || recordedPayload.Redacted != 1 || recordedPayload.Criteria.IDs != 3 ||
		recordedPayload.Reason != r.Reason || strings.Contains(string(record.Payload), "signal") {
		t.Errorf("the record: got %s, %v, want the count, the criteria and the reason", record.Payload, err)
	}

	if again, err := Redact(t.Context(), pool, r); err != nil || counts(again) != [3]int{0, 0, 1} {
		t.Errorf("again: got %+v, %v, want it redacted already", again, err)
	}
	if n, _, err := log.Count(t.Context(), tenant, activity.Filter{}, 10); err != nil || n != 2 {
		t.Errorf("again: got %d activities, %v, want no other record", n, err)
	}
	// The key still identifies the redacted activity: recording it again restores nothing.
	if existing := recordSQL(t, pool, envelope); existing != id || containsAda(t, pool, id) {
		t.Errorf("recorded again: got %s, want %s, still redacted", existing, id)
	}
}

func TestRedactByCriteria(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant, elsewhere, ada, bob, one, two := uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New()
	type world struct{ byAda, toAda, onOne, others []uuid.UUID }
	newWorld := func() (w world) {
		for range 3 {
			w.byAda = append(w.byAda, recordSQL(t, pool, personal(tenant, ada, two, nil)))
			w.toAda = append(
				w.toAda,
				recordSQL(t, pool, personal(tenant, bob, two, map[string]any{"target_principal_id": ada})),
			)
			w.onOne = append(w.onOne, recordSQL(t, pool, personal(tenant, bob, one, nil)))
			w.others = append(
				w.others,
				recordSQL(t, pool, personal(tenant, bob, two, nil)),
				recordSQL(t, pool, personal(elsewhere, ada, one, map[string]any{"target_principal_id": ada})),
			)
		}
		return w
	}
	for name, tt := range map[string]struct {
		r        Request
		redacted func(w world) []uuid.UUID
	}{
		"actor":    {Request{Actor: ada}, func(w world) []uuid.UUID { return w.byAda }},
		"target":   {Request{Target: ada}, func(w world) []uuid.UUID { return w.toAda }},
		"resource": {Request{Resource: one}, func(w world) []uuid.UUID { return w.onOne }},
		"none":     {Request{Actor: ada, Resource: one}, func(world) []uuid.UUID { return nil }},
		"another time": {
			Request{Actor: ada, Until: time.Now().Add(-time.Hour)},
			func(world) []uuid.UUID { return nil },
		},
		"another's": {
			Request{Actor: bob, Since: time.Now().Add(time.Hour)},
			func(world) []uuid.UUID { return nil },
		},
		"of these times": {
			Request{Target: ada, Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)},
			func(w world) []uuid.UUID { return w.toAda },
		},
	} {
		w := newWorld()
		want := map[uuid.UUID]bool{}
		for _, id := range tt.redacted(w) {
			want[id] = true
		}
		tt.r.Tenant, tt.r.Reason = tenant, "asked to"
		got, err := Redact(t.Context(), pool, tt.r)
		if err != nil || got.Redacted != len(want) {
			t.Errorf("%s: got %+v, %v, want %d redacted", name, got, err, len(want))
		}
		for _, list := range [][]uuid.UUID{w.byAda, w.toAda, w.onOne, w.others} {
			for _, id := range list {
				if containsAda(t, pool, id) == want[id] {
					t.Errorf("%s: %s: redacted %v, want %v", name, id, !want[id], want[id])
				}
			}
		}
		// Redact the remaining ones before the next case.
		for _, id := range append(append(w.byAda, w.toAda...), w.onOne...) {
			if _, err := Redact(t.Context(), pool, Request{
				Tenant: tenant,
				IDs:    []uuid.UUID{id},
				Reason: "next",
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRedactInBatches interrupts a redaction of several batches and resumes it.
func TestRedactInBatches(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant, actor := uuid.New(), uuid.New()
	const activities = 2*batchSize + 10
	storeMany(t, pool, tenant, actor, activities)
	ctx, cancel := context.WithCancel(t.Context())
	r := Request{Tenant: tenant, Actor: actor, Reason: "asked to", Progress: func(Result) { cancel() }}
	got, err := Redact(ctx, pool, r)
	if !errors.Is(err, context.Canceled) || got.Redacted != batchSize {
		t.Fatalf("stopped: got %+v, %v, want one batch redacted", got, err)
	}
	r.Progress = nil
	got, err = Redact(t.Context(), pool, r)
	if err != nil || counts(got) != [3]int{batchSize + 10, 0, batchSize} {
		t.Fatalf("got %+v, %v, want the remaining ones redacted", got, err)
	}
	var recorded int
	if err := pool.QueryRow(t.Context(), `
		SELECT sum((payload ->> 'redacted')::int)
		FROM fanfare.activities
		WHERE tenant_id = $1 AND action = 'activity.redacted'`, tenant).Scan(&recorded); err != nil ||
		recorded != activities {
		t.Errorf("the records count %d, %v, want %d", recorded, err, activities)
	}
}

// TestRedactConcurrently redacts the same activities concurrently: one caller redacts and counts
// each activity.
func TestRedactConcurrently(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant, actor := uuid.New(), uuid.New()
	const activities = 2 * batchSize
	storeMany(t, pool, tenant, actor, activities)
	var group errgroup.Group
	results := make([]Result, 4)
	for i := range results {
		group.Go(func() (err error) {
			results[i], err = Redact(t.Context(), pool, Request{Tenant: tenant, Actor: actor, Reason: "asked to"})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	redacted := 0
	for _, r := range results {
		redacted += r.Redacted
	}
	var recorded, remaining int
	if err := pool.QueryRow(t.Context(), `
		SELECT sum((payload ->> 'redacted')::int) FILTER (WHERE action = 'activity.redacted'), count(*)
			FILTER (WHERE message IS NOT NULL)
		FROM fanfare.activities WHERE tenant_id = $1`, tenant).Scan(&recorded, &remaining); err != nil {
		t.Fatal(err)
	}
	if redacted != activities || recorded != activities || remaining != 0 {
		t.Errorf(
			"got %d redacted, %d recorded and %d with personal data, want %d, %d and none",
			redacted,
			recorded,
			remaining,
			activities,
			activities,
		)
	}
}

// TestRedactIsAtomicWithItsRecord redacts nothing if the log refuses the record.
func TestRedactIsAtomicWithItsRecord(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	id := recordSQL(t, pool, personal(tenant, uuid.New(), uuid.New(), nil))
	if _, err := pool.Exec(t.Context(), `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the log is closed'; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON fanfare.activities
		FOR EACH ROW WHEN (NEW.action = 'activity.redacted') EXECUTE FUNCTION refuse()`); err != nil {
		t.Fatal(err)
	}
	r := Request{Tenant: tenant, IDs: []uuid.UUID{id}, Reason: "asked to"}
	if got, err := Redact(t.Context(), pool, r); err == nil || got.Redacted != 0 || !containsAda(t, pool, id) {
		t.Errorf("not recorded: got %+v, %v, want it refused and nothing redacted", got, err)
	}
	if _, err := pool.Exec(t.Context(), `DROP TRIGGER refuse ON fanfare.activities`); err != nil {
		t.Fatal(err)
	}
	if got, err := Redact(t.Context(), pool, r); err != nil || got.Redacted != 1 || containsAda(t, pool, id) {
		t.Errorf("recorded: got %+v, %v, want it redacted", got, err)
	}
}

// TestHoldWaitsForRedaction places a hold during a redaction: once it is placed, no activity is
// redacted.
func TestHoldWaitsForRedaction(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	id := recordSQL(t, pool, personal(tenant, uuid.New(), uuid.New(), nil))
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if got, err := Redact(t.Context(), tx, Request{
		Tenant: tenant,
		IDs:    []uuid.UUID{id},
		Reason: "asked to",
	}); err != nil ||
		got.Redacted != 1 {
		t.Fatal(got, err)
	}
	_, err = pool.Exec(t.Context(), `
		SET lock_timeout = '1ms';
		INSERT INTO fanfare.legal_holds (id, tenant_id, created_by, reason)
		VALUES (gen_random_uuid(), '`+tenant.String()+`', gen_random_uuid(), 'a dispute')`,
		pgx.QueryExecModeSimpleProtocol)
	if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "55P03" {
		t.Errorf("a hold meanwhile: got %v, want it to wait", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	hold(t, pool, tenant, uuid.Nil, uuid.Nil)
	if got, err := Redact(t.Context(), pool, Request{
		Tenant: tenant,
		IDs:    []uuid.UUID{id},
		Reason: "asked to",
	}); err != nil ||
		got.Held != 1 ||
		!containsAda(t, pool, id) {
		t.Errorf("after the hold: got %+v, %v, want it unchanged", got, err)
	}
}

func TestRedactAndHolds(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for name, place := range map[string]func(tenant, actor, resource uuid.UUID){
		"resource": func(tenant, _, resource uuid.UUID) { hold(t, pool, tenant, resource, uuid.Nil) },
		"actor":    func(tenant, actor, _ uuid.UUID) { hold(t, pool, tenant, uuid.Nil, actor) },
		"tenant":   func(tenant, _, _ uuid.UUID) { hold(t, pool, tenant, uuid.Nil, uuid.Nil) },
	} {
		tenant, actor, resource := uuid.New(), uuid.New(), uuid.New()
		kept := recordSQL(t, pool, personal(tenant, actor, resource, nil))
		free := recordSQL(t, pool, personal(tenant, uuid.New(), uuid.New(), nil))
		place(tenant, actor, resource)
		place(uuid.New(), actor, resource) // another tenant's hold has no effect
		r := Request{Tenant: tenant, IDs: []uuid.UUID{kept, free}, Reason: "asked to"}
		want := [3]int{1, 1, 0}
		if name == "tenant" {
			want = [3]int{0, 2, 0}
		}
		got, err := Redact(t.Context(), pool, r)
		if err != nil || counts(got) != want || !containsAda(t, pool, kept) ||
			containsAda(t, pool, free) != (name == "tenant") {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, want)
		}
		r.OverrideHolds = true
		if got, err = Redact(t.Context(), pool, r); err != nil || got.Held != 0 || containsAda(t, pool, kept) ||
			containsAda(t, pool, free) {
			t.Errorf("%s, overridden: got %+v, %v, want both redacted", name, got, err)
		}
		var overridden int
		if err := pool.QueryRow(t.Context(), `
			SELECT sum((payload ->> 'holds_overridden')::int)
			FROM fanfare.activities
			WHERE tenant_id = $1 AND action = 'activity.redacted'`, tenant).Scan(&overridden); err != nil ||
			overridden != want[1] {
			t.Errorf("%s: the records count %d overridden holds, %v, want %d", name, overridden, err, want[1])
		}
	}
	tenant, actor := uuid.New(), uuid.New()
	id := recordSQL(t, pool, personal(tenant, actor, uuid.New(), nil))
	hold(t, pool, tenant, uuid.Nil, actor)
	if _, err := pool.Exec(t.Context(), `
		UPDATE fanfare.legal_holds SET released_at = now()
		WHERE tenant_id = $1`, tenant); err != nil {
		t.Fatal(err)
	}
	if got, err := Redact(t.Context(), pool, Request{Tenant: tenant, Actor: actor, Reason: "asked to"}); err != nil ||
		got.Redacted != 1 ||
		containsAda(t, pool, id) {
		t.Errorf("a hold that was released: got %+v, %v, want it redacted", got, err)
	}
}

func TestRedactKeepsNames(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	id := recordSQL(t, pool, personal(tenant, uuid.New(), uuid.New(), nil))
	r := Request{Tenant: tenant, IDs: []uuid.UUID{id}, Reason: "asked to", KeepResourceNames: true}
	for _, want := range [][3]int{{1, 0, 0}, {0, 0, 1}} {
		if got, err := Redact(t.Context(), pool, r); err != nil || counts(got) != want {
			t.Errorf("got %+v, %v, want %v", got, err, want)
		}
	}
	a, err := pglog.New(pool).Get(t.Context(), tenant, id)
	if err != nil || a.ResourceName != "Ada's signal" || a.Message != "" {
		t.Errorf("got %+v, %v, want only the resource's name", a, err)
	}
	r.KeepResourceNames = false
	if got, err := Redact(t.Context(), pool, r); err != nil || got.Redacted != 1 || containsAda(t, pool, id) {
		t.Errorf("without: got %+v, %v, want the name cleared", got, err)
	}
}

// TestRedactPayloadsThatLookRedacted redacts activities whose payloads resemble redacted ones.
func TestRedactPayloadsThatLookRedacted(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	for _, payload := range []map[string]any{
		{"redacted": true, "redaction": "Ada"},
		{"redacted": true, "redaction": uuid.NewString(), "name": "Ada"},
		{"redacted": "Ada"},
		{"redacted": true, "redaction": map[string]any{"Ada": 1}},
	} {
		e := personal(tenant, uuid.New(), uuid.New(), map[string]any{"payload": payload, "action": "activity.redacted"})
		for _, bare := range []string{"message", "user_agent", "resource_name", "ip"} {
			delete(e, bare)
		}
		id := recordSQL(t, pool, e)
		if got, err := Redact(t.Context(), pool, Request{
			Tenant: tenant,
			IDs:    []uuid.UUID{id},
			Reason: "asked to",
		}); err != nil ||
			got.Redacted != 1 ||
			containsAda(t, pool, id) {
			t.Errorf("%v: got %+v, %v, want it redacted", payload, got, err)
		}
	}
}

func TestRedactRefuses(t *testing.T) {
	t.Parallel()
	one := []uuid.UUID{someID}
	for field, r := range map[string]Request{
		"tenant":  {IDs: one, Reason: "x"},
		"reason":  {Tenant: someID, IDs: one},
		"reason ": {Tenant: someID, IDs: one, Reason: strings.Repeat("x", MaxReason+1)},
		"ids":     {Tenant: someID, Reason: "x"},
		"ids ":    {Tenant: someID, Reason: "x", IDs: one, Actor: someID},
		"ids  ":   {Tenant: someID, Reason: "x", IDs: make([]uuid.UUID, MaxIDs+1)},
		"ids   ":  {Tenant: someID, Reason: "x", Since: time.Now()},
		"until":   {Tenant: someID, Reason: "x", Actor: someID, Since: time.Now(), Until: time.Now().Add(-time.Hour)},
	} {
		var invalidErr *invalid.Error
		if _, err := Redact(t.Context(), nil, r); !errors.As(err, &invalidErr) ||
			invalidErr.Fields[0].Name != strings.TrimSpace(field) {
			t.Errorf("%s: got %v, want an *invalid.Error", field, err)
		}
	}
}

// TestPrivileges calls the functions with roles that lack the privilege.
func TestPrivileges(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	id := recordSQL(t, pool, personal(tenant, uuid.New(), uuid.New(), nil))
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	exec := func(sql string, args ...any) string {
		_, err := conn.Exec(context.WithoutCancel(t.Context()), sql, args...)
		if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
			return refused.Code
		}
		if err != nil {
			return err.Error()
		}
		return ""
	}
	role := "fanfare_test_" + strings.ToLower(rand.Text())
	for _, sql := range []string{
		`CREATE ROLE ` + role,
		`GRANT USAGE ON SCHEMA fanfare TO ` + role,
		`GRANT ALL ON fanfare.activities TO ` + role,
	} {
		if got := exec(sql); got != "" {
			t.Fatal(sql, got)
		}
	}
	defer func() {
		for _, sql := range []string{`RESET ROLE`, `DROP OWNED BY ` + role, `DROP ROLE ` + role} {
			if got := exec(sql); got != "" {
				t.Error(sql, got)
			}
		}
	}()
	redact := `SELECT fanfare.redact_activities($1, ARRAY[$2::uuid], gen_random_uuid(), 'because', gen_random_uuid())`
	erase := `SELECT fanfare.erase_activities($1, ARRAY[$2::uuid], '{}', false)`
	for _, member := range []string{"", "fanfare_writer", "fanfare_retention"} {
		if member != "" {
			if got := exec(`GRANT ` + member + ` TO ` + role); got != "" {
				t.Fatal(got)
			}
		}
		exec(`SET ROLE ` + role)
		for name, sql := range map[string]string{"redact": redact, "erase": erase} {
			if got := exec(sql, tenant, id); got != "42501" {
				t.Errorf("%s by a member of %q: got SQLSTATE %q, want 42501", name, member, got)
			}
		}
		exec(`RESET ROLE`)
	}
	if !containsAda(t, pool, id) {
		t.Error("the activity was redacted without the privilege")
	}
	if got := exec(`GRANT EXECUTE ON FUNCTION fanfare.redact_activities TO ` + role); got != "" {
		t.Fatal(got)
	}
	exec(`SET ROLE ` + role)
	blank := `SELECT fanfare.redact_activities($1, ARRAY[$2::uuid], gen_random_uuid(), ' ', gen_random_uuid())`
	if got := exec(blank, tenant, id); got != "22023" {
		t.Errorf("without a reason: got SQLSTATE %q, want 22023", got)
	}
	if got := exec(redact, tenant, id); got != "" {
		t.Errorf("with the privilege: got SQLSTATE %q, want none", got)
	}
	exec(`RESET ROLE`)
	if containsAda(t, pool, id) {
		t.Error("the activity still contains data of Ada")
	}
}
