package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// public finds what everybody who can connect may do in the schema. uuidv7 is for all, with what it
// calls: it is a default of a table that applications load. The directory belongs to the
// application, and so do its rights.
func public(ctx context.Context, x *examination) verdict {
	rows, err := x.Pool.Query(ctx, `
		SELECT 'FUNCTION ' || p.oid::regprocedure::text FROM pg_proc AS p
		WHERE p.pronamespace = to_regnamespace('fanfare') AND p.proname NOT IN ('uuidv7', 'uuidv7_of')
		  AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
		UNION ALL
		SELECT 'TABLE ' || c.oid::regclass::text FROM pg_class AS c
		WHERE c.relnamespace = to_regnamespace('fanfare') AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname NOT IN ('principals', 'resources', 'role_bindings')
		  AND EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = 0)
		ORDER BY 1`)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	return judgePublic(open)
}

func judgePublic(open []string) verdict {
	if len(open) == 0 {
		return fine("PUBLIC has no rights on Fanfare's tables and functions")
	}
	revokes := make([]string, len(open))
	for i, object := range open {
		revokes[i] = fmt.Sprintf("REVOKE ALL ON %s FROM PUBLIC;", object)
	}
	return fail(
		fmt.Sprintf("every role has rights on %d of Fanfare's tables and functions", len(open)),
		strings.Join(revokes, " "),
	)
}
