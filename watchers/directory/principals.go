package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// Entry is a principal of the directory.
type Entry struct {
	ID                uuid.UUID
	Kind, DisplayName string
	Active            bool
}

// Principals returns the entries of principals of a tenant, in the given order, without those that
// the directory does not contain.
func Principals(ctx context.Context, db pg.Querier, tenant uuid.UUID, ids []uuid.UUID) ([]Entry, error) {
	list := make([]Entry, 0, len(ids))
	if len(ids) == 0 {
		return list, nil
	}
	rows, err := db.Query(ctx, `
		SELECT principal_id, kind, display_name, active FROM fanfare.principals_of($1, $2)`, tenant, pg.UUIDs(ids))
	if err != nil {
		return nil, fmt.Errorf("read principals: %w", err)
	}
	var e Entry
	_, err = pgx.ForEachRow(rows, []any{(*zeronull.UUID)(&e.ID), &e.Kind, &e.DisplayName, &e.Active}, func() error {
		list = append(list, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read principals: %w", err)
	}
	return list, nil
}

// PrincipalQuery selects a page of the principals of a tenant.
type PrincipalQuery struct {
	Tenant uuid.UUID
	Name   string    // only those whose names contain the text, in upper or lower case; "" selects all
	Limit  int       // of the page; at least 1
	After  uuid.UUID // only principals with higher ids
}

// ListPrincipals returns a page of principals in the order of their ids. It may have fewer than the
// limit, even none, and still have a next, which is the After of the next page.
func ListPrincipals(ctx context.Context, db pg.Querier, q PrincipalQuery) (list []Entry, next uuid.UUID, err error) {
	ids, next, err := scanNames(ctx, db, `SELECT * FROM fanfare.principals_named($1, $2, $3, $4, $5)`,
		q.Tenant, containing(q.Name), q.After, q.Limit+1, maxScanned)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list principals: %w", err)
	}
	if len(ids) > q.Limit {
		ids = ids[:q.Limit]
		next = ids[q.Limit-1]
	}
	list, err = Principals(ctx, db, q.Tenant, ids)
	return list, next, err
}
