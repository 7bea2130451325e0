package migrations

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The functions that do not belong to the owner of the schema, and those that others may execute.
// All other functions may be executed by their owner, and by whom the operator grants them to.
var (
	ownedByRetention = []string{
		"move_from_default", "retention_cut", "retention_records_cut", "retention_passed", "retention_kept",
		"retention_begin", "retention_end", "retention_step", "retention_note", "retention_next",
		"retention_tenants", "retention_measure", "purge_expired", "purge_parked", "purge_notifications",
		"purge_keys", "purge_activities", "retention_count", "erase_activities", "remove_moved_activities",
	}
	ownedByDirectory = []string{
		"resource_entry", "resource_types", "principal_entries", "principal_is_active", "known_groups",
		"holders", "tree_above", "groups_in_list", "members_of", "has_role_in_groups", "candidates", "grounds",
		"audience_size", "groups_of",
		"resource_children", "resources_held", "resource_rows", "resources_named", "resources_below",
		"principals_of", "principals_named", "reach",
	}
	// A member of the role of retention must not call erase_activities, which checks nothing.
	notByRetention = "erase_activities"
	byRetention    = []string{
		"uuidv7_floor", "retention_of", "records_the_log", "days_ago", "retention_floor",
	}
	byWriters = []string{
		"record_activity", "record_envelope", "record_envelopes", "record_fields", "refuse_envelope",
		"existing_activity", "existing_id",
	}
	// Defaults of columns that applications write, and names and ids that contain nothing.
	byPublic = []string{
		"uuidv7", "uuidv7_of", "id_of", "sha1", "role_prefix", "role_of_writers", "role_of_retention",
		"role_of_directory",
	}
)

// retentionTables are the privileges of the role of retention, as table, privilege and columns.
// UPDATE of retention and legal_holds is needed to lock them against changes.
var retentionTables = [][3]string{
	{"activities_default", "SELECT"},
	{"activities_default", "DELETE"},
	{"retention", "SELECT"},
	{"retention", "UPDATE"},
	{"legal_holds", "SELECT"},
	{"legal_holds", "UPDATE"},
	{"retention_progress", "SELECT"},
	{"retention_progress", "INSERT"},
	{"retention_progress", "UPDATE"},
	{"retention_unrecorded", "SELECT"},
	{"retention_unrecorded", "INSERT"},
	{"retention_unrecorded", "UPDATE"},
	{"retention_lease", "SELECT"},
	{"retention_lease", "INSERT"},
	{"retention_lease", "UPDATE"},
	{"activities", "SELECT"},
	{"activities", "DELETE"},
	{"idempotency_keys", "SELECT"},
	{"idempotency_keys", "DELETE"},
	{"notifications", "SELECT"},
	{"notifications", "DELETE"},
	{"service_tokens", "SELECT"},
	{"service_tokens", "DELETE"},
	{"parked", "SELECT"},
	{"parked", "INSERT"},
	{"parked", "UPDATE"},
	{"parked", "DELETE"},
	{"dead_letters", "SELECT"},
	{"dead_letters", "INSERT"},
	{"dead_letters", "UPDATE"},
	{"dead_letters", "DELETE"},
	{"outbox", "SELECT"},
	{"fan_out_jobs", "SELECT"},
	{"tenant_moves", "SELECT"},
	{"activities", "UPDATE", "payload"},
	{"activities", "UPDATE", "message"},
	{"activities", "UPDATE", "user_agent"},
	{"activities", "UPDATE", "ip_hash"},
	{"activities", "UPDATE", "ip_key_id"},
	{"activities", "UPDATE", "warning"},
	{"activities", "UPDATE", "resource_name"},
}

// directoryTables are the privileges of the role that reads the directory. A view that replaces a
// relation of the directory lacks them.
var directoryTables = [][3]string{
	{"principals", "SELECT"},
	{"resources", "SELECT"},
	{"role_bindings", "SELECT"},
	{"memberships", "SELECT"},
	{"subscriptions", "SELECT"},
	{"watch_levels", "SELECT"},
	{"preferences", "SELECT"},
}

// directoryRelations belong to the application, which may replace them by views.
var directoryRelations = []string{"principals", "resources", "role_bindings", "memberships"}

var created = regexp.MustCompile(`CREATE (?:OR REPLACE )?(FUNCTION|TABLE) fanfare\.(\w+)`)

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// objects returns the functions and the tables that the migrations create, without the directory.
func objects() (functions, tables []string) {
	tables = []string{"schema_version"}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		panic("migrations: " + err.Error())
	}
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			panic("migrations: the embedded files cannot be read: " + err.Error())
		}
		for _, match := range created.FindAllStringSubmatch(string(body), -1) {
			switch {
			case match[1] == "FUNCTION":
				functions = append(functions, match[2])
			case !slices.Contains(directoryRelations, match[2]):
				tables = append(tables, match[2])
			}
		}
	}
	return functions, tables
}

// selectRights returns the statements that put the owners and grants of Fanfare's objects right:
// first the owners, since a change of the owner changes the grants. $1 and $2 are the functions and
// tables, $3 to $7 the lists of functions above, $8 to $11 the privileges of the roles on tables,
// $12 directoryRelations, and $13 notByRetention. A relation of the directory keeps its owner and
// what it grants to others.
const selectRights = `
WITH role AS (
    SELECT to_regrole(quote_ident(fanfare.role_of_writers()))::oid AS writer,
           to_regrole(quote_ident(fanfare.role_of_retention()))::oid AS retention,
           to_regrole(quote_ident(fanfare.role_of_directory()))::oid AS directory,
           n.nspowner AS owner
    FROM pg_namespace AS n
    WHERE n.nspname = 'fanfare'
), function AS (
    SELECT p.oid, p.proname::text AS name, p.oid::regprocedure::text AS signature, p.proowner,
           CASE WHEN p.proname = ANY ($3) THEN r.retention WHEN p.proname = ANY ($4) THEN r.directory ELSE r.owner END
           AS owner,
           coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
    FROM pg_proc AS p, role AS r
    WHERE p.pronamespace = 'fanfare'::regnamespace AND p.proname = ANY ($1)
), relation AS (
    SELECT c.oid, c.relname::text AS name, c.relowner, r.owner, c.relname = ANY ($12) AS foreign_owner,
           coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
    FROM pg_class AS c, role AS r
    WHERE c.relnamespace = 'fanfare'::regnamespace
      AND (c.relname = ANY ($12) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
           OR c.relkind IN ('r', 'p') AND (c.relname = ANY ($2) OR EXISTS (
               SELECT FROM pg_inherits AS i
               WHERE i.inhrelid = c.oid AND i.inhparent = to_regclass('fanfare.activities'))))
), wanted AS (
    SELECT 'FUNCTION ' || f.signature AS object, 'EXECUTE' AS privilege, g.grantee
    FROM function AS f, role AS r, LATERAL (
        SELECT f.owner WHERE f.name <> $13
        UNION SELECT r.owner
        UNION SELECT r.retention WHERE f.name = ANY ($5)
        UNION SELECT r.writer WHERE f.name = ANY ($6)
        UNION SELECT 0::oid WHERE f.name = ANY ($7)
    ) AS g(grantee)
    UNION ALL
    SELECT 'TABLE fanfare.' || quote_ident(t.name), t.privilege || coalesce(' (' || quote_ident(t.col) || ')', ''),
           CASE t.suffix WHEN '` + retentionSuffix + `' THEN r.retention ELSE r.directory END
    FROM unnest($8::text[], $9::text[], $10::text[], $11::text[]) AS t(suffix, name, privilege, col), role AS r
    WHERE to_regclass('fanfare.' || quote_ident(t.name)) IS NOT NULL
    UNION ALL
    SELECT 'SCHEMA fanfare', 'USAGE', g.grantee
    FROM role AS r, LATERAL (VALUES (r.writer), (r.retention), (r.directory)) AS g(grantee)
), held AS (
    SELECT 'FUNCTION ' || f.signature AS object, a.privilege_type AS privilege, a.grantee
    FROM function AS f, LATERAL aclexplode(f.acl) AS a
    UNION ALL
    SELECT 'TABLE fanfare.' || quote_ident(t.name), a.privilege_type, a.grantee
    FROM relation AS t, role AS r, LATERAL aclexplode(t.acl) AS a
    WHERE NOT t.foreign_owner OR a.grantee = r.directory
    UNION ALL
    SELECT 'TABLE fanfare.' || quote_ident(t.name), a.privilege_type || ' (' || quote_ident(c.attname) || ')', a.grantee
    FROM relation AS t
    CROSS JOIN role AS r
    JOIN pg_attribute AS c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped,
    LATERAL aclexplode(c.attacl) AS a
    WHERE NOT t.foreign_owner OR a.grantee = r.directory
    UNION ALL
    SELECT 'SCHEMA fanfare', a.privilege_type, a.grantee
    FROM pg_namespace AS n, LATERAL aclexplode(n.nspacl) AS a
    WHERE n.nspname = 'fanfare'
), statement AS (
    SELECT 1 AS step, format('ALTER FUNCTION %s OWNER TO %s', f.signature, f.owner::regrole) AS sql
    FROM function AS f
    WHERE f.proowner <> f.owner
    UNION ALL
    SELECT 1, format('ALTER TABLE fanfare.%I OWNER TO %s', t.name, t.owner::regrole)
    FROM relation AS t
    WHERE t.relowner <> t.owner AND NOT t.foreign_owner
    UNION ALL
    SELECT 2, format('REVOKE %s ON %s FROM %s', h.privilege, h.object,
        CASE h.grantee WHEN 0 THEN 'PUBLIC' ELSE h.grantee::regrole::text END)
    FROM (SELECT * FROM held EXCEPT SELECT * FROM wanted) AS h, role AS r
    WHERE h.grantee IN (0, r.writer, r.retention, r.directory)
    UNION ALL
    SELECT 3, format('GRANT %s ON %s TO %s', w.privilege, w.object,
        CASE w.grantee WHEN 0 THEN 'PUBLIC' ELSE w.grantee::regrole::text END)
    FROM (SELECT * FROM wanted EXCEPT SELECT * FROM held) AS w
    WHERE w.grantee IS NOT NULL
)
SELECT s.sql FROM statement AS s, (SELECT min(step) AS step FROM statement) AS first
WHERE s.step > 1 AND first.step > 1 OR s.step = first.step
ORDER BY s.step, s.sql`

// WrongRights returns the statements that put the owners and grants of Fanfare's objects right,
// none if they are. A restored dump lacks roles, owners or grants, depending on how it was made. If
// roles are missing or owners wrong, it returns the statements about them only: the grants follow.
// The migrations must be complete.
func WrongRights(ctx context.Context, db querier) ([]string, error) {
	rows, err := db.Query(ctx, `
		SELECT format('CREATE ROLE %I NOLOGIN', r.name)
		FROM unnest(ARRAY[
		    fanfare.role_of_writers(), fanfare.role_of_retention(), fanfare.role_of_directory()]) AS r(name)
		WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r.name)
		ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("find the roles: %w", err)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(missing) > 0 {
		return missing, err
	}
	functions, tables := objects()
	var holders, names, privileges []string
	var columns []*string
	for suffix, list := range map[string][][3]string{
		retentionSuffix: retentionTables, directorySuffix: directoryTables,
	} {
		for _, t := range list {
			holders, names, privileges = append(holders, suffix), append(names, t[0]), append(privileges, t[1])
			column := (*string)(nil)
			if t[2] != "" {
				column = &t[2]
			}
			columns = append(columns, column)
		}
	}
	rows, err = db.Query(ctx, selectRights,
		functions, tables, ownedByRetention, ownedByDirectory, byRetention, byWriters, byPublic,
		holders, names, privileges, columns, directoryRelations, notByRetention)
	if err != nil {
		return nil, fmt.Errorf("compare the rights: %w", err)
	}
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("compare the rights: %w", err)
	}
	return wrong, nil
}

// Repair creates the roles that are missing, and puts the owners and grants of Fanfare's objects
// right. It returns the statements that it executed, and does nothing if all is right. A prefix
// that is not "" gives the installation roles with other names; the members of the former roles
// keep their membership, and have no right in this database any more.
func Repair(ctx context.Context, conn *pgx.Conn, prefix string) (done []string, err error) {
	status, err := Read(ctx, conn)
	if err != nil {
		return nil, explain(ctx, conn, prefix, err)
	}
	if len(status.Pending) > 0 || status.Current > status.Latest {
		return nil, fmt.Errorf("the schema is at migration %d of %d: run fanfare migrate up first",
			status.Current, status.Latest)
	}
	err = locked(ctx, conn, func() error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			done, err = repair(ctx, tx, prefix)
			return err
		})
	})
	return done, explain(ctx, conn, prefix, err)
}

func repair(ctx context.Context, tx pgx.Tx, prefix string) ([]string, error) {
	var done []string
	execute := func(statements ...string) error {
		for _, sql := range statements {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
			done = append(done, sql)
		}
		return nil
	}
	var current string
	if err := tx.QueryRow(ctx, `SELECT fanfare.role_prefix()`).Scan(&current); err != nil {
		return nil, fmt.Errorf("read the roles' prefix: %w", err)
	}
	former := []string{}
	if prefix != "" && prefix != current {
		if err := checkPrefix(prefix); err != nil {
			return nil, err
		}
		for _, suffix := range suffixes {
			former = append(former, current+suffix)
		}
		current = prefix
		if err := execute(fmt.Sprintf(
			`CREATE OR REPLACE FUNCTION fanfare.role_prefix() RETURNS text
				LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %s::text`, quoteLiteral(prefix))); err != nil {
			return nil, err
		}
	}
	creations, err := missingRoles(ctx, tx, current)
	if err == nil {
		err = execute(creations...)
	}
	if err != nil {
		return nil, err
	}
	wrong, err := WrongRights(ctx, tx)
	if err != nil || len(wrong) == 0 {
		return done, err
	}
	// A role needs CREATE on the schema at the moment it becomes the owner of a function.
	for _, suffix := range []string{retentionSuffix, directorySuffix} {
		role := pgx.Identifier{current + suffix}.Sanitize()
		if _, err := tx.Exec(ctx, `GRANT CREATE ON SCHEMA fanfare TO `+role); err != nil {
			return nil, fmt.Errorf("grant to the role %s: %w", role, err)
		}
	}
	for range 3 {
		if err := execute(wrong...); err != nil {
			return nil, err
		}
		if wrong, err = WrongRights(ctx, tx); err != nil {
			return nil, err
		}
		if len(wrong) == 0 {
			break
		}
	}
	for _, role := range former {
		if err := revokeAll(ctx, tx, role, execute); err != nil {
			return nil, err
		}
	}
	if wrong, err = WrongRights(ctx, tx); err == nil && len(wrong) > 0 {
		err = fmt.Errorf("the rights remain wrong: %s", strings.Join(wrong, "; "))
	}
	return done, err
}

// revokeAll removes a former role from this database.
func revokeAll(ctx context.Context, tx pgx.Tx, role string, execute func(...string) error) error {
	var exists bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, role).Scan(&exists)
	if err != nil || !exists {
		return err
	}
	name := pgx.Identifier{role}.Sanitize()
	return execute(
		`REVOKE ALL ON ALL TABLES IN SCHEMA fanfare FROM `+name,
		`REVOKE ALL ON ALL FUNCTIONS IN SCHEMA fanfare FROM `+name,
		`REVOKE ALL ON SCHEMA fanfare FROM `+name)
}
