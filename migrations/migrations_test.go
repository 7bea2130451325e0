package migrations_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/migrations"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// names returns the file names of the migrations in their order.
func names(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob("*.sql")
	if err != nil || len(found) == 0 {
		t.Fatalf("migrations: got %q, %v", found, err)
	}
	return found
}

// connect returns a connection that is closed when the test ends.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// empty returns a database without the schema. Another database, with the schema, keeps the
// server's roles in use, so that a test that reverts its migrations does not drop the roles that a
// concurrent test needs.
func empty(t testing.TB) *pgtest.DB {
	t.Helper()
	pgtest.New(t)
	return pgtest.NewEmpty(t)
}

func exec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func query[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// describeObjects describes each object of the schema fanfare in one line. $1 includes the
// privileges.
const describeObjects = `
	SELECT format(
	           '%s %s %s %s %s', c.relkind, c.relname, c.reloptions,
	           pg_get_expr(c.relpartbound, c.oid), CASE WHEN $1 THEN c.relacl::text END)
	FROM pg_class AS c
	WHERE c.relnamespace = to_regnamespace('fanfare')
	UNION ALL
	SELECT format(
	           '%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
	           pg_get_expr(d.adbin, d.adrelid))
	FROM pg_class AS c
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relnamespace = to_regnamespace('fanfare')
	UNION ALL
	SELECT pg_get_indexdef(i.indexrelid)
	FROM pg_index AS i
	JOIN pg_class AS c ON c.oid = i.indexrelid
	WHERE c.relnamespace = to_regnamespace('fanfare')
	UNION ALL
	SELECT format('%s %s', c.conname, pg_get_constraintdef(c.oid))
	FROM pg_constraint AS c
	WHERE c.connamespace = to_regnamespace('fanfare')
	UNION ALL
	SELECT pg_get_triggerdef(t.oid)
	FROM pg_trigger AS t
	JOIN pg_class AS c ON c.oid = t.tgrelid
	WHERE c.relnamespace = to_regnamespace('fanfare')
	UNION ALL
	SELECT format(
	           '%s owner %s %s', pg_get_functiondef(p.oid), p.proowner::regrole,
	           CASE WHEN $1 THEN p.proacl::text END)
	FROM pg_proc AS p
	WHERE p.pronamespace = to_regnamespace('fanfare')
	ORDER BY 1`

// describe returns the objects of the schema fanfare, one line each.
func describe(t testing.TB, conn *pgx.Conn, privileges bool) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), describeObjects, privileges)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestUpDownUp(t *testing.T) {
	t.Parallel()
	conn := connect(t, empty(t).URL)
	if err := migrations.Apply(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	first := describe(t, conn, true)
	if len(first) == 0 {
		t.Fatal("after Apply: got no schema")
	}
	if err := migrations.Down(t.Context(), conn, 0, nil); err != nil {
		t.Fatal(err)
	}
	if got := query[bool](t, conn, `SELECT to_regnamespace('fanfare') IS NULL`); !got {
		t.Errorf("after Down to 0: the schema exists, with\n%s", strings.Join(describe(t, conn, false), "\n"))
	}
	if err := migrations.Apply(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, describe(t, conn, true)); diff != "" {
		t.Errorf("after up, down and up: the schema differs from the first one (-first +second):\n%s", diff)
	}
}

func TestEachStepDownAndUp(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	latest := len(names(t))
	want := map[int][]string{latest: describe(t, conn, false)}
	for version := latest - 1; version >= 1; version-- {
		if err := migrations.Down(t.Context(), conn, version, nil); err != nil {
			t.Fatalf("down to %d: %v", version, err)
		}
		if got := status(t, conn).Current; got != version {
			t.Fatalf("after down to %d: got version %d", version, got)
		}
		want[version] = describe(t, conn, false)
	}
	for version := 1; version < latest; version++ {
		if err := migrations.Apply(t.Context(), conn); err != nil {
			t.Fatalf("up from %d: %v", version, err)
		}
		if diff := cmp.Diff(want[latest], describe(t, conn, false)); diff != "" {
			t.Fatalf("up from %d: schema (-want +got):\n%s", version, diff)
		}
		if version+1 == latest {
			break
		}
		if err := migrations.Down(t.Context(), conn, version+1, nil); err != nil {
			t.Fatalf("down to %d: %v", version+1, err)
		}
		if diff := cmp.Diff(want[version+1], describe(t, conn, false)); diff != "" {
			t.Fatalf("down to %d again: schema (-want +got):\n%s", version+1, diff)
		}
	}
}

func TestUpOfLatestVersionChangesNothing(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	want := describe(t, conn, true)
	progress := func(name, direction string) { t.Errorf("got migration %s %s, want none", name, direction) }
	if err := migrations.Up(t.Context(), conn, migrations.Options{Progress: progress}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, describe(t, conn, true)); diff != "" {
		t.Errorf("a second Up changed the schema (-before +after):\n%s", diff)
	}
}

func TestConcurrentApply(t *testing.T) {
	t.Parallel()
	db := empty(t)
	var g errgroup.Group
	for range 8 {
		conn := connect(t, db.URL)
		g.Go(func() error { return migrations.Apply(t.Context(), conn) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := status(t, connect(t, db.URL)); got.Current != got.Latest {
		t.Errorf("version: got %d, want %d", got.Current, got.Latest)
	}
}

func TestProgressIsCalledForEachMigration(t *testing.T) {
	t.Parallel()
	conn := connect(t, empty(t).URL)
	var got []string
	progress := func(name, direction string) { got = append(got, direction+" "+name) }
	if err := migrations.Up(t.Context(), conn, migrations.Options{Progress: progress}); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Down(t.Context(), conn, 3, progress); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range names(t) {
		want = append(want, "up "+name)
	}
	for _, name := range slices.Backward(names(t)[3:]) {
		want = append(want, "down "+name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func status(t testing.TB, conn *pgx.Conn) migrations.Status {
	t.Helper()
	s, err := migrations.Read(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pending returns the migrations with the names.
func pending(names []string) []migrations.Pending {
	all := make([]migrations.Pending, len(names))
	for i, name := range names {
		all[i].Name = name
	}
	return all
}

// withoutOldest ignores which programs work with which migrations.
var withoutOldest = cmp.Options{
	cmpopts.IgnoreFields(migrations.Status{}, "OldestProgram", "Needed"),
	cmpopts.IgnoreFields(migrations.Pending{}, "OldestProgram", "Needed"),
}

// TestOldestProgram reads which programs work, from the table in which migrations store it.
func TestOldestProgram(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	latest, needed := migrations.Versions()
	first := status(t, conn)
	if first.Latest != latest || first.Needed != needed || first.OldestProgram < 1 || first.OldestProgram > latest ||
		first.AfterUp() != first.OldestProgram {
		t.Errorf("got %+v, want the versions %d and %d", first, latest, needed)
	}
	if err := migrations.Down(t.Context(), conn, 5, nil); err != nil {
		t.Fatal(err)
	}
	if got := status(t, conn); got.OldestProgram != 5 || got.AfterUp() != first.OldestProgram {
		t.Errorf("at migration 5: got programs from %d, and from %d after up; want 5 and %d",
			got.OldestProgram, got.AfterUp(), first.OldestProgram)
	}
	if err := migrations.Apply(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if got := status(t, conn).OldestProgram; got != first.OldestProgram {
		t.Errorf("up again: got programs from %d, want %d", got, first.OldestProgram)
	}
}

// TestCompatible compares programs with 40 migrations, of which they need 37, with schemas.
func TestCompatible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		current, oldest int
		want            string // "" if the program works
	}{
		"the same": {40, 40, ""},
		"older":    {37, 37, ""},
		"too old":  {36, 36, "the database is at migration 36 of 40: run fanfare migrate up"},
		"none": {
			0, 0, "the database is at migration 0 of 40: run fanfare migrate up, or correct --database-url",
		},
		"newer":                {44, 40, ""},
		"newer, for older too": {44, 31, ""},
		"too new": {
			44, 41, "the database is at migration 44, which requires a program with the migrations up to 41; this " +
				"one has 40: replace this program by the fanfare that migrated the database",
		},
	} {
		got := ""
		s := migrations.Status{Current: c.current, OldestProgram: c.oldest, Latest: 40, Needed: 37}
		if err := s.Compatible(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestLockedSchemaIsNotChanged migrates while another session holds the lock of the schema.
func TestLockedSchemaIsNotChanged(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	holder, waiter := connect(t, db.URL), connect(t, db.URL)
	exec(t, holder, `SELECT pg_advisory_lock(hashtextextended('fanfare.schema', 0))`)
	done := make(chan error, 1)
	go func() { done <- migrations.Down(t.Context(), waiter, 3, nil) }()
	waittest.Query(t, db.Pool, "waiting between statements", `
		SELECT EXISTS (
		    SELECT FROM pg_stat_activity
		    WHERE datname = current_database() AND state = 'idle' AND query LIKE 'SELECT pg_try_advisory_lock%')`)
	if got := status(t, holder); got.Current != got.Latest {
		t.Errorf("while the schema is locked: got version %d, want %d", got.Current, got.Latest)
	}
	exec(t, holder, `SELECT pg_advisory_unlock_all()`)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := status(t, holder).Current; got != 3 {
		t.Errorf("once it is not: got version %d, want 3", got)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	conn := connect(t, empty(t).URL)
	all := names(t)
	latest := len(all)
	empty := migrations.Status{Current: 0, Latest: latest, Pending: pending(all)}
	if diff := cmp.Diff(empty, status(t, conn), withoutOldest); diff != "" {
		t.Errorf("status of an empty database (-want +got):\n%s", diff)
	}
	if got := query[bool](t, conn, `SELECT to_regnamespace('fanfare') IS NULL`); !got {
		t.Error("Read created the schema")
	}
	if err := migrations.Apply(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	writer := query[string](t, conn, `SELECT fanfare.role_of_writers()::text`)
	reader := query[string](t, conn, `SELECT fanfare.role_of_directory()::text`)
	want := migrations.Status{
		Current: latest, Latest: latest, Pending: pending(nil), WriterRole: writer, DirectoryRole: reader,
	}
	if diff := cmp.Diff(want, status(t, conn), withoutOldest); diff != "" {
		t.Errorf("status of a migrated database (-want +got):\n%s", diff)
	}
	if err := migrations.Down(t.Context(), conn, 3, nil); err != nil {
		t.Fatal(err)
	}
	want = migrations.Status{
		Current: 3, Latest: latest, Pending: pending(all[3:]), WriterRole: writer, DirectoryRole: reader,
	}
	if diff := cmp.Diff(want, status(t, conn), withoutOldest); diff != "" {
		t.Errorf("status of a database at version 3 (-want +got):\n%s", diff)
	}
}

func TestApplyToNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	latest := len(names(t))
	exec(t, conn, `UPDATE fanfare.schema_version SET version = 99`)
	before := describe(t, conn, true)
	if err := migrations.Apply(t.Context(), conn); err == nil || !strings.Contains(err.Error(), "99") {
		t.Errorf("Apply to a database at version 99: got %v, want an error that names the version", err)
	}
	want := migrations.Status{
		Current: 99, Latest: latest, Pending: pending(nil),
		WriterRole: "fanfare_writer", DirectoryRole: "fanfare_directory",
	}
	if diff := cmp.Diff(want, status(t, conn), withoutOldest); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, describe(t, conn, true)); diff != "" {
		t.Errorf("Apply changed a newer schema (-before +after):\n%s", diff)
	}
}

func TestDownRefusesInvalidVersion(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	latest := len(names(t))
	for _, version := range []int{-1, latest + 1} {
		if err := migrations.Down(t.Context(), conn, version, nil); err == nil ||
			!strings.Contains(err.Error(), fmt.Sprint(version)) {
			t.Errorf("down to %d: got %v, want an error that names it", version, err)
		}
	}
	if got := status(t, conn).Current; got != latest {
		t.Errorf("version: got %d, want %d", got, latest)
	}
}

func TestDownNamesForeignObjects(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t).URL)
	exec(t, conn, `
		CREATE TABLE fanfare.of_the_application (answer int);
		INSERT INTO fanfare.of_the_application VALUES (42)`)
	err := migrations.Down(t.Context(), conn, 0, nil)
	if err == nil || !strings.Contains(err.Error(), "of_the_application") {
		t.Errorf("down to 0: got %v, want an error that names the application's table", err)
	}
	if got := query[int](t, conn, `SELECT answer FROM fanfare.of_the_application`); got != 42 {
		t.Errorf("row of the application's table: got %d, want 42", got)
	}
	if err := migrations.Apply(t.Context(), conn); err != nil {
		t.Errorf("up again: got %v, want no error", err)
	}
}

// TestFailedMigrationIsNamed lets a migration fail with a table that exists already.
func TestFailedMigrationIsNamed(t *testing.T) {
	t.Parallel()
	conn := connect(t, empty(t).URL)
	exec(t, conn, `CREATE SCHEMA fanfare; CREATE TABLE fanfare.preferences ()`)
	err := migrations.Apply(t.Context(), conn)
	if err == nil || !strings.Contains(err.Error(), "010_preferences.sql") ||
		!strings.Contains(err.Error(), "preferences") {
		t.Errorf("Apply: got %v, want an error that names the migration and the relation", err)
	}
	if got := status(t, conn).Current; got != 9 {
		t.Errorf("version: got %d, want 9, the one before the failed migration", got)
	}
	exec(t, conn, `DROP TABLE fanfare.preferences`)
	if err := migrations.Apply(t.Context(), conn); err != nil {
		t.Errorf("Apply without the table: got %v, want no error", err)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	if got := migrations.Hash(); got != migrations.Hash() || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(got) {
		t.Errorf("got %q, want 16 hexadecimal digits, the same from each call", got)
	}
}

// TestWithoutSuperuser migrates as a role that may create roles and schemas only, on a new server.
func TestWithoutSuperuser(t *testing.T) {
	t.Parallel()
	server, err := devstack.StartPostgres(t.Context(), devstack.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	super := connect(t, server.URL("postgres"))
	exec(t, super, `CREATE ROLE host LOGIN CREATEROLE PASSWORD 'host'`)
	exec(t, super, `GRANT CREATE ON DATABASE postgres TO host`)
	config := super.Config().Copy()
	config.User, config.Password = "host", "host"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })

	for range 2 {
		if err := migrations.Apply(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		id := query[string](t, conn, `SELECT fanfare.record_activity($1)::text`, envelope)
		if state := sqlState(conn, `DELETE FROM fanfare.activities WHERE id = $1`, id); state != "42501" {
			t.Errorf("delete by the owner: got SQLSTATE %q, want 42501", state)
		}
		if got := query[int](t, conn, `SELECT fanfare.ensure_partitions(6)`); got != 3 {
			t.Errorf("ensure_partitions(6): got %d created, want 3", got)
		}
		if err := migrations.Down(t.Context(), conn, 0, nil); err != nil {
			t.Fatal(err)
		}
		if got := query[int](t, super, `SELECT count(*)::int FROM pg_roles WHERE rolname LIKE 'fanfare%'`); got != 0 {
			t.Errorf("roles after down: got %d, want 0", got)
		}
	}
}

// TestFiles checks the form of the migrations: consecutive numbers, a part that creates and a part
// that drops, and none of the template actions that tern would execute.
func TestFiles(t *testing.T) {
	t.Parallel()
	for i, name := range names(t) {
		if want := fmt.Sprintf("%03d_", i+1); !strings.HasPrefix(name, want) {
			t.Errorf("%s: want a name that begins with %s", name, want)
		}
		sql, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, down, found := strings.Cut(string(sql), "\n---- create above / drop below ----\n")
		if !found || !strings.Contains(up, "CREATE") || !strings.Contains(down, "DROP") {
			t.Errorf("%s: want a part that creates objects and a part that drops them", name)
		}
		if strings.Contains(string(sql), "{{") {
			t.Errorf("%s: got a template action, want none", name)
		}
	}
}

// TestUpWithOddSettings migrates in a session whose settings change how times, intervals and names
// are written.
func TestUpWithOddSettings(t *testing.T) {
	t.Parallel()
	db, usual := empty(t), empty(t)
	odd := connect(t, db.URL)
	for _, setting := range []string{
		"datestyle = 'SQL, DMY'", "intervalstyle = sql_standard", "timezone = 'Pacific/Kiritimati'",
		"bytea_output = escape", "extra_float_digits = -15", "quote_all_identifiers = on",
		"transform_null_equals = on", "search_path = pg_temp", "default_transaction_isolation = serializable",
	} {
		exec(t, odd, `SET `+setting)
	}
	if err := migrations.Apply(t.Context(), odd); err != nil {
		t.Fatal(err)
	}
	if wrong, err := migrations.WrongRights(t.Context(), odd); err != nil || len(wrong) > 0 {
		t.Errorf("wrong rights: got %q, %v, want none", wrong, err)
	}
	if err := migrations.Apply(t.Context(), connect(t, usual.URL)); err != nil {
		t.Fatal(err)
	}
	want, got := describe(t, connect(t, usual.URL), false), describe(t, connect(t, db.URL), false)
	if diff := cmp.Diff(withoutPrefix(want), withoutPrefix(got)); diff != "" {
		t.Errorf("schema (-usual +odd):\n%s", diff)
	}
}

// withoutPrefix replaces the names of databases in descriptions, which contain the roles' prefix.
func withoutPrefix(lines []string) []string {
	name := regexp.MustCompile(`fanfare_fanfare_test_\w+?_(writer|retention|directory)|fanfare_fanfare_test_\w+`)
	replaced := make([]string, len(lines))
	for i, line := range lines {
		replaced[i] = name.ReplaceAllString(line, "…")
	}
	return replaced
}
