package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// column is a column of a relation of the directory.
type column struct{ relation, name, kind string }

// The kinds of columns: a type, or textKind for all string types and enumerations of PostgreSQL. A
// domain is of the kind of its base type.
const (
	uuidKind    = "uuid"
	textKind    = "text"
	booleanKind = "boolean"
	timeKind    = "timestamp with time zone"
)

// directoryColumns returns the columns that Fanfare reads from the directory.
func directoryColumns() []column {
	return []column{
		{"principals", "id", uuidKind},
		{"principals", "tenant_id", uuidKind},
		{"principals", "kind", textKind},
		{"principals", "display_name", textKind},
		{"principals", "active", booleanKind},
		{"resources", "id", uuidKind},
		{"resources", "tenant_id", uuidKind},
		{"resources", "parent_id", uuidKind},
		{"resources", "owner_principal_id", uuidKind},
		{"resources", "type", textKind},
		{"resources", "name", textKind},
		{"role_bindings", "tenant_id", uuidKind},
		{"role_bindings", "principal_id", uuidKind},
		{"role_bindings", "scope_resource_id", uuidKind},
		{"role_bindings", "role_name", textKind},
		{"role_bindings", "revoked_at", timeKind},
		{"memberships", "tenant_id", uuidKind},
		{"memberships", "group_id", uuidKind},
		{"memberships", "principal_id", uuidKind},
	}
}

// checkDirectory checks that the relations of the directory, which the application owns as tables
// or views, have the columns that Fanfare reads.
func checkDirectory(ctx context.Context, x *examination) finding {
	rows, err := x.Pool.Query(ctx, `
		SELECT c.relname::text, coalesce(a.attname::text, ''),
		       CASE WHEN t.typcategory IN ('S', 'E') THEN 'text' ELSE coalesce((
		           WITH RECURSIVE base AS (
		               SELECT t.oid, t.typbasetype
		               UNION ALL
		               SELECT b.oid, b.typbasetype FROM base JOIN pg_type AS b ON b.oid = base.typbasetype
		           )
		           SELECT replace(format_type(base.oid, NULL), '"', '') FROM base WHERE base.typbasetype = 0
		       ), '') END
		FROM pg_class AS c
		LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_type AS t ON t.oid = a.atttypid
		WHERE c.relnamespace = to_regnamespace('fanfare')
		  AND c.relname IN ('principals', 'resources', 'role_bindings', 'memberships')`)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
		return c, row.Scan(&c.relation, &c.name, &c.kind)
	})
	if err != nil {
		return databaseFailure(err, x.role)
	}
	if f := evaluateDirectory(found); f.status != OK {
		return f
	}
	return readDirectory(ctx, x)
}

// evaluateDirectory compares the columns of the database with directoryColumns.
func evaluateDirectory(actual []column) finding {
	relations, kinds := map[string]bool{}, map[[2]string]string{}
	for _, c := range actual {
		relations[c.relation], kinds[[2]string{c.relation, c.name}] = true, c.kind
	}
	var found []finding
	for _, c := range directoryColumns() {
		switch kind, exists := kinds[[2]string{c.relation, c.name}]; {
		case !relations[c.relation]:
			found = append(found, failure(
				fmt.Sprintf("the relation fanfare.%s does not exist", c.relation),
				fmt.Sprintf("create it as a table or a view with the columns %s", columnsOf(c.relation)),
			))
		case !exists:
			found = append(found, failure(
				fmt.Sprintf("fanfare.%s has no column %s", c.relation, c.name),
				fmt.Sprintf("add the column %s of type %s", c.name, c.kind),
			))
		case kind != c.kind:
			found = append(found, failure(
				fmt.Sprintf("fanfare.%s.%s has the type %s", c.relation, c.name, kind),
				fmt.Sprintf("change its type to %s; a view can cast it", c.kind),
			))
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	return directoryPassed()
}

func directoryPassed() finding {
	return passed("principals, resources, role_bindings and memberships have the required columns")
}

// columnsOf lists the required columns of a relation.
func columnsOf(relation string) string {
	var names []string
	for _, c := range directoryColumns() {
		if c.relation == relation {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, ", ")
}

// readDirectory reads one row of each relation, if the role of the connection may, and then as
// Fanfare does: a view with the right columns may still fail, or its reader lack privileges.
func readDirectory(ctx context.Context, x *examination) finding {
	for _, relation := range []string{"principals", "resources", "role_bindings", "memberships"} {
		sql := fmt.Sprintf(`SELECT %s FROM fanfare.%s LIMIT 1`, columnsOf(relation), relation)
		if _, err := x.Pool.Exec(ctx, sql); err != nil && !isDenied(err) {
			return failure(
				fmt.Sprintf("fanfare.%s cannot be read: %s", relation, describeDatabaseError(err)),
				"correct the view",
			)
		}
	}
	var reader string
	if err := x.Pool.QueryRow(ctx, `SELECT fanfare.role_of_directory()`).Scan(&reader); err != nil {
		return databaseFailure(err, x.role)
	}
	if _, err := x.Pool.Exec(ctx, `
		SELECT fanfare.resource_entry(id, id), fanfare.principal_is_active(id, id),
		       (SELECT count(*) FROM fanfare.tree_above(id, id, ARRAY[id], ARRAY[id], '{true}', 1, 1)),
		       (SELECT count(*) FROM fanfare.candidates(
		            ARRAY[id], ARRAY[id], ARRAY[id], ARRAY[id], '{3}', '{0}', '{}', id, 1, 1, true, 1, 1))
		FROM (VALUES ('00000000-0000-0000-0000-000000000000'::uuid)) AS v(id)`); err != nil {
		return failure(
			fmt.Sprintf("%s, which reads the directory, cannot: %s", reader, describeDatabaseError(err)),
			fmt.Sprintf("fanfare migrate repair; for a view with security_invoker, grant %s the privileges on its "+
				"tables", reader),
		)
	}
	return directoryPassed()
}

// isDenied reports whether a role lacks a privilege.
func isDenied(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == "42501"
}

// unchecked returns the finding on an error of a statement that reads the directory, which roles
// need not be able to.
func unchecked(err error, role string) finding {
	if isDenied(err) {
		return skipped(fmt.Sprintf("skipped: %s may not read the directory", role),
			"run fanfare doctor as the role that owns the schema, too")
	}
	return databaseFailure(err, role)
}
