package outbox_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/envelopetest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// service returns a connection with the role of a service: a member of fanfare_writer alone.
func service(t testing.TB, db *pgtest.DB) (conn *pgx.Conn, role string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	role = "fanfare_test_" + strings.ToLower(rand.Text()) // roles belong to the server, which tests share
	mustExec(t, conn, `CREATE ROLE `+role)
	t.Cleanup(func() {
		for _, sql := range []string{`RESET ROLE`, `DROP OWNED BY ` + role, `DROP ROLE ` + role} {
			if _, err := conn.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
	})
	mustExec(t, conn, `GRANT fanfare_writer TO `+role)
	mustExec(t, conn, `SET ROLE `+role)
	return conn, role
}

func mustExec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestWriterRecordsWithoutTablePrivileges(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn, _ := service(t, db)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := anEnvelope()
	mustRecord(t, tx, e)
	if _, err := outbox.RecordMany(t.Context(), tx, slicesOf(e, anEnvelope())); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	record(t, conn, anEnvelope())

	relations := collect[string](t, db, `
		SELECT oid::regclass::text FROM pg_class
		WHERE relnamespace = 'fanfare'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`)
	if len(relations) < 15 {
		t.Fatalf("relations: got %s, want all of Fanfare's", relations)
	}
	for _, relation := range relations {
		for _, sql := range []string{
			`SELECT count(*) FROM ` + relation, `INSERT INTO ` + relation + ` DEFAULT VALUES`,
			`DELETE FROM ` + relation, `TRUNCATE ` + relation,
		} {
			_, err := conn.Exec(t.Context(), sql)
			if code := state(err); code != "42501" &&
				!(strings.HasSuffix(relation, "_seq") && (code == "42809" || code == "55000")) {
				t.Errorf("%s: got %v, want SQLSTATE 42501, insufficient privilege", sql, err)
			}
		}
	}
}

func slicesOf[T any](values ...T) []T { return values }

func collect[T any](t testing.TB, db *pgtest.DB, sql string, args ...any) []T {
	t.Helper()
	rows, err := db.Pool.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestWriterExecutesOnlyTheRecordingFunctions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	_, role := service(t, db)
	got := collect[string](t, db, `
		SELECT proname::text FROM pg_proc
		WHERE pronamespace = 'fanfare'::regnamespace AND has_function_privilege($1, oid, 'EXECUTE')
		ORDER BY 1`, role)
	want := []string{
		"existing_activity",
		"existing_id",
		"id_of",
		"record_activity",
		"record_envelope",
		"record_envelopes",
		"record_fields",
		"refuse_envelope",
		"role_of_directory",
		"role_of_retention",
		"role_of_writers",
		"role_prefix",
		"sha1",
		"uuidv7",
		"uuidv7_of",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	columns := collect[string](t, db, `
		SELECT attrelid::regclass || '.' || attname FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
		WHERE relnamespace = 'fanfare'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
		  AND (has_column_privilege($1, attrelid, attnum, 'SELECT')
		  OR has_column_privilege($1, attrelid, attnum, 'UPDATE'))`, role)
	if len(columns) > 0 {
		t.Errorf("columns that it may read or write: got %s, want none", columns)
	}
}

// TestDefinersPinTheirSearchPath reads the catalog, so that it covers functions that are added
// later.
func TestDefinersPinTheirSearchPath(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	loose := collect[string](t, db, `
		SELECT oid::regprocedure::text FROM pg_proc
		WHERE pronamespace = 'fanfare'::regnamespace AND prosecdef
		  AND NOT coalesce(proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)`)
	if len(loose) > 0 {
		t.Errorf("SECURITY DEFINER without search_path = pg_catalog, pg_temp: %s", loose)
	}
}

// TestSessionCannotChangeTheRules sets everything that a session can set, and checks that the
// recording functions still apply the rules.
func TestSessionCannotChangeTheRules(t *testing.T) {
	t.Parallel()
	for name, setting := range map[string]string{
		"operators and functions in front": `
			SET ROLE NONE;
			CREATE SCHEMA evil;
			CREATE FUNCTION evil.no(text, text) RETURNS boolean LANGUAGE sql RETURN false;
			CREATE FUNCTION evil.no(jsonb, jsonb) RETURNS boolean LANGUAGE sql RETURN false;
			CREATE FUNCTION evil.no(uuid, uuid) RETURNS boolean LANGUAGE sql RETURN false;
			CREATE FUNCTION evil.no(int, int) RETURNS boolean LANGUAGE sql RETURN false;
			CREATE OPERATOR evil.!~ (FUNCTION = evil.no, LEFTARG = text, RIGHTARG = text);
			CREATE OPERATOR evil.~* (FUNCTION = evil.no, LEFTARG = text, RIGHTARG = text);
			CREATE OPERATOR evil.<> (FUNCTION = evil.no, LEFTARG = text, RIGHTARG = text);
			CREATE OPERATOR evil.<> (FUNCTION = evil.no, LEFTARG = jsonb, RIGHTARG = jsonb);
			CREATE OPERATOR evil.= (FUNCTION = evil.no, LEFTARG = uuid, RIGHTARG = uuid);
			CREATE OPERATOR evil.> (FUNCTION = evil.no, LEFTARG = int, RIGHTARG = int);
			CREATE FUNCTION evil.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql RETURN 'object';
			CREATE FUNCTION evil.octet_length(text) RETURNS int LANGUAGE sql RETURN 0;
			CREATE FUNCTION evil.length(text) RETURNS int LANGUAGE sql RETURN 5;
			GRANT USAGE ON SCHEMA evil TO PUBLIC;
			SET search_path = evil, pg_catalog`,
		"temporary tables in front": `
			CREATE TEMP TABLE settings (only_row boolean, max_payload_bytes int);
			CREATE TEMP TABLE outbox (LIKE pg_class); CREATE TEMP TABLE activities (LIKE pg_class);
			CREATE TEMP TABLE pg_class (LIKE pg_catalog.pg_class);
			SET search_path = pg_temp, fanfare, pg_catalog`,
		"no schema at all": `SET search_path = ''`,
		"backslashes that escape": `SET standard_conforming_strings = off; SET escape_string_warning = off;
			SET backslash_quote = on`,
		"comparisons with null": `SET transform_null_equals = on`,
		"arrays without nulls":  `SET array_nulls = off`,
		"times and bytes in another fashion": `SET timezone = 'Asia/Kathmandu'; SET datestyle = 'SQL, DMY';
			SET intervalstyle = 'iso_8601'; SET bytea_output = 'escape'`,
		"other plans": `SET enable_indexscan = off; SET enable_seqscan = off;
			SET plan_cache_mode = force_custom_plan; SET jit_above_cost = 0`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			conn, role := service(t, db)
			mustExec(t, conn, setting)
			mustExec(t, conn, `SET ROLE `+role)
			for _, c := range envelopetest.Cases(t) {
				c := envelopeCase{c}
				tx, err := conn.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				_, err = tx.Exec(
					t.Context(),
					`SELECT fanfare.record_activity($1::pg_catalog.text::pg_catalog.jsonb)`,
					c.JSON(t),
				)
				if refused := err != nil; refused != c.Rejected() {
					t.Errorf("%s: got %v, want refused %t", c.Name, err, c.Rejected())
				}
				if err := tx.Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestWriterLearnsTheIDOnly records about a resource of the directory and asks for an activity of
// another principal, as a service may do in a transaction that it rolls back.
func TestWriterLearnsTheIDOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := anEnvelope()
	e.CorrelationID, e.Message, e.IP = uuid.New(), "codename nightingale", "203.0.113.7"
	if _, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.resources (tenant_id, id, type, name, owner_principal_id, parent_id)
		VALUES ($1, $2, 'signal', 'nightingale', gen_random_uuid(), gen_random_uuid())`,
		e.TenantID, e.ResourceID); err != nil {
		t.Fatal(err)
	}
	conn, _ := service(t, db)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	first := mustRecord(t, tx, e)
	if first.OwnerID != uuid.Nil || first.ParentID != uuid.Nil || first.ResourceName != "" || first.IPHash != nil {
		t.Errorf("created: got %+v, want nothing of the directory and no hash", first)
	}
	var others int
	if err := tx.QueryRow(t.Context(), `
		SELECT num_nonnulls(a.owner_id, a.parent_id, a.resource_name, a.message, a.payload, a.ip_hash, a.recorded_at)
		FROM fanfare.existing_activity($1, $2, $3, $4) AS a
		WHERE a.id = $5`, e.TenantID, e.CorrelationID, e.Action, e.ResourceID, first.ID).Scan(&others); err != nil {
		t.Fatal(err)
	}
	if others != 0 {
		t.Errorf("the existing activity: got %d columns besides its id, want none", others)
	}
	e.Message = ""
	if again := mustRecord(t, tx, e); again.Created || again.ID != first.ID || again.Message != "" {
		t.Errorf("a duplicate: got %+v, want the id %s only", again, first.ID)
	}
}

// TestWriterCannotReadTheHashKeys attempts to read them through a function of its own and through a
// view.
func TestWriterCannotReadTheHashKeys(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn, role := service(t, db)
	mustExec(t, conn, `RESET ROLE`)
	mustExec(t, conn, `CREATE SCHEMA mine AUTHORIZATION `+role)
	mustExec(t, conn, `SET ROLE `+role)
	mustExec(
		t,
		conn,
		`CREATE FUNCTION mine.keys() RETURNS bigint
			LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM fanfare.ip_hash_keys'
		SET check_function_bodies = off`,
	)
	for _, sql := range []string{
		`SELECT mine.keys()`,
		`CREATE VIEW mine.v AS SELECT * FROM fanfare.ip_hash_keys; SELECT * FROM mine.v`,
		`CREATE TABLE fanfare.mine ()`,
		`CREATE FUNCTION fanfare.mine() RETURNS int LANGUAGE sql RETURN 1`,
		`ALTER FUNCTION fanfare.record_activity SECURITY INVOKER`,
		`CREATE TRIGGER spy AFTER INSERT ON fanfare.activities FOR EACH ROW
			EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
	} {
		if _, err := conn.Exec(t.Context(), sql); state(err) != "42501" {
			t.Errorf("%s: got %v, want SQLSTATE 42501, insufficient privilege", sql, err)
		}
	}
}
