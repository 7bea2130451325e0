package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestClaimLosesNothing runs transactions and claims in random orders, without a full sweep: the
// rows that the hints leave visible to a claim must be enough. Writers of one resource take turns,
// as they do behind a row lock.
func TestClaimLosesNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	resources := sameLane(t, db.Pool, 4)
	rapid.Check(t, func(rt *rapid.T) {
		m := &claimMachine{
			t:         rt,
			ctx:       context.Background(),
			pool:      db.Pool,
			resources: resources,
			delivered: map[uuid.UUID]int{},
		}
		defer m.close()
		m.exec("DELETE FROM fanfare.outbox")
		for range 3 {
			m.claimers = append(m.claimers, &memory{})
		}
		rt.Repeat(map[string]func(*rapid.T){
			"begin":     m.begin,
			"id":        m.takeID,
			"write":     m.write,
			"undo":      m.undoSavepoint,
			"end":       m.end,
			"claim":     m.claim,
			"claim hot": m.claim,
			"probe":     m.probe,
			"defer":     m.deferTenants,
			"look":      m.look,
			"":          func(*rapid.T) {},
		})
		for len(m.open) > 0 {
			m.finish(0, "commit")
		}
		for name := range m.prepared {
			m.finishPrepared(name, true)
		}
		// A claimer that was there from the start must find the remaining rows.
		for range 200 {
			if m.claimWith(m.claimers[0], scope{limit: 3, backlog: 2}, false) == 0 {
				break
			}
		}
		for _, activity := range m.committed {
			if m.delivered[activity] != 1 {
				rt.Fatalf("activity %s: committed and delivered %d times, want 1", activity, m.delivered[activity])
			}
		}
		if len(m.delivered) != len(m.committed) {
			rt.Fatalf("delivered %d activities, want the %d committed", len(m.delivered), len(m.committed))
		}
	})
}

// TestClaimSeesBeyondXmax covers the subtle cases: xmax is only the last completed id plus one, so
// a transaction beyond it, which no snapshot lists, may already have a lower seq; and the snapshot
// that the hints get is older than that of the claim.
func TestClaimSeesBeyondXmax(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	begin := func() pgx.Tx {
		tx, err := db.Pool.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { rollback(ctx, tx) })
		if _, err := tx.Exec(ctx, "SELECT pg_current_xact_id()"); err != nil {
			t.Fatal(err)
		}
		return tx
	}
	write := func(tx pgx.Tx) (seq int64) {
		if err := tx.QueryRow(ctx, `
			INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
			VALUES ($1, gen_random_uuid(), $2, gen_random_uuid(), now())
			RETURNING seq`, testLane, testTenant).Scan(&seq); err != nil {
			t.Fatal(err)
		}
		return seq
	}
	var m memory
	take := func() (seq int64, err error) {
		tx, err := db.Pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginClaim})
		if err != nil {
			return 0, err
		}
		defer rollback(ctx, tx)
		c, err := claim(ctx, tx, testLane, &m, scope{limit: 100, longest: time.Minute})
		if err != nil {
			return 0, err
		}
		s := plan(testLane, c.items, make([]Outcome, len(c.items)), c.cut, Retries{}.orDefault(), randomJitter)
		self, err := s.apply(ctx, tx)
		if err != nil {
			return 0, err
		}
		if err := tx.Commit(ctx); err != nil {
			return 0, err
		}
		m.update(c, s.removed, self)
		if len(c.items) != 1 {
			return 0, fmt.Errorf("got %d rows, want 1", len(c.items))
		}
		return s.removed[others].last, nil
	}
	a, b := begin(), begin()
	low, high := write(b), write(a)
	if err := a.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := take(); got != high {
		t.Fatalf("with B open: got %v, %v, want %v", got, err, high)
	}
	if err := b.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := take(); got != low {
		t.Fatalf("after B has committed: got %v, %v, want %v", got, err, low)
	}

	// A commits between the snapshot that the hints get and that of the claim.
	a, b = begin(), begin()
	low, high = write(b), write(a)
	between := begin()
	if _, err := between.Exec(ctx, "LOCK TABLE fanfare.parked"); err != nil {
		t.Fatal(err)
	}
	taken := make(chan func() (int64, error), 1)
	go func() {
		seq, err := take()
		taken <- func() (int64, error) { return seq, err }
	}()
	waittest.Query(t, db.Pool, "the claim waits",
		"SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'fanfare.parked'::regclass AND NOT granted)")
	if err := errors.Join(a.Commit(ctx), between.Commit(ctx)); err != nil {
		t.Fatal(err)
	}
	if got, err := (<-taken)(); got != high {
		t.Fatalf("A has committed meanwhile: got %v, %v, want %v", got, err, high)
	}
	if err := b.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := take(); got != low {
		t.Fatalf("after B has committed, too: got %v, %v, want %v", got, err, low)
	}
}

const testLane = 5

// sameLane returns resources of one lane.
func sameLane(t testing.TB, pool *pgxpool.Pool, n int) []uuid.UUID {
	t.Helper()
	var found []uuid.UUID
	for len(found) < n {
		id := uuid.New()
		var lane int
		if err := pool.QueryRow(context.Background(), `SELECT fanfare.lane_of($1, $2)`, testTenant,
			id).Scan(&lane); err != nil {
			t.Fatal(err)
		}
		if lane == testLane {
			found = append(found, id)
		}
	}
	return found
}

var testTenant = uuid.MustParse("11111111-1111-4111-8111-111111111111")

// tenantOf returns the tenant of a resource of the property tests: one of three.
func tenantOf(resource uuid.UUID) uuid.UUID {
	tenant := testTenant
	tenant[0] = resource[0] % 3
	return tenant
}

type writer struct {
	tx    pgx.Tx
	wrote []uuid.UUID
	of    map[uuid.UUID][]uuid.UUID // resource → activities, in order
}

type claimMachine struct {
	t         *rapid.T
	ctx       context.Context
	pool      *pgxpool.Pool
	resources []uuid.UUID
	claimers  []*memory
	open      []*writer
	prepared  map[string]*writer
	locked    map[uuid.UUID]bool // resources that an open transaction has changed
	order     map[uuid.UUID][]uuid.UUID
	committed []uuid.UUID
	delivered map[uuid.UUID]int
	got       map[uuid.UUID]int // the number of delivered activities of order[resource]
	names     int
	still     quiet             // by all probes
	probed    map[uuid.UUID]int // committed rows of each resource at the latest probe
	waiting   uuid.UUID         // the resource whose activities the next claim leaves pending
}

func (m *claimMachine) exec(sql string, args ...any) {
	if _, err := m.pool.Exec(m.ctx, sql, args...); err != nil {
		m.t.Fatalf("%s: %v", sql, err)
	}
}

func (m *claimMachine) close() {
	for _, w := range m.open {
		_ = w.tx.Rollback(m.ctx)
	}
	for name := range m.prepared {
		_, _ = m.pool.Exec(m.ctx, fmt.Sprintf("ROLLBACK PREPARED '%s'", name))
	}
}

func (m *claimMachine) begin(t *rapid.T) {
	if len(m.open) >= 6 {
		t.Skip("enough writers")
	}
	tx, err := m.pool.Begin(m.ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.open = append(m.open, &writer{tx: tx, of: map[uuid.UUID][]uuid.UUID{}})
}

func (m *claimMachine) pick(t *rapid.T) *writer {
	if len(m.open) == 0 {
		t.Skip("no writer")
	}
	return m.open[rapid.IntRange(0, len(m.open)-1).Draw(t, "writer")]
}

// takeID assigns a writer its transaction id long before it records.
func (m *claimMachine) takeID(t *rapid.T) {
	w := m.pick(t)
	if _, err := w.tx.Exec(m.ctx, "SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
}

func (m *claimMachine) write(t *rapid.T) {
	w := m.pick(t)
	resource := rapid.SampledFrom(m.resources).Draw(t, "resource")
	if m.locked[resource] && w.of[resource] == nil {
		t.Skip("another writer holds the resource")
	}
	m.insert(w, resource)
}

// insert writes to the outbox as fanfare.record_activity does: the transaction's id first, then the
// seq.
func (m *claimMachine) insert(w *writer, resource uuid.UUID) {
	id := uuid.Must(uuid.NewV7())
	if _, err := w.tx.Exec(m.ctx, `
		WITH id AS MATERIALIZED (SELECT pg_current_xact_id())
		INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at) SELECT $1, $2, $3, $4, now()
		FROM id`,
		testLane, id, tenantOf(resource), resource); err != nil {
		m.t.Fatal(err)
	}
	if m.locked == nil {
		m.locked = map[uuid.UUID]bool{}
	}
	m.locked[resource] = true
	w.wrote = append(w.wrote, id)
	w.of[resource] = append(w.of[resource], id)
}

// undoSavepoint writes within a savepoint and rolls it back: its seq and its subtransaction's id
// are unused.
func (m *claimMachine) undoSavepoint(t *rapid.T) {
	w := m.pick(t)
	sub, err := w.tx.Begin(m.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sub.Exec(m.ctx, `
		INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
		VALUES ($1, $2, $3, $2, now())`,
		testLane, uuid.New(), testTenant); err != nil {
		t.Fatal(err)
	}
	if err := sub.Rollback(m.ctx); err != nil {
		t.Fatal(err)
	}
}

func (m *claimMachine) end(t *rapid.T) {
	if len(m.prepared) > 0 && rapid.Bool().Draw(t, "a prepared one") {
		names := make([]string, 0, len(m.prepared))
		for name := range m.prepared {
			names = append(names, name)
		}
		slices.Sort(names)
		m.finishPrepared(rapid.SampledFrom(names).Draw(t, "name"), rapid.Bool().Draw(t, "commit"))
		return
	}
	if len(m.open) == 0 {
		t.Skip("no writer")
	}
	m.finish(
		rapid.IntRange(0, len(m.open)-1).Draw(t, "writer"),
		rapid.SampledFrom([]string{"commit", "commit", "rollback", "prepare"}).Draw(t, "how"),
	)
}

func (m *claimMachine) finish(i int, how string) {
	w := m.open[i]
	m.open = slices.Delete(m.open, i, i+1)
	var err error
	switch how {
	case "commit":
		err = w.tx.Commit(m.ctx)
		m.settle(w, true)
	case "rollback":
		err = w.tx.Rollback(m.ctx)
		m.settle(w, false)
	case "prepare":
		m.names++
		name := fmt.Sprintf("p%d", m.names)
		if _, err = w.tx.Exec(m.ctx, fmt.Sprintf("PREPARE TRANSACTION '%s'", name)); err == nil {
			err = w.tx.Rollback(m.ctx) // ends pgx's side; the server's is detached
		}
		if m.prepared == nil {
			m.prepared = map[string]*writer{}
		}
		m.prepared[name] = w
	}
	if err != nil {
		m.t.Fatalf("%s: %v", how, err)
	}
}

func (m *claimMachine) finishPrepared(name string, commit bool) {
	w := m.prepared[name]
	delete(m.prepared, name)
	how := "ROLLBACK"
	if commit {
		how = "COMMIT"
	}
	m.exec(fmt.Sprintf("%s PREPARED '%s'", how, name))
	m.settle(w, commit)
}

func (m *claimMachine) settle(w *writer, committed bool) {
	if m.order == nil {
		m.order, m.got = map[uuid.UUID][]uuid.UUID{}, map[uuid.UUID]int{}
	}
	for resource, ids := range w.of {
		delete(m.locked, resource)
		if committed {
			m.order[resource] = append(m.order[resource], ids...)
		}
	}
	if committed {
		m.committed = append(m.committed, w.wrote...)
	}
}

func (m *claimMachine) claim(t *rapid.T) {
	claimer := rapid.SampledFrom(m.claimers).Draw(t, "claimer")
	m.waiting = rapid.SampledFrom(append([]uuid.UUID{uuid.Nil}, m.resources...)).Draw(t, "waiting")
	m.claimWith(claimer, scope{
		limit: rapid.IntRange(1, 6).Draw(t, "limit"), backlog: rapid.IntRange(0, 4).Draw(t, "limit of the backlog"),
	}, rapid.IntRange(0, 4).Draw(t, "fails") == 0)
	m.waiting = uuid.Nil
}

// deferTenants changes which tenants a claimer defers, at any time.
func (m *claimMachine) deferTenants(t *rapid.T) {
	claimer := rapid.SampledFrom(m.claimers).Draw(t, "claimer")
	if rapid.IntRange(0, 3).Draw(t, "join") == 0 {
		claimer.join()
		return
	}
	claimer.deferTenants([]uuid.UUID{tenantOf(rapid.SampledFrom(m.resources).Draw(t, "resource"))})
}

// claimWith claims as Worker.deliver does, and checks the order of the claimed rows.
func (m *claimMachine) claimWith(claimer *memory, of scope, fails bool) int {
	tx, err := m.pool.BeginTx(m.ctx, pgx.TxOptions{BeginQuery: beginClaim})
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(m.ctx) }()
	of.longest = time.Minute
	c, err := claim(m.ctx, tx, testLane, claimer, of)
	if err != nil || !c.held {
		m.t.Fatalf("claim: held %v, %v", c.held, err)
	}
	if len(c.items) == 0 && !claimer.passed(c) {
		claimer.update(c, [parts]removal{}, 0)
		return 0
	}
	if fails {
		return len(c.items)
	}
	// The rows that these tests insert have no activity.
	outcomes := make([]Outcome, len(c.items))
	for i, item := range c.items {
		if item.ResourceID == m.waiting {
			outcomes[i] = Outcome{Verdict: Pending, Err: ErrUnavailable}
		}
	}
	s := plan(testLane, c.items, outcomes, c.cut, Retries{}.orDefault(), randomJitter)
	self, err := s.apply(m.ctx, tx)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := tx.Commit(m.ctx); err != nil {
		m.t.Fatal(err)
	}
	claimer.update(c, s.removed, self)
	for _, item := range c.items {
		if item.ResourceID == m.waiting {
			continue
		}
		m.delivered[item.ID]++
		order := m.order[item.ResourceID]
		next := m.got[item.ResourceID]
		if next >= len(order) || order[next] != item.ID {
			m.t.Fatalf(
				"resource %s: got %s as number %d, want the order %s",
				item.ResourceID,
				item.ID,
				next,
				strings.Join(texts(order), " "),
			)
		}
		m.got[item.ResourceID]++
	}
	return len(c.items)
}

// probe probes as a worker does before a claim, and must not miss a row that a claim would find.
func (m *claimMachine) probe(t *rapid.T) {
	claimer := rapid.SampledFrom(m.claimers).Draw(t, "claimer")
	queued := rapid.Bool().Draw(t, "queued")
	found, err := probeLanes(m.ctx, m.pool, []target{{
		lane: &lane{number: testLane}, memory: *claimer, queued: queued,
	}}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var want workIn
	for resource, ids := range m.order {
		of := others
		if slices.Contains(claimer.deferred, tenantOf(resource)) {
			of = backlog
		}
		want[of] = want[of] || len(ids) > m.got[resource]
	}
	if queued {
		want[backlog] = false
	}
	if got := found.lanes[testLane]; got != want {
		t.Fatalf("probe: got work %v, want %v", got, want)
	}
	m.still.note(found, !queued, time.Now())
	m.probed = map[uuid.UUID]int{}
	for resource, ids := range m.order {
		m.probed[resource] = len(ids)
	}
	if want == (workIn{}) && !queued {
		after := rapid.SampledFrom([]int64{0, passAfter}).Draw(t, "passes after")
		claimer.update(found.asClaim(claimer.hints[others].pos, after), [parts]removal{}, found.nextXID)
	}
}

// look looks as a worker does instead of a probe, and must not miss a row that was committed since
// the latest one.
func (m *claimMachine) look(t *rapid.T) {
	if m.still.bound == 0 {
		t.Skip("nothing is known")
	}
	w := NewWorker(m.pool, scribe{}, Options{})
	if !w.lookAt(m.ctx, &m.still) {
		return
	}
	for resource, ids := range m.order {
		if n := len(ids); n > m.probed[resource] {
			t.Fatalf("a look missed rows of %s: got %d committed, %d at the probe", resource, n, m.probed[resource])
		}
	}
}

func texts(ids []uuid.UUID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

// TestClaimPlan checks that the claim reads the index in its order, on a table that an old snapshot
// has bloated and whose statistics are stale.
func TestClaimPlan(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	reader, err := db.Pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer rollback(ctx, reader)
	if _, err := reader.Exec(ctx, "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
		 SELECT n % 64, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now()
		 FROM generate_series(1, 100000) AS n`,
		"ANALYZE fanfare.outbox", "DELETE FROM fanfare.outbox", "ANALYZE fanfare.outbox",
		`INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
		 SELECT n % 64, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now()
		 FROM generate_series(1, 640) AS n`,
	} {
		if _, err := db.Pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	tx := beginHeld(t, db)
	claimed, buffers := explain(t, tx, claimLane, testLane, 500, int64(100000), []string{}, []int64{}, float64(60),
		[]pgtype.UUID{{Bytes: testTenant, Valid: true}}, int64(100000), []string{}, []int64{}, 500)
	for _, table := range []string{"outbox", "parked", "fan_out_jobs", "activities"} {
		if strings.Contains(claimed, "Seq Scan on "+table) {
			t.Errorf("the claim reads %s from end to end:\n%s", table, claimed)
		}
	}
	if strings.Contains(claimed, "Bitmap Heap Scan on outbox") {
		t.Errorf("the claim sorts all rows of the lane:\n%s", claimed)
	}
	if buffers > 400 {
		t.Errorf(
			"got %d buffers for a claim of 10 rows behind 1,562 dead ones, want 400 at most:\n%s",
			buffers,
			claimed,
		)
	}
	var places []pgtype.TID
	if err := tx.QueryRow(ctx, `SELECT array_agg(ctid) FROM (SELECT ctid FROM fanfare.outbox WHERE lane = $1
		AND seq > 100000) AS o`, testLane).Scan(&places); err != nil {
		t.Fatal(err)
	}
	removed, buffers := explain(t, tx, removeOutbox, places)
	if buffers > 100 || !strings.Contains(removed, "Tid Scan on outbox") || len(places) != 10 {
		t.Errorf(
			"got %d buffers for the removal of %d rows behind 1,562 dead ones, want 100 at most and 10:\n%s",
			buffers,
			len(places),
			removed,
		)
	}
}

// TestClaimPlanOutlivesASmallTable makes the plan of the claim while the outbox is small, as
// a worker does that starts then. It must not read a whole lane later.
func TestClaimPlanOutlivesASmallTable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	tx := beginHeld(t, db)
	add := fmt.Sprintf(`
		INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
		SELECT mod(n, 64), gen_random_uuid(), '%s', gen_random_uuid(), now()
		FROM generate_series(1, %%d) AS n`, testTenant)
	execute := fmt.Sprintf(`EXECUTE claim (%d, 500, 0, '{}', '{}', 60, '{%s}', 0, '{}', '{}', 500)`,
		testLane, testTenant)
	for _, sql := range []string{
		fmt.Sprintf(add, 640), "ANALYZE fanfare.outbox", "PREPARE claim AS " + claimLane, execute,
		fmt.Sprintf(add, 100_000),
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	plan, _ := explain(t, tx, execute)
	if strings.Contains(plan, "Bitmap Heap Scan on outbox") {
		t.Errorf("the claim sorts all rows of the lane:\n%s", plan)
	}
}

// beginHeld begins a claim that holds the lane testLane, until the end of the test.
func beginHeld(t *testing.T, db *pgtest.DB) pgx.Tx {
	t.Helper()
	ctx := t.Context()
	tx, err := db.Pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginClaim})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rollback(ctx, tx) })
	if _, err := tx.Exec(ctx, lockLane, LaneLockClass, testLane, int64(0), []pgtype.UUID{}); err != nil {
		t.Fatal(err)
	}
	return tx
}

// explain runs a statement and returns its plan and the number of buffers that it touched.
func explain(t *testing.T, tx pgx.Tx, sql string, args ...any) (plan string, buffers int) {
	t.Helper()
	rows, err := tx.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS) "+sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	plan = strings.Join(lines, "\n")
	_, counts, found := strings.Cut(plan, "Buffers: shared hit=")
	if !found {
		t.Fatalf("no buffers in the plan:\n%s", plan)
	}
	if _, err := fmt.Sscanf(counts, "%d", &buffers); err != nil {
		t.Fatalf("%s: %v", counts, err)
	}
	return plan, buffers
}

// TestWorkersDieAtAnyStatement terminates the connections of several workers at random, while
// writers commit late, out of order, or not at all. The handler writes in the settling transaction,
// so its table shows the settled activities.
func TestWorkersDieAtAnyStatement(t *testing.T) {
	t.Parallel()
	chaos(t, 1500*time.Millisecond)
}
