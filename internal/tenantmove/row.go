package tenantmove

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
)

// Step is what has been done of a move in one of the databases.
type Step string

// The steps, in their order, and the one of a move that is being aborted.
const (
	Begun    Step = "begun"
	Copying  Step = "copying"
	Frozen   Step = "frozen"
	Delta    Step = "delta"
	Verified Step = "verified"
	Opened   Step = "opened"
	Moved    Step = "moved"
	Cleared  Step = "cleared"
	Aborting Step = "aborting"
)

// Role is the part that a database has in a move.
type Role string

// The roles.
const (
	Source      Role = "source"
	Destination Role = "destination"
)

// Row is the row of a move in one of the databases.
type Row struct {
	Tenant    uuid.UUID          `json:"tenant_id"`
	ID        uuid.UUID          `json:"move_id"`
	Role      Role               `json:"role"`
	Step      Step               `json:"step"`
	Peer      string             `json:"peer"` // the other database
	StartedAt time.Time          `json:"started_at"`
	FrozenAt  *time.Time         `json:"frozen_at"` // nil: the tenant is not frozen in this database
	MovedAt   *time.Time         `json:"moved_at"`
	ClearedAt *time.Time         `json:"cleared_at"`
	Copied    map[string]int64   `json:"copied"`  // the rows by table, when both databases were equal
	Removed   tenantdata.Removed `json:"removed"` // the rows that were removed after the move

	pass    uuid.UUID
	logUpto uuid.UUID // the activities below it were compared before the freeze
}

const selectRows = `
SELECT tenant_id, move_id, role, step, peer, started_at, frozen_at, moved_at, cleared_at, copied, removed, pass,
       coalesce(log_upto, '00000000-0000-0000-0000-000000000000')
FROM fanfare.tenant_moves
WHERE $1::uuid IS NULL OR tenant_id = $1
ORDER BY started_at, tenant_id`

func scanRow(row pgx.CollectableRow) (r Row, err error) {
	err = row.Scan((*[16]byte)(&r.Tenant), (*[16]byte)(&r.ID), &r.Role, &r.Step, &r.Peer, &r.StartedAt, &r.FrozenAt,
		&r.MovedAt, &r.ClearedAt, &r.Copied, &r.Removed, (*[16]byte)(&r.pass), (*[16]byte)(&r.logUpto))
	for _, at := range []*time.Time{&r.StartedAt, r.FrozenAt, r.MovedAt, r.ClearedAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	return r, err
}

// List returns the rows of all moves of a database, or of one tenant's; uuid.Nil selects all.
func List(ctx context.Context, db pg.Querier, tenant uuid.UUID) ([]Row, error) {
	only := any(nil)
	if tenant != uuid.Nil {
		only = [16]byte(tenant)
	}
	rows, err := db.Query(ctx, selectRows, only)
	if err != nil {
		return nil, fmt.Errorf("read the moves: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanRow)
	if err != nil {
		return nil, fmt.Errorf("read the moves: %w", err)
	}
	return list, nil
}

// read returns the tenant's row of a database, or nil.
func read(ctx context.Context, db pg.Querier, tenant uuid.UUID) (*Row, error) {
	list, err := List(ctx, db, tenant)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// errOvertaken reports that a row is not at the step that the process has seen.
var errOvertaken = errors.New("another process has changed the move: repeat the command to continue from where it is")

// advance changes a row from one step to another, with further assignments.
func advance(ctx context.Context, tx pgx.Tx, r *Row, from, to Step, assignments string) error {
	tag, err := tx.Exec(ctx, `
		UPDATE fanfare.tenant_moves SET step = $4 `+assignments+`
		WHERE tenant_id = $1 AND move_id = $2 AND step = $3`, [16]byte(r.Tenant), [16]byte(r.ID), from, to)
	if err != nil {
		return fmt.Errorf("store the step %s: %w", to, err)
	}
	if tag.RowsAffected() == 0 {
		return errOvertaken
	}
	return nil
}

// mayWrite makes the transaction one that may write rows of the frozen tenant.
func mayWrite(ctx context.Context, tx pgx.Tx, r *Row) error {
	if _, err := tx.Exec(ctx, `SELECT set_config('fanfare.tenant_move', $1, true)`, r.pass.String()); err != nil {
		return fmt.Errorf("begin to write the tenant's rows: %w", err)
	}
	return nil
}
