package subscriptions

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

func TestListUsesIndexes(t *testing.T) {
	t.Parallel()
	large := directorytest.NewLarge(t, pgtest.New(t).Pool)
	principal := large.Principal(t, 7)
	large.Transactions(t, func(tx pgx.Tx) {
		pgtest.WantIndexes(t, tx, selectSubscriptions, principal.TenantID, principal.PrincipalID, uuid.Nil, 1001)
		pgtest.WantIndexes(t, tx, selectThroughGroups, principal.TenantID, principal.PrincipalID, uuid.Nil, 1001,
			directory.MaxNesting)
	})
}
