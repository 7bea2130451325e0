package acceptance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/churn"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

const (
	// churnTokenTTL is shorter than a long run, so that tokens are renewed during it.
	churnTokenTTL = time.Minute
	// reconnectTimeout limits the time until every client is connected at the end of a run.
	reconnectTimeout = 30 * time.Second
)

// ChurnOptions describe a run of Churn.
type ChurnOptions struct {
	People   int           // principals, each with a client
	Tenants  int           // that the principals are distributed over
	Rate     int           // activities a second
	Changes  int           // changes of roles, subscriptions, preferences, … a second
	Duration time.Duration // of the writing
	Cuts     int           // connections cut a second, of one in four clients
	MaxCut   time.Duration // maximum duration of a cut
	Seed     uint64        // of the world, the activities and the changes

	// MaxUndecided is the maximum share of May in Must and May.
	MaxUndecided float64
}

// ChurnResult is the result of Churn. Its counts are of pairs of an activity and a principal of its
// tenant, if not stated otherwise.
type ChurnResult struct {
	Clients    int            `json:"clients"`
	Rate       int            `json:"rate"`
	Activities int            `json:"activities"`
	Changes    map[string]int `json:"changes"`
	// States is the mean number of the tenant's states in which an activity may be delivered.
	States float64 `json:"states_per_activity"`
	// Altered counts the pairs that the changes decided differently.
	Altered int `json:"decided_otherwise_than_at_first"`

	Must    int `json:"must"`
	May     int `json:"either"`
	MustNot int `json:"must_not"`

	Received          int `json:"must_received"`
	MissedConnected   int `json:"must_missed_by_those_who_stayed"`
	MissedReconnected int `json:"must_missed_by_those_who_came_back"`
	MissedBeyondGaps  int `json:"must_missed_beyond_the_history"`
	MayReceived       int `json:"either_received"`
	Unexpected        int `json:"must_not_received"`
	Repeats           int `json:"repeats"`
	Phantoms          int `json:"received_of_unknown_activities"`
	Foreign           int `json:"received_of_other_tenants"`

	Connected   int `json:"clients_who_stayed"`
	Disconnects int `json:"connections_lost"`
	Gaps        int `json:"absences_longer_than_the_history"`

	InboxMissing    int `json:"inbox_rows_missing"`
	InboxUnexpected int `json:"inbox_rows_unasked"`
	DeadLetters     int `json:"dead_letters"`

	Returned Percentiles `json:"since_commit_returned"`
	Sent     Percentiles `json:"since_commit_sent"`

	violations []error
}

// Undecided returns the share of May in Must and May.
func (r *ChurnResult) Undecided() float64 { return float64(r.May) / float64(max(1, r.Must+r.May)) }

// Err returns the violations, joined, or nil if there are none.
func (r *ChurnResult) Err() error { return errors.Join(r.violations...) }

// churnRun is one run of Churn.
type churnRun struct {
	*Environment
	ChurnOptions
	world    *churn.World
	set      *clients.Set
	recorder *Recorder
	pool     *pgxpool.Pool // of the changes and polls, which must not wait for the writers

	changes [][]oracle.Change // by tenant; used by change alone until it returns
	kinds   map[string]int
}

// Churn changes roles, subscriptions, preferences and the tree while activities are committed and
// connections are cut, and verifies that every activity reaches the recipients that the oracle
// requires and no others.
func Churn(ctx context.Context, e *Environment, o ChurnOptions) (*ChurnResult, error) {
	options := churn.Options{Tenants: o.Tenants, People: o.People, Seed: o.Seed}
	c := &churnRun{
		Environment: e, ChurnOptions: o, world: churn.New(options), recorder: NewRecorder(), kinds: map[string]int{},
	}
	c.changes = make([][]oracle.Change, len(c.world.Tenants))
	if err := errors.Join(c.world.Rows().Load(ctx, e.Pool), churn.ApplyTaxonomy(ctx, e.Pool)); err != nil {
		return nil, err
	}
	var principals []activity.Principal
	for _, t := range c.world.Tenants {
		for _, id := range t.People {
			principals = append(principals, activity.Principal{TenantID: t.ID, PrincipalID: id})
		}
	}
	set, closeAll, err := Connect(ctx, e.Centrifugo, principals, ConnectOptions{
		TokenTTL: churnTokenTTL, Timeout: e.ClientTimeout,
	})
	if err != nil {
		return nil, err
	}
	defer closeAll()
	c.set = set
	e.progress("%d clients are connected; %d activities and %d changes a second for %v",
		len(principals), o.Rate, o.Changes, o.Duration)
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	e.progress("comparing with the oracle")
	return c.judge(ctx, churn.New(options))
}

// run returns when every activity is delivered and every client has received what it receives.
func (c *churnRun) run(ctx context.Context) (err error) {
	worker, err := StartWorker(c.DatabaseURL, c.Centrifugo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, worker.Kill()) }()
	if c.pool, err = openPool(ctx, c.DatabaseURL, 3); err != nil {
		return err
	}
	defer c.pool.Close()

	written, settled := make(chan struct{}), make(chan struct{})
	g, working := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(written)
		return c.write(working)
	})
	g.Go(func() error {
		defer close(settled)
		return c.recorder.Settle(working, c.pool, written, drainTimeout)
	})
	g.Go(func() error { return c.change(working, settled) })
	g.Go(func() error { return c.cut(working, written) })
	if err := g.Wait(); err != nil {
		return err
	}
	c.progress("all activities are settled; waiting for the clients")
	ctx, cancel := context.WithTimeout(ctx, reconnectTimeout)
	defer cancel()
	if err := c.set.AwaitConnected(ctx); err != nil {
		return err
	}
	err = c.set.Barrier(ctx)
	for _, failure := range c.set.Failures() {
		c.progress("a connection: %v", failure)
	}
	return err
}

func (c *churnRun) write(ctx context.Context) error {
	random := rand.New(rand.NewPCG(c.Seed, 101))
	rate := Rate{PerSecond: c.Rate, Duration: c.Duration}
	return AtRate(ctx, rate, func(n int) func(context.Context) error {
		envelope := c.world.Envelope(random, n)
		return func(ctx context.Context) error {
			recorded, times, err := CommitActivity(ctx, c.Pool, envelope)
			if err == nil {
				c.recorder.Committed(recorded, times)
			}
			return err
		}
	})
}

// change makes one change after the other until settled is closed.
func (c *churnRun) change(ctx context.Context, settled <-chan struct{}) error {
	if c.Changes <= 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(c.Seed, 103))
	rate := Rate{PerSecond: c.Changes, Until: settled, Concurrency: 1}
	return AtRate(ctx, rate, func(int) func(context.Context) error {
		return func(ctx context.Context) error { return c.changeOnce(ctx, random) }
	})
}

func (c *churnRun) changeOnce(ctx context.Context, random *rand.Rand) error {
	tenant := random.IntN(len(c.world.Tenants))
	change := c.world.Tenants[tenant].Next(random)
	made := oracle.Change{Sent: time.Now(), Apply: change.Apply}
	tag, err := c.pool.Exec(ctx, change.SQL, change.Args...)
	made.Returned = time.Now()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("change of %s: %w", change.Kind, err)
	case tag.RowsAffected() != 1:
		return fmt.Errorf("change of %s: %d rows, want 1: the model differs from the database",
			change.Kind, tag.RowsAffected())
	}
	c.changes[tenant] = append(c.changes[tenant], made)
	c.kinds[change.Kind]++
	return nil
}

// cut cuts connections until written is closed. It cuts those of every fourth client, so that the
// other clients stay connected.
func (c *churnRun) cut(ctx context.Context, written <-chan struct{}) error {
	if c.Cuts <= 0 || len(c.set.Clients) < 4 {
		return nil
	}
	random := rand.New(rand.NewPCG(c.Seed, 102))
	rate := Rate{PerSecond: c.Cuts, Until: written}
	return AtRate(ctx, rate, func(int) func(context.Context) error {
		client := c.set.Clients[random.IntN(len(c.set.Clients)/4)*4]
		d := time.Duration(random.Int64N(int64(c.MaxCut)))
		return func(context.Context) error { client.Cut(d); return nil }
	})
}

// judge compares the evidence with the oracle, which replays the changes on the first world.
func (c *churnRun) judge(ctx context.Context, first *churn.World) (*ChurnResult, error) {
	r := &ChurnResult{Clients: len(c.set.Clients), Rate: c.Rate, Changes: c.kinds}
	commits := c.recorder.Commits()
	r.Activities = len(commits)
	if err := readPlaces(ctx, c.Environment.Pool, commits); err != nil {
		return nil, err
	}
	evidence := &Evidence{Expected: map[uuid.UUID]Expected{}, Clients: c.set.Drain()}
	if err := evidence.readInbox(ctx, c.Environment.Pool); err != nil {
		return nil, err
	}
	for i, t := range first.Tenants {
		var windows []oracle.Window
		initially := map[uuid.UUID]map[uuid.UUID]oracle.Delivery{}
		for _, commit := range commits {
			if commit.TenantID == t.ID {
				w := window(commit)
				windows, initially[w.ID] = append(windows, w), t.Model.Recipients(w.Activity)
			}
		}
		for id, x := range oracle.Expect(t.Model, c.changes[i], windows) {
			evidence.Expected[id] = Expected{TenantID: t.ID, CommitTimes: commits[id].CommitTimes, Expectation: x}
			r.MustNot += len(t.People) - len(x.Push)
			r.States += float64(x.States) / float64(len(commits))
			r.Altered += altered(x, initially[id])
		}
	}
	r.fill(Judge(evidence))
	if share := r.Undecided(); share > c.MaxUndecided {
		err := fmt.Errorf("%.1f%% undecided: activities are pending for too long", 100*share)
		r.violations = append(r.violations, err)
	}
	return r, nil
}

// readPlaces sets the owner and the parent that the log has of each activity's resource. The
// directory filled in those that the envelope did not give, and a writer does not learn them.
func readPlaces(ctx context.Context, pool *pgxpool.Pool, commits map[uuid.UUID]*Commit) error {
	rows, err := pool.Query(ctx, "SELECT id, owner_id, parent_id FROM fanfare.activities")
	if err != nil {
		return err
	}
	var id uuid.UUID
	var owner, parent zeronull.UUID
	_, err = pgx.ForEachRow(rows, []any{&id, &owner, &parent}, func() error {
		if c := commits[id]; c != nil {
			c.OwnerID, c.ParentID = uuid.UUID(owner), uuid.UUID(parent)
		}
		return nil
	})
	return err
}

func window(c *Commit) oracle.Window {
	return oracle.Window{Committed: c.Sent, Settled: c.Settled, Activity: oracle.Activity{
		ID: c.ID, Resource: c.ResourceID, Actor: c.ActorPrincipalID, Targets: c.TargetPrincipalIDs,
		Owner: c.OwnerID, Parent: c.ParentID, Action: c.Action, Visibility: string(c.Visibility),
	}}
}

// altered counts the principals that are recipients and initially were not, or the opposite.
func altered(x oracle.Expectation, initially map[uuid.UUID]oracle.Delivery) (n int) {
	for principal, class := range x.Push {
		if class == oracle.Must && !initially[principal].Push {
			n++
		}
	}
	for principal, delivery := range initially {
		if delivery.Push && x.Push[principal] == oracle.MustNot {
			n++
		}
	}
	return n
}

func (r *ChurnResult) fill(found *Result) {
	r.Must, r.May, r.Received, r.MayReceived = found.Must, found.May, found.Received, found.MayReceived
	r.Repeats = len(found.Repeated)
	r.MissedConnected, r.MissedReconnected = len(found.MissedConnected), len(found.MissedReconnected)
	r.MissedBeyondGaps = found.MissedBeyondGaps
	r.Unexpected, r.Phantoms, r.Foreign = len(found.Unexpected), len(found.Phantom), len(found.Foreign)
	r.Connected, r.Disconnects, r.Gaps = found.Connected, found.Disconnects, found.Gaps
	r.InboxMissing = len(found.InboxMissing)
	r.InboxUnexpected = len(found.InboxUnexpected) + len(found.InboxDuplicates)
	r.DeadLetters = found.DeadLetters
	r.Returned, r.Sent = NewPercentiles(found.LatencyReturned), NewPercentiles(found.LatencySent)
	r.violations = found.Violations()
}
