package doctor

import (
	"context"
	"fmt"
)

// checkSuperuser checks that the schema does not belong to a superuser. Services, which may be any
// application, call functions that have the rights of its owner.
func checkSuperuser(ctx context.Context, x *examination) finding {
	var owner string
	var super bool
	err := x.Pool.QueryRow(ctx, `
		SELECT quote_ident(r.rolname), r.rolsuper
		FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
		WHERE n.nspname = 'fanfare'`).Scan(&owner, &super)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateSuperuser(owner, super)
}

func evaluateSuperuser(owner string, super bool) finding {
	if super {
		return warning(
			fmt.Sprintf("the schema belongs to the superuser %s, so what services call has its rights", owner),
			"CREATE ROLE fanfare_owner; ALTER SCHEMA fanfare OWNER TO fanfare_owner; and fanfare migrate repair",
		)
	}
	return passed("the schema belongs to %s, which is no superuser", owner)
}
