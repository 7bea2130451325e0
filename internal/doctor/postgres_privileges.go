package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// privilege is a privilege that Fanfare requires.
type privilege struct {
	kind   string // TABLE or FUNCTION
	object string // the name in the schema
	action string // SELECT, INSERT, UPDATE, DELETE or EXECUTE
	api    bool   // only the API requires it
}

// requiredPrivileges returns the privileges that a worker requires, followed by those that only the
// API requires.
func requiredPrivileges() []privilege {
	var all []privilege
	add := func(kind, object string, api bool, actions ...string) {
		for _, action := range actions {
			all = append(all, privilege{kind, object, action, api})
		}
	}
	const table, function = "TABLE", "FUNCTION"
	add(table, "schema_version", false, "SELECT")
	add(table, "activities", false, "SELECT")
	add(table, "outbox", false, "SELECT", "INSERT", "DELETE")
	add(table, "outbox_seq_seq", false, "SELECT")
	add(table, "workers", false, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "samples", false, "SELECT", "INSERT", "UPDATE")
	add(table, "parked", false, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "fan_out_jobs", false, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "dead_letters", false, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "notifications", false, "SELECT", "INSERT", "UPDATE")
	add(table, "tenant_preferences", false, "SELECT")
	add(table, "taxonomy", false, "SELECT")
	add(table, "enforcement", false, "SELECT")
	add(table, "settings", false, "SELECT")
	add(table, "tenant_moves", false, "SELECT")
	add(table, "retention", false, "SELECT")
	add(table, "retention_unrecorded", false, "SELECT", "DELETE")
	for _, name := range []string{
		"ensure_partitions", "record_fields", "retention_begin", "retention_step", "retention_end",
		"retention_tenants", "retention_measure", "purge_parked", "purge_expired", "purge_notifications",
		"purge_keys", "purge_activities", "activity_partitions", "partition_is_removable", "drop_partition",
		"candidates", "principal_entries", "tree_above",
	} {
		add(function, name, false, "EXECUTE")
	}

	add(table, "subscriptions", true, "SELECT", "INSERT", "UPDATE")
	add(table, "preferences", true, "SELECT", "INSERT", "UPDATE")
	add(table, "tenant_preferences", true, "INSERT", "UPDATE")
	add(table, "watch_levels", true, "SELECT", "INSERT", "UPDATE", "DELETE")
	add(table, "service_tokens", true, "SELECT", "INSERT", "UPDATE")
	add(table, "sign_in_codes", true, "SELECT", "INSERT", "DELETE")
	add(table, "retention", true, "INSERT", "UPDATE")
	add(table, "legal_holds", true, "SELECT", "INSERT", "UPDATE")
	for _, name := range []string{
		"record_envelopes", "existing_activity", "existing_id", "lane_of",
		"resource_entry", "resource_types", "principal_is_active", "known_groups", "grounds",
		"reach", "audience_size", "groups_of", "principals_of", "principals_named", "resource_children",
		"resources_held", "resource_rows", "resources_named", "resources_below",
	} {
		add(function, name, true, "EXECUTE")
	}
	return all
}

func checkPrivileges(ctx context.Context, x *examination) finding {
	all := requiredPrivileges()
	kinds, objects, actions := make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, p := range all {
		kinds[i], objects[i], actions[i] = p.kind, p.object, p.action
	}
	// An object that does not exist is the subject of other checks.
	rows, err := x.Pool.Query(ctx, `
		SELECT CASE r.kind
		    WHEN 'TABLE' THEN coalesce(has_table_privilege(to_regclass('fanfare.' || r.object), r.action), true)
		    ELSE coalesce((
		        SELECT bool_and(has_function_privilege(p.oid, r.action)) FROM pg_proc AS p
		        WHERE p.pronamespace = to_regnamespace('fanfare') AND p.proname = r.object
		    ), true) END
		FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS r(kind, object, action, i)
		ORDER BY r.i`, kinds, objects, actions)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	held, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		return databaseFailure(err, x.role)
	}
	var missing []privilege
	for i, has := range held {
		if !has {
			missing = append(missing, all[i])
		}
	}
	return evaluatePrivileges(missing, x.role)
}

// evaluatePrivileges fails if a worker lacks privileges and warns if only the API does: a role that
// only delivers needs no others.
func evaluatePrivileges(missing []privilege, role string) finding {
	if len(missing) == 0 {
		return passed("the role %s has all privileges that Fanfare requires", role)
	}
	grants := grantsOf(missing, role)
	if !slices.ContainsFunc(missing, func(p privilege) bool { return !p.api }) {
		return warning(
			fmt.Sprintf("%s can deliver, but lacks privileges that the API requires", role),
			grants+" (if the API uses this role)",
		)
	}
	return failure(fmt.Sprintf("%s lacks privileges on %s", role, strings.Join(objectsOf(missing), ", ")), grants)
}

// grantsOf returns the statements that grant the privileges, one for each object.
func grantsOf(missing []privilege, role string) string {
	var grants []string
	for _, object := range objectsOf(missing) {
		var actions []string
		kind := ""
		for _, p := range missing {
			if p.object == object {
				kind, actions = p.kind, append(actions, p.action)
			}
		}
		list := strings.Join(actions, ", ")
		grants = append(grants, fmt.Sprintf("GRANT %s ON %s fanfare.%s TO %s;", list, kind, object, role))
	}
	return strings.Join(grants, " ")
}

// objectsOf returns the objects of the privileges, each once.
func objectsOf(missing []privilege) (objects []string) {
	for _, p := range missing {
		objects = appendNew(objects, p.object)
	}
	return objects
}
