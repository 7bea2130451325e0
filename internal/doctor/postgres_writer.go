package doctor

import (
	"context"
	"strings"
)

// writerFunctions are the functions that services call to record activities.
func writerFunctions() []string {
	return []string{"record_activity", "record_envelope", "record_envelopes", "refuse_envelope", "existing_activity"}
}

// checkWriterRole checks the role that services inherit their privileges from. A dump that is
// restored in another cluster does not contain it.
func checkWriterRole(ctx context.Context, x *examination) finding {
	var exists, complete bool
	err := x.Pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fanfare_writer'),
		       EXISTS (
		           SELECT FROM pg_roles AS r
		           WHERE r.rolname = 'fanfare_writer' AND has_schema_privilege(r.oid, 'fanfare', 'USAGE')
		             AND (
		                 SELECT bool_and(has_function_privilege(r.oid, p.oid, 'EXECUTE')) FROM pg_proc AS p
		                 WHERE p.pronamespace = to_regnamespace('fanfare') AND p.proname = ANY ($1::text[])
		             )
		       )`, writerFunctions()).Scan(&exists, &complete)
	grants := "GRANT USAGE ON SCHEMA fanfare TO fanfare_writer; GRANT EXECUTE ON FUNCTION fanfare." +
		strings.Join(writerFunctions(), ", fanfare.") + " TO fanfare_writer;"
	switch {
	case err != nil:
		return databaseFailure(err, x.role)
	case !exists:
		return failure("the role fanfare_writer does not exist", "CREATE ROLE fanfare_writer NOLOGIN; "+grants)
	case !complete:
		return failure("the role fanfare_writer lacks privileges to record activities", grants)
	}
	return passed("the role fanfare_writer has the privileges to record activities")
}
