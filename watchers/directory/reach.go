package directory

import "github.com/fanfarehq/fanfare/activity"

// MaxReach bounds each set of Reach: the resources that a principal owns, those on or above which
// it holds a role, and those in its scope.
const MaxReach = 1_000

// Reach selects the resources that decide what a principal may see, as fanfare.reach describes
// them. The arguments are those of ReachArguments, from $1 on. It returns no row for a principal
// that the directory marks inactive. complete is false, and the sets are null, if the principal
// owns, or holds roles on, more than MaxReach, or if the directory is a view; in_scope alone is
// null if only the scope has more.
const Reach = `SELECT * FROM fanfare.reach($1, $2, $3, $4, $5)`

// ReachDecides is an expression that decides whether the principal may see the activity whose
// header a row "a" has, from a CTE "reach" that has a complete Reach. It is null where the sets do
// not decide: the directory may not contain the resource, so that its owner and its parent are
// those of the activity. Then CanView decides.
//
// A resource of the directory is in held if and only if the principal holds a role on its chain,
// and so on: walking down from its roles finds what walking up from each resource finds.
const ReachDecides = `
CASE
    WHEN a.visibility = ANY ($6) THEN true
    WHEN a.visibility = ANY ($7) AND (a.actor_principal_id = $2 OR $2 = ANY (a.target_principal_ids)) THEN true
    WHEN a.visibility = ANY ($8) AND a.resource_id IN (SELECT unnest(r.managed) FROM reach AS r) THEN true
    WHEN a.visibility = ANY ($9) AND a.resource_id IN (SELECT unnest(r.held) FROM reach AS r) THEN true
    WHEN a.visibility = ANY ($10) AND a.resource_id IN (SELECT unnest(r.in_scope) FROM reach AS r) THEN true
    WHEN a.visibility = ANY ($10) AND (SELECT r.in_scope IS NULL FROM reach AS r) THEN NULL
    WHEN a.resource_id IN (SELECT unnest(r.held) FROM reach AS r)
        AND a.resource_id NOT IN (SELECT unnest(r.dangling) FROM reach AS r) THEN false
    WHEN a.owner_id = $2 OR a.parent_id IN (SELECT unnest(r.held) FROM reach AS r) THEN NULL
    WHEN a.visibility = ANY ($10) AND a.parent_id IN (SELECT unnest(r.above) FROM reach AS r) THEN NULL
    ELSE false
END`

// ReachArguments returns the arguments of Reach and ReachDecides. They contain the rule of Allowed:
// the visibilities that need no access, those that a party and those that a manager may see, those
// that need a role on the chain, and those that need one in the scope.
func ReachArguments(principal activity.Principal) []any {
	var lists [5][]string
	for _, v := range activity.Visibilities() {
		onChain, inScope := DependsOnRoles(v)
		for i, sees := range [...]bool{
			Allowed(v, Access{}), Allowed(v, Access{Party: true}), Allowed(v, Access{Manager: true}), onChain, inScope,
		} {
			if sees {
				lists[i] = append(lists[i], string(v))
			}
		}
	}
	return []any{
		[16]byte(principal.TenantID), [16]byte(principal.PrincipalID), MaxReach, MaxDepth, MaxNesting,
		lists[0], lists[1], lists[2], lists[3], lists[4],
	}
}
