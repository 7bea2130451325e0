package doctor

import (
	"context"
	"strings"
)

// writerFunctions are those by which services record.
func writerFunctions() []string {
	return []string{"record_activity", "record_envelope", "record_envelopes", "refuse_envelope", "existing_activity"}
}

// writer checks that services can be given the right to record: a dump that is restored in another
// cluster comes without the role.
func writer(ctx context.Context, x *examination) verdict {
	var exists, records bool
	err := x.Pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fanfare_writer'),
		       EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = 'fanfare_writer' AND has_schema_privilege(r.oid, 'fanfare', 'USAGE')
		                 AND (SELECT bool_and(has_function_privilege(r.oid, p.oid, 'EXECUTE')) FROM pg_proc AS p
		                      WHERE p.pronamespace = to_regnamespace('fanfare') AND p.proname = ANY ($1::text[])))`, writerFunctions()).Scan(&exists, &records)
	grants := "GRANT USAGE ON SCHEMA fanfare TO fanfare_writer; GRANT EXECUTE ON FUNCTION fanfare." +
		strings.Join(writerFunctions(), ", fanfare.") + " TO fanfare_writer;"
	switch {
	case err != nil:
		return databaseTrouble(err, x.role)
	case !exists:
		return fail(
			"there is no role fanfare_writer to grant to services",
			"CREATE ROLE fanfare_writer NOLOGIN; "+grants,
		)
	case !records:
		return fail("fanfare_writer may not record activities", grants)
	}
	return fine("fanfare_writer may record activities: grant it to services")
}
