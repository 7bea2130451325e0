package subscriptions

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestListUsesIndexes(t *testing.T) {
	t.Parallel()
	large := directorytest.NewLarge(t, pgtest.New(t).Pool)
	principal := large.Principal(t, 7)
	large.Transactions(t, func(tx pgx.Tx) {
		pgtest.WantIndexes(t, tx, selectSubscriptions, principal.TenantID, principal.PrincipalID, uuid.Nil, 1001)
	})
}
