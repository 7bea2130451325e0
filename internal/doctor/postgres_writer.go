package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/migrations"
)

// checkOwners checks the roles, owners and grants of the schema. A dump that is restored in another
// cluster lacks the roles, one that is restored without owners lacks the owners, and its functions
// do not have the rights that they need or may be called by everyone.
func checkOwners(ctx context.Context, x *examination) finding {
	if x.schema.Current > x.schema.Latest {
		return skipped("skipped: the schema is newer than this program, and may have other rights",
			"run fanfare doctor of the version that migrated the database")
	}
	var writer string
	if err := x.Pool.QueryRow(ctx, `SELECT fanfare.role_of_writers()`).Scan(&writer); err != nil {
		return databaseFailure(err, x.role)
	}
	wrong, err := migrations.WrongRights(ctx, x.Pool)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	// Another check reports rights of PUBLIC.
	wrong = slices.DeleteFunc(wrong, func(sql string) bool { return strings.HasSuffix(sql, " FROM PUBLIC") })
	return evaluateOwners(writer, wrong)
}

func evaluateOwners(writer string, wrong []string) finding {
	if len(wrong) > 0 {
		return failure(
			fmt.Sprintf("the roles, owners or grants of the schema differ from those of the migrations in %d places",
				len(wrong)),
			fmt.Sprintf("fanfare migrate repair, which begins with: %s;",
				strings.Join(wrong[:min(len(wrong), 3)], "; ")),
		)
	}
	return passed("the roles, owners and grants of the schema are those of the migrations; services have the role %s",
		writer)
}

// checkShared checks that the roles are this database's, not those of the database that it is a
// copy of: a service of one would be able to record in the other. A template is not used, so its
// copies may share its roles.
func checkShared(ctx context.Context, x *examination) finding {
	rows, err := x.Pool.Query(ctx, `
		SELECT DISTINCT o.datname::text
		FROM pg_roles AS r
		JOIN pg_database AS o ON o.datname <> current_database() AND NOT o.datistemplate
		WHERE r.rolname IN (fanfare.role_of_writers(), fanfare.role_of_retention(), fanfare.role_of_directory())
		  AND CASE WHEN shobj_description(r.oid, 'pg_authid') LIKE 'Fanfare in the database %'
		      THEN shobj_description(r.oid, 'pg_authid') = 'Fanfare in the database ' || o.datname
		      ELSE EXISTS (
		          SELECT FROM pg_shdepend AS d
		          WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.dbid = o.oid) END
		ORDER BY 1`)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateShared(others)
}

func evaluateShared(others []string) finding {
	if len(others) > 0 {
		return warning(
			"the roles are also those of "+strings.Join(others, ", ")+
				": services of one database can record in the other",
			"fanfare migrate repair --role-prefix fanfare_<database>, and grant the new role to the services",
		)
	}
	return passed("the roles are those of this database alone")
}
