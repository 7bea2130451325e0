package tenantmove_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

// TestMove moves a tenant with rows in every table and compares the databases.
func TestMove(t *testing.T) {
	t.Parallel()
	c := newCells(t, 20)
	before, others := contents(t, c.source, c.tenant), contents(t, c.source, c.other)
	r, err := c.move(t, "", tenantmove.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if differ := tables(before, contents(t, c.destination, c.tenant)); differ != nil {
		t.Errorf("before and after differ:\n%s", strings.Join(differ, "\n"))
	}
	if differ := tables(none(before), contents(t, c.source, c.tenant)); differ != nil {
		t.Errorf("rows are left in the source:\n%s", strings.Join(differ, "\n"))
	}
	if differ := tables(others, contents(t, c.source, c.other)); differ != nil {
		t.Errorf("the other tenant's rows have changed:\n%s", strings.Join(differ, "\n"))
	}
	if r.Step != tenantmove.Cleared || r.Rows["activities"] != 1200 || r.Removed["activities"] != 1200 {
		t.Errorf("got %+v, want 1200 activities moved and removed", r)
	}
	if again, err := c.move(t, "", tenantmove.Options{}); err != nil || again.Step != tenantmove.Cleared {
		t.Errorf("repeated: got %+v and %v, want the same result", again, err)
	}
	if _, err := c.abort(t); !errors.Is(err, tenantmove.ErrOpened) {
		t.Errorf("aborted afterwards: got %v, want ErrOpened", err)
	}
}

// TestInterruptedMove interrupts a move at each point and continues it.
func TestInterruptedMove(t *testing.T) {
	t.Parallel()
	for _, p := range tenantmove.Points() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			c := newCells(t, 3)
			before := contents(t, c.source, c.tenant)
			if _, err := c.move(t, p, tenantmove.Options{}); !errors.Is(err, errInterrupted) {
				t.Fatalf("got %v, want the move to reach the point", err)
			}
			r, err := c.move(t, "", tenantmove.Options{})
			if err != nil || r.Step != tenantmove.Cleared {
				t.Fatalf("continued: got %+v and %v", r, err)
			}
			if differ := tables(before, contents(t, c.destination, c.tenant)); differ != nil {
				t.Errorf("before and after differ:\n%s", strings.Join(differ, "\n"))
			}
			if differ := tables(none(before), contents(t, c.source, c.tenant)); differ != nil {
				t.Errorf("rows are left in the source:\n%s", strings.Join(differ, "\n"))
			}
		})
	}
}

// TestAbortedMove interrupts a move at each point and aborts it.
func TestAbortedMove(t *testing.T) {
	t.Parallel()
	for _, p := range tenantmove.Points() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			c := newCells(t, 3)
			before := contents(t, c.source, c.tenant)
			if _, err := c.move(t, p, tenantmove.Options{}); !errors.Is(err, errInterrupted) {
				t.Fatalf("got %v, want the move to reach the point", err)
			}
			_, err := c.abort(t)
			if !p.Abortable() {
				if !errors.Is(err, tenantmove.ErrOpened) {
					t.Errorf("got %v, want ErrOpened", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if differ := tables(before, contents(t, c.source, c.tenant)); differ != nil {
				t.Errorf("the source has changed:\n%s", strings.Join(differ, "\n"))
			}
			if differ := tables(none(before), contents(t, c.destination, c.tenant)); differ != nil {
				t.Errorf("rows are left in the destination:\n%s", strings.Join(differ, "\n"))
			}
			exec(t, c.source, `UPDATE fanfare.principals SET active = NOT active WHERE tenant_id = $1`, c.tenant)
			if _, err := c.abort(t); !errors.Is(err, tenantmove.ErrNoMove) {
				t.Errorf("aborted again: got %v, want ErrNoMove", err)
			}
		})
	}
}
