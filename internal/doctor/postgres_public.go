package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// checkPublic checks that PUBLIC has no privileges in the schema. Exceptions: uuidv7, id_of and
// their callees, for tables and views of applications; the names of the roles; and the directory,
// which the application owns.
func checkPublic(ctx context.Context, x *examination) finding {
	rows, err := x.Pool.Query(ctx, `
		SELECT 'FUNCTION ' || p.oid::regprocedure::text FROM pg_proc AS p
		WHERE p.pronamespace = to_regnamespace('fanfare')
		  AND p.proname NOT IN ('uuidv7', 'uuidv7_of', 'id_of', 'sha1', 'role_prefix', 'role_of_writers',
		                        'role_of_retention', 'role_of_directory')
		  AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
		UNION ALL
		SELECT 'TABLE ' || c.oid::regclass::text FROM pg_class AS c
		WHERE c.relnamespace = to_regnamespace('fanfare') AND c.relkind IN ('r', 'p', 'v', 'm')
		  AND c.relname NOT IN ('principals', 'resources', 'role_bindings', 'memberships')
		  AND EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = 0)
		ORDER BY 1`)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluatePublic(open)
}

func evaluatePublic(open []string) finding {
	if len(open) == 0 {
		return passed("PUBLIC has no privileges on Fanfare's tables and functions")
	}
	revokes := make([]string, len(open))
	for i, object := range open {
		revokes[i] = fmt.Sprintf("REVOKE ALL ON %s FROM PUBLIC;", object)
	}
	return failure(
		fmt.Sprintf("PUBLIC has privileges on %d of Fanfare's tables and functions", len(open)),
		strings.Join(revokes, " "),
	)
}
