package main

import (
	"context"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// inGroups is what the names of variants end in whose world uses groups and levels.
const inGroups = "+groups"

// useGroups makes every fifth subscription one of a group whose member is the former subscriber,
// and gives every fifth person a level, which includes everything. The recipients remain the same.
func useGroups(ctx context.Context, db *stack.Database) error {
	return db.Exec(ctx, `
		INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id)
		SELECT tenant_id, md5('group ' || id)::uuid, principal_id
		FROM fanfare.subscriptions WHERE uuid_hash(id) % 5 = 0`, `
		UPDATE fanfare.subscriptions SET principal_id = md5('group ' || id)::uuid WHERE uuid_hash(id) % 5 = 0`, `
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level, scope)
		SELECT p.tenant_id, p.id, r.id, 'all', 'descendants'
		FROM fanfare.principals AS p
		JOIN fanfare.resources AS r ON r.tenant_id = p.tenant_id AND r.parent_id IS NULL
		WHERE uuid_hash(p.id) % 5 = 0`,
		vacuumGroups)
}

// withoutGroups undoes useGroups.
func withoutGroups(ctx context.Context, db *stack.Database) error {
	return db.Exec(ctx, `
		UPDATE fanfare.subscriptions AS s SET principal_id = m.principal_id
		FROM fanfare.memberships AS m WHERE m.tenant_id = s.tenant_id AND m.group_id = s.principal_id`,
		`DELETE FROM fanfare.memberships`, `DELETE FROM fanfare.watch_levels`, vacuumGroups)
}

const vacuumGroups = `VACUUM (ANALYZE) fanfare.subscriptions, fanfare.memberships, fanfare.watch_levels`

// drainInGroups is drainOnce in a world that uses groups and levels.
func drainInGroups(
	ctx context.Context,
	db *stack.Database,
	variant string,
	o *drainOptions,
) (run drainRun, err error) {
	if err := useGroups(ctx, db); err != nil {
		return run, err
	}
	if run, err = drainOnce(ctx, db, variant, o); err != nil {
		return run, err
	}
	return run, withoutGroups(ctx, db)
}
