package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/watchers/directory"
)

// rowsTimeout limits the search of one relation. A directory that takes longer is searched in part.
const rowsTimeout = 800 * time.Millisecond

// oddity is something in the rows of the directory that Fanfare tolerates and that the application
// probably does not intend.
type oddity struct {
	relation string
	query    string // returns the number of odd rows and the id of one of them
	what     string // follows the number: "rows have no kind"
	remedy   string
}

func oddities() []oddity {
	const (
		one        = `SELECT count(*), min(id::text) FROM `
		unreadable = `tenant_id IS NULL OR id IS NULL`
	)
	long := func(column string, limit int) string {
		const text = `octet_length(%s::text) > %d AND length(left(%[1]s::text, %[2]d + 1)) > %[2]d`
		return fmt.Sprintf(text, column, limit)
	}
	twice := func(relation string) string {
		return one + `(SELECT id FROM fanfare.` + relation +
			` WHERE id IS NOT NULL GROUP BY tenant_id, id HAVING count(*) > 1) AS twice`
	}
	return []oddity{
		{
			"principals", one + `fanfare.principals WHERE ` + unreadable,
			"have no id or no tenant_id and are ignored", "remove them from the view",
		},
		{
			"principals", one + `fanfare.principals WHERE coalesce(kind::text, '') = '' OR display_name IS NULL`,
			"have no kind or no display_name; events show them as unknown or without a name",
			"let the view return a text, such as 'user' and ''",
		},
		{
			"principals", one + `fanfare.principals WHERE active IS NULL`,
			"have the value null in active and count as active", "let the view return true or false",
		},
		{
			"principals", one + `fanfare.principals WHERE ` + long("display_name", directory.MaxNameRunes) +
				` OR ` + long("kind", directory.MaxKindRunes),
			fmt.Sprintf("have a display_name of more than %d or a kind of more than %d characters, which events cut",
				directory.MaxNameRunes, directory.MaxKindRunes),
			"shorten them",
		},
		{
			"principals", twice("principals"),
			"occur more than once; each is inactive if one of its rows is",
			"let the view return each principal once",
		},
		{
			"resources", one + `fanfare.resources WHERE ` + unreadable,
			"have no id or no tenant_id and are ignored", "remove them from the view",
		},
		{
			"resources", one + `fanfare.resources WHERE coalesce(type::text, '') = '' OR ` +
				long("type", directory.MaxKindRunes) + ` OR ` + long("name", directory.MaxNameRunes),
			fmt.Sprintf("have no type, a type of more than %d or a name of more than %d characters, which are cut",
				directory.MaxKindRunes, directory.MaxNameRunes),
			"let the view return short texts",
		},
		{
			"resources", twice("resources"),
			"occur more than once; Fanfare reads one of the rows", "let the view return each resource once",
		},
		{
			"role_bindings", `SELECT count(*), min(coalesce(principal_id, scope_resource_id)::text)
				FROM fanfare.role_bindings
				WHERE tenant_id IS NULL OR principal_id IS NULL OR scope_resource_id IS NULL OR role_name IS NULL`,
			"have no tenant_id, principal_id, scope_resource_id or role_name", "remove them from the view",
		},
		{
			"resources", one + `fanfare.resources AS r WHERE EXISTS (
				SELECT FROM fanfare.memberships AS m
				WHERE m.tenant_id = r.tenant_id AND m.group_id = r.owner_principal_id)`,
			"belong to a group, whose members are not notified as owners", "grant the group the role owner on them",
		},
		{
			"memberships", `SELECT count(*), min(coalesce(group_id, principal_id)::text) FROM fanfare.memberships
				WHERE tenant_id IS NULL OR group_id IS NULL OR principal_id IS NULL`,
			"have no tenant_id, group_id or principal_id and are ignored", "remove them from the view",
		},
		{
			"memberships", `SELECT count(*), min(principal_id::text) FROM (
				SELECT principal_id FROM fanfare.memberships WHERE group_id IS NOT NULL AND principal_id IS NOT NULL
				GROUP BY tenant_id, group_id, principal_id HAVING count(*) > 1) AS twice`,
			"occur more than once", "let the view return each membership once",
		},
		{
			"memberships",
			fmt.Sprintf(nest+`SELECT count(DISTINCT id), min(id::text) FROM down WHERE level > %d`,
				directory.MaxNesting),
			fmt.Sprintf("belong to groups in groups, more than %d deep: what the highest hold does not count for "+
				"their members", directory.MaxNesting),
			"make the groups flatter",
		},
		{
			"memberships", fmt.Sprintf(nest+`
				SELECT count(DISTINCT m.group_id), min(m.group_id::text) FROM fanfare.memberships AS m
				WHERE NOT EXISTS (SELECT FROM down AS d WHERE d.tenant_id = m.tenant_id AND d.id = m.group_id)
				  AND m.tenant_id IS NOT NULL AND m.group_id IS NOT NULL
				  AND NOT EXISTS (SELECT FROM down AS d WHERE d.level > %d)`, directory.MaxNesting),
			"belong to groups that contain themselves, or that such a group contains",
			"remove a membership of the cycle",
		},
		{
			"resources",
			fmt.Sprintf(walk+`SELECT count(*), min(id::text) FROM down WHERE level > %d`, directory.MaxDepth),
			fmt.Sprintf("have more than %d ancestors, of which the highest do not count: "+
				"subscriptions and roles there have no effect on them", directory.MaxDepth),
			"make the tree flatter, or grant roles and subscribe at a lower level",
		},
		{
			"resources", fmt.Sprintf(walk+`
				SELECT count(*), min(r.id::text) FROM fanfare.resources AS r
				WHERE NOT EXISTS (SELECT FROM down AS d WHERE d.tenant_id = r.tenant_id AND d.id = r.id)
				  AND NOT EXISTS (SELECT FROM down AS d WHERE d.level > %d)`, directory.MaxDepth),
			"are in a cycle of parents or below one, which ends their chain of ancestors",
			"correct their parent_id",
		},
	}
}

// walk visits the tree from its roots, 1,000 levels at most, since a resource that occurs twice may
// be in a cycle. Such a resource does not multiply its descendants.
const walk = `
WITH RECURSIVE down AS (
    SELECT r.tenant_id::uuid AS tenant_id, r.id::uuid AS id, 0 AS level FROM fanfare.resources AS r
    WHERE NOT EXISTS (SELECT FROM fanfare.resources AS p WHERE p.tenant_id = r.tenant_id AND p.id = r.parent_id)
    UNION
    SELECT r.tenant_id::uuid, r.id::uuid, d.level + 1
    FROM down AS d JOIN fanfare.resources AS r ON r.tenant_id = d.tenant_id AND r.parent_id = d.id
    WHERE d.level < 1000
)
`

// nest visits the groups from those in no other group, as walk does. level counts the groups from
// there to a group.
const nest = `
WITH RECURSIVE down AS (
    SELECT m.tenant_id::uuid AS tenant_id, m.group_id::uuid AS id, 1 AS level FROM fanfare.memberships AS m
    WHERE NOT EXISTS (
        SELECT FROM fanfare.memberships AS p WHERE p.tenant_id = m.tenant_id AND p.principal_id = m.group_id)
    UNION
    SELECT m.tenant_id::uuid, m.principal_id::uuid, d.level + 1
    FROM down AS d JOIN fanfare.memberships AS m ON m.tenant_id = d.tenant_id AND m.group_id = d.id
    WHERE d.level < 100 AND EXISTS (
        SELECT FROM fanfare.memberships AS g WHERE g.tenant_id = m.tenant_id AND g.group_id = m.principal_id)
)
`

// checkDirectoryRows searches the directory for rows that Fanfare tolerates and the application
// probably does not intend.
func checkDirectoryRows(ctx context.Context, x *examination) finding {
	var found []finding
	large := map[string]bool{}
	for _, o := range oddities() {
		if large[o.relation] {
			continue
		}
		count, example, err := o.search(ctx, x)
		switch {
		case isCancelled(err) && ctx.Err() == nil:
			large[o.relation] = true
		case err != nil:
			return unchecked(err, x.role)
		case count > 0:
			found = append(found, warning(
				fmt.Sprintf("%d rows of fanfare.%s, such as %s, %s", count, o.relation, example, o.what), o.remedy,
			))
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	if len(large) > 0 {
		return passed("no unexpected rows found in the directory, which is too large to be searched completely")
	}
	return passed("the directory has no unexpected rows")
}

func (o oddity) search(ctx context.Context, x *examination) (count int64, example string, err error) {
	err = pgx.BeginFunc(ctx, x.Pool, func(tx pgx.Tx) error {
		timeout := fmt.Sprint(rowsTimeout.Milliseconds())
		if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, timeout); err != nil {
			return err
		}
		var id *string
		if err := tx.QueryRow(ctx, o.query).Scan(&count, &id); err != nil {
			return err
		}
		if example = "one without an id"; id != nil {
			example = strings.TrimSpace(*id)
		}
		return nil
	})
	return count, example, err
}

// isCancelled reports whether a statement was cancelled, as by statement_timeout.
func isCancelled(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == "57014"
}
