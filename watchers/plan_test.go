package watchers

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
	tenant, resource := large.Principal(t, 1).TenantID, large.Resource(t, 40000)
	large.Transactions(t, func(tx pgx.Tx) {
		pgtest.WantIndexes(t, tx, selectWatchers, tenant, resource, uuid.Nil, 1001, directory.MaxDepth)
	})
}
