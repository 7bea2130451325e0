package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// column is a column of a relation of the directory.
type column struct{ relation, name, kind string }

// The kinds of columns: types, or "text" for any that PostgreSQL counts as strings.
const (
	uuidKind    = "uuid"
	textKind    = "text"
	booleanKind = "boolean"
	timeKind    = "timestamp with time zone"
)

// directoryColumns returns what the worker reads from the application.
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
	}
}

// directory checks that the application's tables, or views in their place, have what the worker
// reads.
func directory(ctx context.Context, x *examination) verdict {
	rows, err := x.Pool.Query(ctx, `
		SELECT c.relname::text, coalesce(a.attname::text, ''),
		       CASE WHEN t.typcategory = 'S' THEN 'text' ELSE coalesce(format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), '') END
		FROM pg_class AS c
		LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_type AS t ON t.oid = a.atttypid
		WHERE c.relnamespace = to_regnamespace('fanfare') AND c.relname IN ('principals', 'resources', 'role_bindings')`)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
		return c, row.Scan(&c.relation, &c.name, &c.kind)
	})
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	if v := judgeDirectory(found); v.status != OK {
		return v
	}
	return readDirectory(ctx, x)
}

// judgeDirectory compares what there is with what there has to be.
func judgeDirectory(found []column) verdict {
	kinds := map[string]string{} // by relation, and by relation and column
	for _, c := range found {
		kinds[c.relation], kinds[c.relation+"."+c.name] = c.relation, c.kind
	}
	var wrong []verdict
	for _, c := range directoryColumns() {
		switch kind, has := kinds[c.relation+"."+c.name]; {
		case kinds[c.relation] == "":
			wrong = append(
				wrong,
				fail(
					"there is no fanfare."+c.relation,
					fmt.Sprintf("make it a table or a view with the columns %s", columnsOf(c.relation)),
				),
			)
		case !has:
			wrong = append(
				wrong,
				fail(
					fmt.Sprintf("fanfare.%s lacks the column %s", c.relation, c.name),
					fmt.Sprintf("add %s of type %s to it", c.name, c.kind),
				),
			)
		case kind != c.kind:
			wrong = append(
				wrong,
				fail(
					fmt.Sprintf("fanfare.%s.%s is %s", c.relation, c.name, kind),
					fmt.Sprintf("make it %s: a view can cast it", c.kind),
				),
			)
		}
	}
	if len(wrong) > 0 {
		return worst(wrong)
	}
	return fine("principals, resources and role_bindings have the columns that are read")
}

// columnsOf lists the columns of a relation.
func columnsOf(relation string) string {
	var names []string
	for _, c := range directoryColumns() {
		if c.relation == relation {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, ", ")
}

// readDirectory reads one row of each, because a view can be there and yet fail: on the rights of
// who asks, or in itself.
func readDirectory(ctx context.Context, x *examination) verdict {
	for _, relation := range []string{"principals", "resources", "role_bindings"} {
		if _, err := x.Pool.Exec(ctx, fmt.Sprintf(`SELECT %s FROM fanfare.%s LIMIT 1`, columnsOf(relation), relation)); err != nil {
			return fail(
				fmt.Sprintf("fanfare.%s cannot be read: %s", relation, oneLine(err)),
				fmt.Sprintf(
					"mend the view, or grant %s what it needs (a view with security_invoker needs rights on its tables too)",
					x.role,
				),
			)
		}
	}
	return fine("principals, resources and role_bindings have the columns that are read")
}
