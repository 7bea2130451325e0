package tenantmove_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

// TestContinuesFromBaselines continues a move on a server of its own, since transactions in other
// databases count: the chunk is not read again.
func TestContinuesFromBaselines(t *testing.T) {
	t.Parallel()
	_, source := pgtest.NewCluster(t)
	c := newCellsIn(t, source, pgtest.New(t), 3)
	if before, after := removeWhileFrozen(t, c, nothing, nothing); after != before-1 {
		t.Errorf("got %d notifications, want the %d that the stored comparison says are equal", after, before-1)
	}
}

// TestComparesWithoutBaselines continues a move where the stored comparison may not be used: the
// row is copied again.
func TestComparesWithoutBaselines(t *testing.T) {
	t.Parallel()
	set := func(value string) string {
		return `UPDATE fanfare.tenant_moves SET baselines = ` + value + ` WHERE tenant_id = $1`
	}
	for title, test := range map[string]struct{ inSource, inDestination string }{
		"the destination lacks what was copied last":   {nothing, set(`NULL`)},
		"the destination has an earlier copy":          {nothing, set(`'"another"'`)},
		"the source is another server":                 {set(`jsonb_set(baselines, '{next}', '"99999999"')`), nothing},
		"the source is another database":               {set(`jsonb_set(baselines, '{database}', '1')`), nothing},
		"the source is of a version without baselines": {set(`NULL`), nothing},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			c := newCells(t, 3)
			if before, after := removeWhileFrozen(t, c, test.inSource, test.inDestination); after != before {
				t.Errorf("got %d notifications, want %d", after, before)
			}
		})
	}
}

// nothing is a statement that changes nothing.
const nothing = `SELECT FROM fanfare.tenant_moves WHERE tenant_id = $1`

// removeWhileFrozen interrupts a move after the freeze, removes a notification from the destination
// whose chunk was equal before, executes a statement in each database, and completes the move. It
// returns the numbers of notifications in the destination before that and at the end.
func removeWhileFrozen(t *testing.T, c *cells, inSource, inDestination string) (before, after int64) {
	t.Helper()
	count := func() (n int64) {
		t.Helper()
		err := c.destination.Pool.QueryRow(t.Context(),
			`SELECT count(*) FROM fanfare.notifications WHERE tenant_id = $1`, c.tenant).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// The first process copies, and the second one finds everything equal.
	for _, at := range []tenantmove.Point{tenantmove.CopyingAll, tenantmove.FrozenDone} {
		if _, err := c.move(t, at, tenantmove.Options{}); !errors.Is(err, errInterrupted) {
			t.Fatal(err)
		}
	}
	before = count()
	err := pgx.BeginFunc(t.Context(), c.destination.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `DELETE FROM fanfare.notifications
			WHERE ctid = (SELECT ctid FROM fanfare.notifications WHERE tenant_id = $1 LIMIT 1)`, c.tenant)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, c.source, inSource, c.tenant)
	exec(t, c.destination, inDestination, c.tenant)
	if _, err := c.move(t, "", tenantmove.Options{}); err != nil {
		t.Fatal(err)
	}
	return before, count()
}
