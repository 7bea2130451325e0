package acceptance_test

import (
	"context"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

func TestMain(m *testing.M) {
	acceptance.Main() // does not return in a worker process
	pgtest.Main(m)
}

// newEnvironment returns a database and a Centrifugo for this test alone.
func newEnvironment(t *testing.T) (context.Context, *acceptance.Environment) {
	t.Helper()
	db := pgtest.New(t)
	server := centrifugotest.Start(t, devstack.CentrifugoOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx, &acceptance.Environment{DatabaseURL: db.URL, Pool: db.Pool, Centrifugo: server, Progress: t.Logf}
}

// TestKills is the short form of the command's kills.
func TestKills(t *testing.T) {
	t.Parallel()
	ctx, e := newEnvironment(t)
	r, err := acceptance.Kills(ctx, e, acceptance.KillsOptions{Kills: 4, Rate: 150, People: 30, Seed: 1, Every: 60})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Kills != 4 || r.InsideBatch != 4 || r.Expected == 0 || r.Received != r.Expected {
		t.Errorf("got %+v, want 4 kills inside a batch and every delivery", r)
	}
	t.Logf("%+v", r)
}

// TestChurn is the short form of the command's churn.
func TestChurn(t *testing.T) {
	t.Parallel()
	ctx, e := newEnvironment(t)
	r, err := acceptance.Churn(ctx, e, acceptance.ChurnOptions{
		People: 120, Tenants: 3, Rate: 100, Changes: 80, Duration: 2 * time.Second,
		Cuts: 10, MaxCut: 300 * time.Millisecond, Seed: 1, MaxUndecided: 0.5,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Must == 0 || r.Altered == 0 || r.Disconnects == 0 {
		t.Errorf("got %+v, want deliveries, changes that matter and lost connections", r)
	}
	t.Logf("%+v", r)
}

// TestMove is the short form of the command's move.
func TestMove(t *testing.T) {
	t.Parallel()
	ctx, e := newEnvironment(t)
	r, err := acceptance.Move(ctx, e, acceptance.MoveOptions{
		Rate: 60, OtherRate: 10, People: 10, Recorded: 500, Seed: 1,
		Before: 500 * time.Millisecond, Down: 100 * time.Millisecond, After: 300 * time.Millisecond,
		Points: []tenantmove.Point{tenantmove.DeltaHalf, tenantmove.OpenedDone}, Abort: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	for _, p := range r.Phases {
		t.Logf("%+v", p)
		if p.Recorded == 0 || p.Expected == 0 || p.Received != p.Expected || p.Refused == 0 {
			t.Errorf("got %+v, want every delivery, and writers that were refused meanwhile", p)
		}
	}
}
