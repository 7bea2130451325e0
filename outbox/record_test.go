package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/activitytest"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// anEnvelope returns a valid envelope of a resource of its own.
func anEnvelope() activity.Envelope {
	e := activitytest.NewEnvelope()
	e.TenantID = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	e.ActorPrincipalID = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	return e
}

// aKeyedEnvelope returns an envelope with a correlation id, and so with an idempotency key.
func aKeyedEnvelope() activity.Envelope {
	e := anEnvelope()
	e.CorrelationID = uuid.New()
	return e
}

// count returns the number of rows of a table.
func count(t testing.TB, db pg.RowQuerier, table string) (rows int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// written is the number of rows of each kind that a recording writes.
type written struct{ Activities, Outbox, Keys int }

func countWritten(t testing.TB, db pg.RowQuerier) written {
	t.Helper()
	return written{
		count(t, db, "fanfare.activities"),
		count(t, db, "fanfare.outbox"),
		count(t, db, "fanfare.idempotency_keys"),
	}
}

func mustRecord(t testing.TB, tx pgx.Tx, e activity.Envelope) outbox.Recorded {
	t.Helper()
	r, err := outbox.Record(t.Context(), tx, e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func commit(t testing.TB, tx pgx.Tx) {
	t.Helper()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func state(err error) string {
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func refusedFields(err error) []string {
	invalidErr := (*invalid.Error)(nil)
	if !errors.As(err, &invalidErr) {
		return nil
	}
	var fields []string
	for _, f := range invalidErr.Fields {
		fields = append(fields, f.Name)
	}
	return fields
}

func TestRecordReturnsTheExistingActivity(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := anEnvelope()
	e.Payload = map[string]any{"title": "Momentum 12", "token": "x"}
	tx := begin(t, db)
	_, err := tx.Exec(
		t.Context(),
		`INSERT INTO fanfare.resources (id, tenant_id, parent_id, owner_principal_id, type, name)
		VALUES ($1, $2, '44444444-4444-4444-8444-444444444444', '55555555-5555-4555-8555-555555555555', 'signal',
			        'Momentum 12')`,
		e.ResourceID,
		e.TenantID,
	)
	if err != nil {
		t.Fatal(err)
	}
	got := mustRecord(t, tx, e)
	if !got.Created {
		t.Error("Created: got false, want true")
	}
	if got.ID.Version() != 7 || got.CorrelationID == uuid.Nil || got.RecordedAt.IsZero() ||
		!got.OccurredAt.Equal(got.RecordedAt) {
		t.Errorf(
			"id, correlation and times: got %s, %s, %s, %s",
			got.ID,
			got.CorrelationID,
			got.OccurredAt,
			got.RecordedAt,
		)
	}
	want := activity.Activity{
		ID: got.ID, TenantID: e.TenantID, ActorPrincipalID: e.ActorPrincipalID, ResourceID: e.ResourceID,
		CorrelationID: got.CorrelationID, // without what the directory adds
		OccurredAt:    got.OccurredAt, RecordedAt: got.RecordedAt, ResourceType: "signal",
		Action:     "signal.created",
		Visibility: activity.ResourceWide, Status: activity.Success, Severity: activity.Info, Category: "signal",
		DeliveryChannels: []string{},
		Payload:          []byte(`{"title": "Momentum 12", "token": "[redacted]"}`),
	}
	if diff := cmp.Diff(want, got.Activity); diff != "" {
		t.Errorf("activity (-want +got):\n%s", diff)
	}
	again := mustRecord(t, tx, activity.Envelope{
		TenantID: e.TenantID, ActorPrincipalID: uuid.New(), ResourceID: e.ResourceID, ResourceType: "other",
		Action: e.Action, CorrelationID: got.CorrelationID,
	})
	if again.Created {
		t.Error("Created the second time: got true, want false")
	}
	// The connection may read the log, so it receives the activity with what the directory added.
	again.OwnerID, again.ParentID, again.ResourceName = uuid.Nil, uuid.Nil, ""
	if diff := cmp.Diff(got.Activity, again.Activity); diff != "" {
		t.Errorf("activity the second time (-first +second):\n%s", diff)
	}
	if got, want := countWritten(t, tx), (written{1, 1, 0}); got != want {
		t.Errorf("rows: got %+v, want %+v", got, want)
	}
}

// TestTheEnvelopePrecedesTheDirectory checks that the directory fills only the empty fields of an
// envelope.
func TestTheEnvelopePrecedesTheDirectory(t *testing.T) {
	t.Parallel()
	tx := begin(t, pgtest.New(t))
	e := anEnvelope()
	owner, parent, given := uuid.New(), uuid.New(), uuid.New()
	_, err := tx.Exec(
		t.Context(),
		`INSERT INTO fanfare.resources (id, tenant_id, parent_id, owner_principal_id, type, name)
			VALUES ($1, $2, $3, $4, 'signal', 'Momentum 12')`,
		e.ResourceID,
		e.TenantID,
		parent,
		owner,
	)
	if err != nil {
		t.Fatal(err)
	}
	type resource struct {
		Owner, Parent uuid.UUID
		Name          string
	}
	for name, tc := range map[string]struct {
		change func(e *activity.Envelope)
		want   resource
	}{
		"nothing given": {func(*activity.Envelope) {}, resource{owner, parent, "Momentum 12"}},
		"owner given": {func(e *activity.Envelope) { e.OwnerID = given }, resource{
			given, parent,
			"Momentum 12",
		}},
		"parent given": {func(e *activity.Envelope) { e.ParentID = given }, resource{
			owner, given,
			"Momentum 12",
		}},
		"name given": {func(e *activity.Envelope) { e.ResourceName = "M12" }, resource{
			owner, parent,
			"M12",
		}},
		"all given": {func(e *activity.Envelope) {
			e.OwnerID, e.ParentID, e.ResourceName = given, given, "M12"
		}, resource{given, given, "M12"}},
		"another tenant's":     {func(e *activity.Envelope) { e.TenantID = given }, resource{}},
		"not in the directory": {func(e *activity.Envelope) { e.ResourceID = given }, resource{}},
		"not there, but all said": {func(e *activity.Envelope) {
			e.ResourceID, e.OwnerID, e.ParentID = uuid.New(), owner, parent
		}, resource{owner, parent, ""}},
	} {
		e := e
		tc.change(&e)
		var got resource
		if err := tx.QueryRow(t.Context(), `
			SELECT coalesce(owner_id, $2), coalesce(parent_id, $2), coalesce(resource_name, '')
			FROM fanfare.activities WHERE id = $1`, mustRecord(t, tx, e).ID, uuid.Nil).
			Scan(&got.Owner, &got.Parent, &got.Name); err != nil {
			t.Fatal(err)
		}
		if got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestViolationLeavesTheTransactionUsable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, tc := range map[string]struct {
		change func(e *activity.Envelope)
		want   []string
	}{
		"seen in Go": {
			func(e *activity.Envelope) { e.Action, e.Visibility = "created", "public" },
			[]string{"action", "visibility"},
		},
		"seen by the database": {func(e *activity.Envelope) {
			e.Payload = map[string]string{"a": strings.Repeat("x", 70_000)}
		}, []string{"payload"}},
	} {
		tx := begin(t, db)
		e := anEnvelope()
		tc.change(&e)
		_, err := outbox.Record(t.Context(), tx, e)
		if diff := cmp.Diff(tc.want, refusedFields(err)); diff != "" {
			t.Errorf("%s: fields of %v (-want +got):\n%s", name, err, diff)
		}
		if got, want := countWritten(t, tx), (written{}); got != want {
			t.Errorf("%s: rows in the transaction, which is usable still: got %+v, want %+v", name, got, want)
		}
		mustRecord(t, tx, anEnvelope())
	}
}

func TestLowerLimitOfTheDatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tx := begin(t, db)
	if _, err := tx.Exec(t.Context(), `UPDATE fanfare.settings SET max_payload_bytes = 20`); err != nil {
		t.Fatal(err)
	}
	e := anEnvelope()
	e.Payload = map[string]string{"a": "0123456789a"}
	if _, err := outbox.Record(t.Context(), tx, e); err != nil {
		t.Errorf("20 bytes: got %v, want it recorded", err)
	}
	e.ResourceID, e.Payload = uuid.New(), map[string]string{"a": "0123456789ab"}
	_, err := outbox.Record(t.Context(), tx, e)
	if err == nil || err.Error() != `envelope refused: payload of 21 bytes must be at most 20 bytes` {
		t.Errorf("21 bytes: got %v, want it refused", err)
	}
	if got, want := countWritten(t, tx), (written{1, 1, 0}); got != want {
		t.Errorf("rows: got %+v, want %+v", got, want)
	}
}

// TestViolationsDoNotRepeatSecrets looks for secrets in the error of a rejected envelope.
func TestViolationsDoNotRepeatSecrets(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, fields := range map[string]string{
		"a field that is none": `"password": "hunter2"`,
		"ip of a wrong form":   `"ip": "hunter2"`,
		"ip of a wrong type":   `"ip": ["hunter2"]`,
		"payload of a string":  `"payload": "hunter2"`,
		"payload of a list":    `"payload": ["hunter2"]`,
	} {
		_, err := db.Pool.Exec(
			t.Context(),
			`SELECT fanfare.record_activity($1)`,
			`{"tenant_id": "11111111-1111-4111-8111-111111111111",
			"actor_principal_id": "22222222-2222-4222-8222-222222222222",
			"resource_id": "33333333-3333-4333-8333-333333333333",
			"resource_type": "signal", "action": "signal.created", `+fields+`}`,
		)
		pgErr := (*pgconn.PgError)(nil)
		if !errors.As(err, &pgErr) {
			t.Errorf("%s: got %v, want it refused", name, err)
		} else if strings.Contains(fmt.Sprintf("%+v", *pgErr), "hunter2") {
			t.Errorf("%s: got %+v, want an error without the value", name, *pgErr)
		}
	}
	e := anEnvelope()
	e.IP, e.Payload = "hunter2", []string{"hunter2"}
	if err := e.Validate(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Validate: got %v, want an error without the values", err)
	}
}

func TestViolationInSQLAbortsTheTransaction(t *testing.T) {
	t.Parallel()
	tx := begin(t, pgtest.New(t))
	_, err := tx.Exec(t.Context(), `SELECT fanfare.record_activity('{"tenant_id": null}')`)
	pgErr := (*pgconn.PgError)(nil)
	if !errors.As(err, &pgErr) {
		t.Fatalf("got %v, want a refusal", err)
	}
	got := []string{pgErr.Code, pgErr.SchemaName, pgErr.TableName, pgErr.ColumnName, pgErr.Message}
	if diff := cmp.Diff([]string{"23502", "fanfare", "activities", "tenant_id", "tenant_id is required"},
		got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if _, err := tx.Exec(t.Context(), `SELECT`); state(err) != "25P02" {
		t.Errorf("the next statement: got %v, want SQLSTATE 25P02, an aborted transaction", err)
	}
	if _, err := begin(t, pgtest.New(t)).Exec(t.Context(), `SELECT fanfare.record_activity(NULL)`); state(
		err,
	) != "22023" {
		t.Errorf("no envelope: got %v, want SQLSTATE 22023", err)
	}
}

// TestUnknownFieldInSQL checks that the error of a field that does not exist lists those that do.
func TestUnknownFieldInSQL(t *testing.T) {
	t.Parallel()
	_, err := begin(t, pgtest.New(t)).Exec(t.Context(), `SELECT fanfare.record_activity('{"colour": "red"}')`)
	pgErr := (*pgconn.PgError)(nil)
	if !errors.As(err, &pgErr) || pgErr.ColumnName != "colour" || pgErr.Code != "22023" ||
		!strings.HasPrefix(pgErr.Hint, "The fields are tenant_id, actor_principal_id, ") {
		t.Errorf("got %+v, want a refusal with the fields as its hint", err)
	}
	_, err = begin(t, pgtest.New(t)).Exec(t.Context(), `SELECT fanfare.record_activity('{"tenant_id": 1}')`)
	if !errors.As(err, &pgErr) || pgErr.Hint != "" {
		t.Errorf("got %+v, want a refusal without a hint", err)
	}
}

func TestTheSameKeyIsTheSameActivity(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := anEnvelope()
	e.CorrelationID = uuid.New()
	tx := begin(t, db)
	first := mustRecord(t, tx, e)
	commit(t, tx)
	tx = begin(t, db)
	for name, tc := range map[string]struct {
		change  func(e *activity.Envelope)
		created bool
	}{
		"the same":            {func(*activity.Envelope) {}, false},
		"another payload":     {func(e *activity.Envelope) { e.Payload = map[string]int{"n": 2} }, false},
		"another actor":       {func(e *activity.Envelope) { e.ActorPrincipalID = uuid.New() }, false},
		"another correlation": {func(e *activity.Envelope) { e.CorrelationID = uuid.New() }, true},
		"another action":      {func(e *activity.Envelope) { e.Action = "signal.updated" }, true},
		"another resource":    {func(e *activity.Envelope) { e.ResourceID = uuid.New() }, true},
		"another tenant":      {func(e *activity.Envelope) { e.TenantID = uuid.New() }, true},
		"no correlation":      {func(e *activity.Envelope) { e.CorrelationID = uuid.Nil }, true},
	} {
		e := e
		tc.change(&e)
		got := mustRecord(t, tx, e)
		if got.Created != tc.created || got.Created == (got.ID == first.ID) {
			t.Errorf(
				"%s: got created %t, id %s; want created %t; the first is %s",
				name,
				got.Created,
				got.ID,
				tc.created,
				first.ID,
			)
		}
	}
	// A recording without a correlation id uses its own id as that, and has no key.
	if got, want := countWritten(t, tx), (written{6, 6, 5}); got != want {
		t.Errorf("rows: got %+v, want %+v", got, want)
	}
	commit(t, tx)
}

func TestRolledBackActivityIsRecordedAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := anEnvelope()
	e.CorrelationID = uuid.New()
	tx := begin(t, db)
	lost := mustRecord(t, tx, e)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx = begin(t, db)
	if got := mustRecord(t, tx, e); !got.Created || got.ID == lost.ID {
		t.Errorf("got created %t, id %s; want a new one, not %s", got.Created, got.ID, lost.ID)
	}
	commit(t, tx)
	if got, want := countWritten(t, db.Pool), (written{1, 1, 1}); got != want {
		t.Errorf("rows: got %+v, want %+v", got, want)
	}
}

// TestManyRecordTheSameKeyAtOnce starts concurrent recordings that wait for a transaction with the
// same key; that commits or, half of the times, rolls back.
func TestManyRecordTheSameKeyAtOnce(t *testing.T) {
	t.Parallel()
	for _, outcome := range []string{"commits", "rolls back"} {
		t.Run("the first "+outcome, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			pool := widePool(t, db, 24)
			e := anEnvelope()
			e.CorrelationID = uuid.New()
			tx := begin(t, db)
			first := mustRecord(t, tx, e)
			var created atomic.Int32
			ids := make([]uuid.UUID, 20)
			var g errgroup.Group
			for i := range ids {
				g.Go(func() error {
					return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
						r, err := outbox.Record(t.Context(), tx, e)
						if r.Created {
							created.Add(1)
						}
						ids[i] = r.ID
						return err
					})
				})
			}
			waittest.Query(t, db.Pool, "20 that wait", `
				SELECT count(*) = $1 FROM pg_stat_activity WHERE datname = current_database()
				AND wait_event_type = 'Lock'`, len(ids))
			var wantCreated int32
			if outcome == "commits" {
				commit(t, tx)
			} else {
				wantCreated = 1
				if err := tx.Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			if got := created.Load(); got != wantCreated {
				t.Errorf("created: got %d, want %d", got, wantCreated)
			}
			for _, id := range ids {
				if id != ids[0] || (id == first.ID) != (wantCreated == 0) {
					t.Errorf("ids: got %s, want all the same; the first one's was %s", ids, first.ID)
					break
				}
			}
			if got, want := countWritten(t, db.Pool), (written{1, 1, 1}); got != want {
				t.Errorf("rows: got %+v, want %+v", got, want)
			}
		})
	}
}

// widePool returns a pool of n connections, since a test's own has 16.
func widePool(t testing.TB, db *pgtest.DB, size int32) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = size
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestUnderRepeatableRead(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := anEnvelope()
	e.CorrelationID = uuid.New()
	late, err := db.Pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = late.Rollback(context.Background()) })
	count(t, late, "fanfare.outbox") // takes the snapshot
	tx := begin(t, db)
	first := mustRecord(t, tx, e)
	commit(t, tx)
	if _, err := outbox.Record(t.Context(), late, e); state(err) != "40001" {
		t.Errorf("a key committed after the snapshot: got %v, want SQLSTATE 40001, try again", err)
	}
	again, err := db.Pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Rollback(context.Background()) })
	if got := mustRecord(t, again, e); got.Created || got.ID != first.ID {
		t.Errorf("tried again: got created %t, id %s; want the existing %s", got.Created, got.ID, first.ID)
	}
}

func TestQueueTakesOneRoundTrip(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), `CREATE TABLE signals (id uuid PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	e := aKeyedEnvelope()
	var batch pgx.Batch
	batch.Queue(`INSERT INTO signals VALUES ($1)`, e.ResourceID)
	var r outbox.Recorded
	if err := outbox.Queue(&batch, e, &r); err != nil {
		t.Fatal(err)
	}
	if err := db.Pool.SendBatch(t.Context(), &batch).Close(); err != nil {
		t.Fatal(err)
	}
	if !r.Created || r.ResourceID != e.ResourceID {
		t.Errorf("got %+v, want the activity", r)
	}
	if got, want := countWritten(t, db.Pool), (written{1, 1, 1}); got != want {
		t.Errorf("rows: got %+v, want %+v", got, want)
	}
}

func TestQueueRejects(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := anEnvelope()
	e.Action = "created"
	var batch pgx.Batch
	var r outbox.Recorded
	if err := outbox.Queue(&batch, e, &r); !cmp.Equal(refusedFields(err), []string{"action"}) || batch.Len() != 0 {
		t.Errorf("seen in Go: got %v and %d queued, want action refused and nothing queued", err, batch.Len())
	}
	e = anEnvelope()
	e.Payload = map[string]string{"a": strings.Repeat("x", 70_000)}
	batch.Queue(`CREATE TABLE changed ()`)
	if err := outbox.Queue(&batch, e, &r); err != nil {
		t.Fatal(err)
	}
	err := db.Pool.SendBatch(t.Context(), &batch).Close()
	if diff := cmp.Diff([]string{"payload"}, refusedFields(err)); diff != "" ||
		!strings.HasSuffix(err.Error(), `payload of 70009 bytes must be at most 65536 bytes`) {
		t.Errorf("seen by the database: got %v, want payload refused", err)
	}
	if got, want := countWritten(t, db.Pool), (written{}); got != want || r.ID != uuid.Nil {
		t.Errorf("rows: got %+v, want %+v; into: got %+v, want it untouched", got, want, r)
	}
	if got := count(t, db.Pool, `pg_class WHERE relname = 'changed'`); got != 0 {
		t.Error("the change was made without its activity")
	}
}

func TestRecordManyKeepsTheOrder(t *testing.T) {
	t.Parallel()
	const many = 10_000
	db := pgtest.New(t)
	envelopes := make([]activity.Envelope, many)
	resource := uuid.New()
	for i := range envelopes {
		envelopes[i] = anEnvelope()
		envelopes[i].ResourceID, envelopes[i].Payload = resource, map[string]int{"n": i}
	}
	envelopes[many-1].CorrelationID, envelopes[7].CorrelationID = uuid.Max, uuid.Max // the last is the eighth again
	tx := begin(t, db)
	recorded, err := outbox.RecordMany(t.Context(), tx, envelopes)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	if len(recorded) != many {
		t.Fatalf("recorded: got %d, want %d", len(recorded), many)
	}
	if last := recorded[many-1]; last.Created || last.ID != recorded[7].ID {
		t.Errorf("the last: got created %t, id %s; want the eighth's, %s", last.Created, last.ID, recorded[7].ID)
	}
	rows, err := db.Pool.Query(t.Context(), `SELECT activity_id FROM fanfare.outbox ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		t.Fatal(err)
	}
	want := make([]uuid.UUID, 0, many-1)
	for i, r := range recorded[:many-1] {
		want = append(want, r.ID)
		if payload := fmt.Sprintf(`{"n": %d}`, i); string(r.Payload) != payload || !r.Created {
			t.Fatalf("envelope %d: got created %t, payload %s; want %s", i, r.Created, r.Payload, payload)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the outbox: got another order of seq than the envelopes'")
	}
}

func TestRecordManyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	good, bad, large := anEnvelope(), anEnvelope(), anEnvelope()
	bad.Action, bad.ResourceType = "created", ""
	large.Payload = map[string]string{"a": strings.Repeat("x", 70_000)}
	for name, tc := range map[string]struct {
		envelopes []activity.Envelope
		want      []string
	}{
		"seen in Go": {[]activity.Envelope{good, bad, good, bad}, []string{
			"envelopes[1].resource_type",
			"envelopes[1].action", "envelopes[3].resource_type", "envelopes[3].action",
		}},
		"seen by the database": {[]activity.Envelope{good, good, large, good, large}, []string{
			"envelopes[2].payload", "envelopes[4].payload",
		}},
		"the first": {[]activity.Envelope{large}, []string{"envelopes[0].payload"}},
	} {
		tx := begin(t, db)
		recorded, err := outbox.RecordMany(t.Context(), tx, tc.envelopes)
		if diff := cmp.Diff(tc.want, refusedFields(err)); diff != "" || recorded != nil {
			t.Errorf("%s: got %d recorded, fields of %v (-want +got):\n%s", name, len(recorded), err, diff)
		}
		if got, want := countWritten(t, tx), (written{}); got != want {
			t.Errorf("%s: rows in the transaction, which is usable still: got %+v, want %+v", name, got, want)
		}
	}
}

func TestRecordManyOfNone(t *testing.T) {
	t.Parallel()
	got, err := outbox.RecordMany(t.Context(), begin(t, pgtest.New(t)), nil)
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v; want nothing and no error", got, err)
	}
}
