package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// need is a right that the role of Fanfare's needs.
type need struct {
	kind   string // TABLE or FUNCTION
	object string // its name in the schema
	right  string // SELECT, INSERT, UPDATE, DELETE or EXECUTE
	api    bool   // only the API needs it
}

// needs returns the rights that delivering takes, and then those that the API needs beside them.
func needs() []need {
	var all []need
	add := func(kind, object string, api bool, rights ...string) {
		for _, right := range rights {
			all = append(all, need{kind, object, right, api})
		}
	}
	const table, function = "TABLE", "FUNCTION"
	add(table, "schema_version", false, "SELECT")
	add(table, "activities", false, "SELECT")
	add(table, "outbox", false, "SELECT", "INSERT", "DELETE")
	add(table, "parked", false, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "fan_out_jobs", false, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "dead_letters", false, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "notifications", false, "INSERT")
	add(table, "subscriptions", false, "SELECT")
	add(table, "preferences", false, "SELECT")
	add(table, "principals", false, "SELECT")
	add(table, "resources", false, "SELECT")
	add(table, "role_bindings", false, "SELECT")
	add(table, "taxonomy", false, "SELECT")
	add(table, "retention", false, "SELECT")
	add(table, "retention_unrecorded", false, "SELECT", "DELETE")
	for _, name := range []string{
		"ensure_partitions", "record_envelope", "retention_begin", "retention_step", "retention_end", "retention_tenants", "retention_measure",
		"purge_parked", "purge_rest", "purge_notifications", "purge_keys", "purge_activities", "activity_partitions", "partition_may_go", "drop_partition",
	} {
		add(function, name, false, "EXECUTE")
	}

	add(table, "notifications", true, "SELECT", "UPDATE")
	add(table, "subscriptions", true, "INSERT", "UPDATE")
	add(table, "preferences", true, "INSERT", "UPDATE")
	add(table, "enforcement", true, "SELECT")
	add(table, "settings", true, "SELECT")
	add(table, "service_tokens", true, "SELECT", "INSERT", "UPDATE")
	add(table, "retention", true, "INSERT", "UPDATE")
	add(table, "legal_holds", true, "SELECT", "INSERT", "UPDATE")
	add(function, "record_envelopes", true, "EXECUTE")
	add(function, "existing_activity", true, "EXECUTE")
	return all
}

func rights(ctx context.Context, x *examination) verdict {
	all := needs()
	kinds, objects, wanted := make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, n := range all {
		kinds[i], objects[i], wanted[i] = n.kind, n.object, n.right
	}
	// A relation that is not there at all is for another check to tell.
	rows, err := x.Pool.Query(ctx, `
		SELECT CASE n.kind
		    WHEN 'TABLE' THEN coalesce(has_table_privilege(to_regclass('fanfare.' || n.object), n.wanted), true)
		    ELSE coalesce((SELECT bool_and(has_function_privilege(p.oid, n.wanted)) FROM pg_proc AS p
		                   WHERE p.pronamespace = to_regnamespace('fanfare') AND p.proname = n.object), true) END
		FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS n(kind, object, wanted, i)
		ORDER BY n.i`, kinds, objects, wanted)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	held, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	var missing []need
	for i, has := range held {
		if !has {
			missing = append(missing, all[i])
		}
	}
	return judgeRights(missing, x.role)
}

// judgeRights says which rights are missing. A role that can deliver and cannot serve the API is
// right for a worker.
func judgeRights(missing []need, role string) verdict {
	if len(missing) == 0 {
		return fine("%s has all the rights that Fanfare needs", role)
	}
	grants := grantsOf(missing, role)
	if !slices.ContainsFunc(missing, func(n need) bool { return !n.api }) {
		return warn(
			fmt.Sprintf("%s can deliver, but lacks rights that the API needs", role),
			grants+" (if the API works as this role)",
		)
	}
	return fail(fmt.Sprintf("%s lacks rights on %s", role, strings.Join(objectsOf(missing), ", ")), grants)
}

// grantsOf returns the statements that give the rights, one for each object.
func grantsOf(missing []need, role string) string {
	var b strings.Builder
	for _, object := range objectsOf(missing) {
		var rights []string
		kind := ""
		for _, n := range missing {
			if n.object == object {
				kind, rights = n.kind, append(rights, n.right)
			}
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "GRANT %s ON %s fanfare.%s TO %s;", strings.Join(rights, ", "), kind, object, role)
	}
	return b.String()
}

// objectsOf returns the objects, each once.
func objectsOf(missing []need) (objects []string) {
	for _, n := range missing {
		objects = appendNew(objects, n.object)
	}
	return objects
}
