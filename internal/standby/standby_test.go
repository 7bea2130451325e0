package standby_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/standby"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// maxLag is long, so that a slow machine does not make a standby lag.
const maxLag = 2 * time.Second

// cluster is a primary server with a table of one number, and a standby.
type cluster struct {
	primary *pgxpool.Pool
	copy    *pgxpool.Pool
	server  *devstack.Postgres // the standby
	reads   *standby.Standbys
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	server, db := pgtest.NewCluster(t)
	exec(t, db.Pool, "CREATE TABLE numbers (n bigint); INSERT INTO numbers VALUES (0)")
	replica, err := server.StartStandby(t.Context(), map[string]string{"max_standby_streaming_delay": "100ms"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replica.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	c := &cluster{primary: db.Pool, server: replica, copy: pool(t, replica.URL(db.Pool.Config().ConnConfig.Database))}
	c.reads = c.run(t, c.copy)
	return c
}

func pool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// run returns the standbys of the primary as a process of its own sees them.
func (c *cluster) run(t *testing.T, standbys ...*pgxpool.Pool) *standby.Standbys {
	t.Helper()
	s := standby.New(standby.Options{
		Primary: c.primary, Standbys: standbys, MaxLag: maxLag, Logger: zap.NewNop(),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

func (c *cluster) awaitUse(t *testing.T, s *standby.Standbys, used bool) {
	t.Helper()
	what := map[bool]string{true: "reads go to the standby", false: "reads go to the primary"}[used]
	waittest.Until(t, what, func() bool { return (s.Pool() == c.copy) == used })
}

func exec(t *testing.T, p *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := p.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// read returns the number, and whether the standby returned it.
func (c *cluster) read(t *testing.T, s *standby.Standbys) (n int64, fromStandby bool) {
	t.Helper()
	n, err := standby.Read(t.Context(), s, func(p *pgxpool.Pool) (n int64, err error) {
		fromStandby = p == c.copy
		return n, p.QueryRow(t.Context(), "SELECT n FROM numbers").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, fromStandby
}

// TestReadsFollowWrites writes in one process, and reads in another as soon as the write is
// settled: each read shows the write.
func TestReadsFollowWrites(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	other := c.run(t, c.copy)
	c.awaitUse(t, c.reads, true)
	c.awaitUse(t, other, true)
	fromStandby := 0
	for want := range int64(100) {
		exec(t, c.primary, "UPDATE numbers SET n = n + 1")
		c.reads.Settle(t.Context())
		got, there := c.read(t, other)
		if got != want+1 {
			t.Fatalf("read %d after %d was written", got, want+1)
		}
		if there {
			fromStandby++
		}
	}
	if fromStandby == 0 {
		t.Error("no read went to the standby")
	}
}

// TestLag stops the replay: reads go to the primary once the standby lags by more than the maximum,
// a write waits no longer than that, and reads return when the standby has caught up.
func TestLag(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.awaitUse(t, c.reads, true)
	exec(t, c.copy, "SELECT pg_wal_replay_pause()")
	waittest.Query(t, c.copy, "the replay has paused", "SELECT pg_get_wal_replay_pause_state() = 'paused'")
	exec(t, c.primary, "UPDATE numbers SET n = 1")
	c.reads.Settle(t.Context())
	if n, fromStandby := c.read(t, c.reads); n != 1 || fromStandby {
		t.Errorf("read %d, from the standby: %v, want the primary's 1", n, fromStandby)
	}
	c.awaitUse(t, c.reads, false)
	exec(t, c.copy, "SELECT pg_wal_replay_resume()")
	c.awaitUse(t, c.reads, true)
	if n, _ := c.read(t, c.reads); n != 1 {
		t.Errorf("read %d after the standby has caught up, want 1", n)
	}
}

// TestStandbyIsKilled verifies that a read that the standby does not answer is answered by the
// primary, and that a write does not wait for a standby that is gone.
func TestStandbyIsKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.awaitUse(t, c.reads, true)
	if err := c.server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _ := c.read(t, c.reads); n != 0 {
		t.Errorf("read %d, want 0", n)
	}
	c.awaitUse(t, c.reads, false)
	waittest.Until(t, "writes do not wait", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), maxLag/4)
		defer cancel()
		c.reads.Settle(ctx)
		return ctx.Err() == nil
	})
	if err := c.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.awaitUse(t, c.reads, true)
}

// TestConflict cancels a read on the standby, as the replay does when it removes what the read
// needs. The primary serves it.
func TestConflict(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.awaitUse(t, c.reads, true)
	calls := 0
	n, err := standby.Read(t.Context(), c.reads, func(p *pgxpool.Pool) (n int64, err error) {
		calls++
		err = pgx.BeginTxFunc(t.Context(), p, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
			if err := tx.QueryRow(t.Context(), "SELECT n FROM numbers").Scan(&n); err != nil {
				return err
			}
			if p == c.copy {
				exec(t, c.primary, "UPDATE numbers SET n = 7")
				exec(t, c.primary, "VACUUM (FREEZE) numbers")
				return tx.QueryRow(t.Context(), "SELECT n FROM numbers, pg_sleep(20)").Scan(&n)
			}
			return nil
		})
		return n, err
	})
	if err != nil || n != 7 || calls != 2 {
		t.Errorf("got %d, %v after %d calls, want the primary's 7 after 2", n, err, calls)
	}
}

// TestOnlyStandbysOfThePrimary refuses other servers.
func TestOnlyStandbysOfThePrimary(t *testing.T) {
	t.Parallel()
	_, primary := pgtest.NewCluster(t)
	_, foreign := pgtest.NewCluster(t)
	for name, c := range map[string]struct {
		pool *pgxpool.Pool
		want string
	}{
		"another cluster": {foreign.Pool, "the server is a standby of another cluster"},
		"the primary":     {pool(t, primary.URL), "the server is no standby"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			core, entries := observer.New(zap.InfoLevel)
			s := standby.New(standby.Options{
				Primary: primary.Pool, Standbys: []*pgxpool.Pool{c.pool}, Logger: zap.New(core),
			})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { defer close(ended); s.Run(ctx) }()
			t.Cleanup(func() { cancel(); <-ended })
			waittest.Until(t, "the log names the reason", func() bool {
				return entries.FilterMessage("reads do not go to the standby").Len() > 0
			})
			if s.Pool() != primary.Pool {
				t.Error("reads go to the server")
			}
			state := s.States()[0]
			if state.Usable || state.Problem == nil || !strings.Contains(state.Problem.Error(), c.want) {
				t.Errorf("got %+v, want the problem %q", state, c.want)
			}
		})
	}
}

// TestPrimaryIsUnknown verifies that the log names the error of a primary whose position cannot be
// read.
func TestPrimaryIsUnknown(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	closed := pool(t, db.URL)
	closed.Close()
	core, entries := observer.New(zap.InfoLevel)
	s := standby.New(standby.Options{
		Primary: closed, Standbys: []*pgxpool.Pool{db.Pool}, Logger: zap.New(core),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	waittest.Until(t, "the log names the error", func() bool {
		return entries.FilterMessage("reads do not go to the standby").Len() > 0
	})
	if problem := s.States()[0].Problem; problem == nil || !strings.Contains(problem.Error(), "closed pool") {
		t.Errorf("got the problem %v, want that of the closed pool", problem)
	}
}

// TestWithoutStandbys reads and writes on the primary alone.
func TestWithoutStandbys(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := standby.New(standby.Options{Primary: db.Pool})
	s.Settle(t.Context())
	want := errors.New("kept")
	if _, err := standby.Read(t.Context(), s, func(p *pgxpool.Pool) (int, error) {
		if p != db.Pool {
			t.Error("the read does not go to the primary")
		}
		return 0, want
	}); !errors.Is(err, want) {
		t.Errorf("got %v, want the error of the read", err)
	}
}
