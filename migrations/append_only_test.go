package migrations_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// sqlState returns the SQLSTATE of a statement's error, or "" if the statement succeeds.
func sqlState(conn *pgx.Conn, sql string, args ...any) string {
	_, err := conn.Exec(context.Background(), sql, args...)
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) {
		return pgErr.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// newRole creates a role with a unique name, since roles belong to the server, and drops it when
// the test ends.
func newRole(t testing.TB, conn *pgx.Conn) string {
	t.Helper()
	role := "fanfare_test_" + strings.ToLower(rand.Text())
	exec(t, conn, `CREATE ROLE `+role)
	t.Cleanup(func() {
		for _, sql := range []string{`RESET ROLE`, `DROP OWNED BY ` + role, `DROP ROLE ` + role} {
			if _, err := conn.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
	})
	return role
}

func TestRecordedActivitiesAreAppendOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	super := connect(t, db.URL)
	id := query[string](t, super, `SELECT fanfare.record_activity($1)::text`, envelope)
	partition := query[string](t, super, `SELECT tableoid::regclass::text FROM fanfare.activities`)
	if partition == "fanfare.activities_default" {
		t.Fatalf("the activity is in %s, want the partition of its month", partition)
	}
	want := query[string](t, super, `SELECT a::text FROM fanfare.activities AS a`)

	member := connect(t, db.URL)
	role := newRole(t, member)
	exec(t, member, `GRANT fanfare_retention TO `+role)
	exec(t, member, `GRANT USAGE ON SCHEMA fanfare TO `+role)
	exec(t, member, `GRANT ALL ON ALL TABLES IN SCHEMA fanfare TO `+role)
	exec(t, member, `SET ROLE `+role)

	attacker := connect(t, db.URL)
	exec(t, attacker, `
		CREATE SCHEMA attack;
		CREATE FUNCTION attack.always(name, name) RETURNS boolean LANGUAGE sql RETURN true;
		CREATE OPERATOR attack.= (FUNCTION = attack.always, LEFTARG = name, RIGHTARG = name);
		SET search_path = attack, pg_catalog`)

	statements := map[string]string{
		"update":                `UPDATE fanfare.activities SET message = 'changed'`,
		"update without change": `UPDATE fanfare.activities SET message = message`,
		"update of the id":      `UPDATE fanfare.activities SET id = fanfare.uuidv7('2001-01-01Z')`,
		"update of a partition": `UPDATE ` + partition + ` SET message = 'changed'`,
		"delete":                `DELETE FROM fanfare.activities WHERE id = '` + id + `'`,
		"delete in a partition": `DELETE FROM ` + partition,
		"delete in a CTE":       `WITH d AS (DELETE FROM fanfare.activities RETURNING id) SELECT * FROM d`,
		"upsert": `INSERT INTO ` + partition + ` SELECT * FROM fanfare.activities
			ON CONFLICT (tenant_id, id) DO UPDATE SET message = 'changed'`,
		"merge": `MERGE INTO fanfare.activities AS a USING (SELECT) AS one ON true
			WHEN MATCHED THEN DELETE`,
		"truncate":                 `TRUNCATE fanfare.activities`,
		"truncate a partition":     `TRUNCATE ` + partition,
		"truncate the default":     `TRUNCATE fanfare.activities_default`,
		"truncate with the outbox": `TRUNCATE fanfare.outbox, fanfare.activities CASCADE`,
	}
	for role, conn := range map[string]*pgx.Conn{
		"the owner, a superuser":        super,
		"a member of fanfare_retention": member,
		"a superuser's search_path":     attacker,
	} {
		for statement, sql := range statements {
			if got := sqlState(conn, sql); got != "42501" {
				t.Errorf("%s by %s: got SQLSTATE %q, want 42501", statement, role, got)
			}
		}
	}
	if got := query[string](t, super, `SELECT a::text FROM fanfare.activities AS a`); got != want {
		t.Errorf("the activity:\ngot  %s\nwant %s", got, want)
	}
}

// TestRetentionMayRemove removes activities with a function that fanfare_retention owns.
func TestRetentionMayRemove(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	query[string](t, conn, `SELECT fanfare.record_activity($1)::text`, envelope)
	exec(t, conn, `
		GRANT SELECT, DELETE ON fanfare.activities TO fanfare_retention;
		GRANT CREATE ON SCHEMA fanfare TO fanfare_retention;
		CREATE FUNCTION fanfare.purge() RETURNS void
			LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
			AS 'DELETE FROM fanfare.activities';
		ALTER FUNCTION fanfare.purge OWNER TO fanfare_retention;
		SELECT fanfare.purge()`)
	if got := query[int](t, conn, `SELECT count(*)::int FROM fanfare.activities`); got != 0 {
		t.Errorf("activities after a purge: got %d, want 0", got)
	}
}
