package doctor

import "context"

// writer checks that services can be given the right to record, and nothing else: a dump that is restored in another cluster
// comes without the role.
func writer(ctx context.Context, x *examination) verdict {
	var exists, records bool
	err := x.Pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fanfare_writer'),
		       coalesce((SELECT bool_and(has_function_privilege(r.oid, p.oid, 'EXECUTE')) AND has_schema_privilege(r.oid, 'fanfare', 'USAGE')
		                 FROM pg_roles AS r, pg_proc AS p
		                 WHERE r.rolname = 'fanfare_writer' AND p.pronamespace = to_regnamespace('fanfare')
		                   AND p.proname IN ('record_activity', 'record_envelope', 'record_envelopes', 'standing_activity')
		                 GROUP BY r.oid), false)`).Scan(&exists, &records)
	const grants = "GRANT USAGE ON SCHEMA fanfare TO fanfare_writer; GRANT EXECUTE ON FUNCTION fanfare.record_activity, " +
		"fanfare.record_envelope, fanfare.record_envelopes, fanfare.standing_activity TO fanfare_writer;"
	switch {
	case err != nil:
		return databaseTrouble(err, x.role)
	case !exists:
		return fail("there is no role fanfare_writer to grant to services", "CREATE ROLE fanfare_writer NOLOGIN; "+grants)
	case !records:
		return fail("fanfare_writer may not record activities", grants)
	}
	return fine("fanfare_writer may record activities: grant it to services")
}
