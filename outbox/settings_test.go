package outbox_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// TestModesChangedAtOnce has two transactions change the enforcement modes of tenants concurrently,
// without seeing each other: recording follows the final modes.
func TestModesChangedAtOnce(t *testing.T) {
	t.Parallel()
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		t.Run(string(level), func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			exec := func(tx pgx.Tx, sql string, args ...any) error {
				_, err := tx.Exec(t.Context(), sql, args...)
				return err
			}
			old, e := uuid.New(), anEnvelope()
			if _, err := db.Pool.Exec(t.Context(), `INSERT INTO fanfare.enforcement (tenant_id, mode)
				VALUES ($1, 'warn')`, old); err != nil {
				t.Fatal(err)
			}
			one, two := beginAt(t, db.Pool, level), beginAt(t, db.Pool, level)
			if err := exec(two, `SELECT count(*) FROM fanfare.enforcement`); err != nil { // its snapshot
				t.Fatal(err)
			}
			if err := exec(one, `INSERT INTO fanfare.enforcement (tenant_id, mode)
				VALUES ($1, 'strict')`, e.TenantID); err != nil {
				t.Fatal(err)
			}
			commit(t, one)
			if err := exec(two, `DELETE FROM fanfare.enforcement WHERE tenant_id = $1`, old); err == nil {
				commit(t, two)
			} else if state(err) != "40001" {
				t.Errorf("the second: got %v, want none or that it could not be serialized", err)
			}
			if _, err := outbox.Record(t.Context(), begin(t, db), e); !slices.Equal(
				refusedFields(err),
				[]string{"action"},
			) {
				t.Errorf("got %v, want a refusal of the tenant that is held strictly", err)
			}
		})
	}
}

func beginAt(t testing.TB, pool *pgxpool.Pool, level pgx.TxIsoLevel) pgx.Tx {
	t.Helper()
	tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(t.Context()) })
	return tx
}

// TestModesSetAtOnce sets modes and settings from many transactions at once: all succeed, and
// recording follows the final ones.
func TestModesSetAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pool := widePool(t, db, 8)
	failed := make(chan error, 80)
	for i := range 8 {
		go func() {
			for n := range 10 {
				sql := `INSERT INTO fanfare.enforcement (tenant_id, mode) VALUES (gen_random_uuid(), 'warn')`
				switch (i + n) % 4 {
				case 0:
					sql = `UPDATE fanfare.settings SET max_payload_bytes = 1000 + (random() * 1000)::int`
				case 1:
					sql = `DELETE FROM fanfare.enforcement WHERE tenant_id = (SELECT tenant_id
						FROM fanfare.enforcement LIMIT 1)`
				}
				_, err := pool.Exec(t.Context(), sql)
				failed <- err
			}
		}()
	}
	for range 80 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	var function, setting int
	if err := pool.QueryRow(t.Context(), `SELECT fanfare.max_payload_bytes(), max_payload_bytes
		FROM fanfare.settings`).Scan(&function, &setting); err != nil ||
		function != setting {
		t.Errorf("got %d bytes, %v; want the %d of the settings", function, err, setting)
	}
	if got := collect[string](t, db, `SELECT coalesce(fanfare.enforcement_of(tenant_id), '') FROM fanfare.enforcement
		WHERE fanfare.enforcement_of(tenant_id) <> mode`); len(
		got,
	) > 0 {
		t.Errorf("got modes %q that are not the tenants'", got)
	}
}

// TestExistingActivityRemovedMeanwhile has a writer find that its key exists after the activity was
// removed: it must try again instead of receiving no activity.
func TestExistingActivityRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := aKeyedEnvelope()
	if _, err := db.Pool.Exec(t.Context(),
		`INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, action, resource_id, activity_id)
			VALUES ($1, $2, $3, $4, gen_random_uuid())`,
		e.TenantID, e.CorrelationID, e.Action, e.ResourceID); err != nil {
		t.Fatal(err)
	}
	if got, err := outbox.Record(t.Context(), begin(t, db), e); state(err) != "40001" {
		t.Errorf("Record: got %s, %v; want SQLSTATE 40001", got.ID, err)
	}
	if got, err := outbox.RecordMany(t.Context(), begin(t, db), slicesOf(anEnvelope(), e)); state(err) != "40001" {
		t.Errorf("RecordMany: got %v, %v; want SQLSTATE 40001", got, err)
	}
	body, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var id *uuid.UUID
	if err := db.Pool.QueryRow(t.Context(), `SELECT fanfare.record_activity($1)`, string(body)).Scan(&id); state(
		err,
	) != "40001" {
		t.Errorf("record_activity: got %v, %v; want SQLSTATE 40001", id, err)
	}
}

// TestDuplicatesPassTighterRules tightens the rules between an activity and its duplicate, as for a
// consumer that receives a message twice: every way to record returns the existing activity.
func TestDuplicatesPassTighterRules(t *testing.T) {
	t.Parallel()
	db := withSignals(t)
	e := aKeyedEnvelope()
	first := record(t, db.Pool, e)
	if _, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.settings SET enforcement = 'strict'`); err != nil {
		t.Fatal(err)
	}
	tx := begin(t, db)
	one, err := outbox.Record(t.Context(), tx, e)
	if err != nil || one.Created || one.ID != first {
		t.Errorf("Record: got %s, created %t, %v; want the existing %s", one.ID, one.Created, err, first)
	}
	many, err := outbox.RecordMany(t.Context(), tx, slicesOf(e))
	if err != nil || len(many) != 1 || many[0].ID != first {
		t.Errorf("RecordMany: got %v, %v; want the existing %s", many, err, first)
	}
	body, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var id uuid.UUID
	if err := tx.QueryRow(t.Context(), `SELECT fanfare.record_activity($1)`,
		string(body)).Scan((*[16]byte)(&id)); err != nil ||
		id != first {
		t.Errorf("record_activity: got %s, %v; want the existing %s", id, err, first)
	}
	_, changed, err := outbox.TxActivity(t.Context(), db.Pool, e, create("again"))
	if err != nil || changed.Created || changed.ID != first {
		t.Errorf("TxActivity: got %s, created %t, %v; want the existing %s", changed.ID, changed.Created, err, first)
	}
	e.ResourceType = ""
	if _, err := outbox.Record(t.Context(), tx, e); !slices.Equal(refusedFields(err), []string{"resource_type"}) {
		t.Errorf("what breaks a rule of every time: got %v, want resource_type refused", err)
	}
	if _, err := outbox.Record(t.Context(), tx, aKeyedEnvelope()); !slices.Equal(
		refusedFields(err),
		[]string{"action"},
	) {
		t.Errorf("a new one: got %v, want action refused", err)
	}
}
