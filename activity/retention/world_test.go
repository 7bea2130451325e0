package retention_test

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

const day = 24 * time.Hour

// entry is an activity with its dependent rows. Its ages are n days and a half, so that no test
// depends on the boundary of a day.
type entry struct {
	id, tenant, resource, actor, correlation uuid.UUID
	age                                      int
	pending                                  string // the table that it is pending in; "" is none
	since                                    int    // the age in days at which it was parked or became a dead letter
	key                                      bool
	notified                                 []uuid.UUID
	action                                   string // "" is signal.created
}

// world is a database that a test fills with old activities.
type world struct {
	testing.TB
	db      *pgtest.DB
	now     time.Time
	entries []entry
	written int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, db: pgtest.New(t)}
	w.scan(&w.now, `SELECT now()`)
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	if _, err := w.db.Pool.Exec(w.Context(), sql, args...); err != nil {
		w.Fatalf("%v\n%s", err, sql)
	}
}

func (w *world) scan(into any, sql string, args ...any) {
	w.Helper()
	if err := w.db.Pool.QueryRow(w.Context(), sql, args...).Scan(into); err != nil {
		w.Fatalf("%v\n%s", err, sql)
	}
}

func (w *world) count(sql string, args ...any) (n int64) {
	w.Helper()
	w.scan(&n, sql, args...)
	return n
}

// ago returns the time that corresponds to an age.
func (w *world) ago(days int) time.Time { return w.now.Add(-time.Duration(days)*day - 12*time.Hour) }

// months creates the partitions of the previous months.
func (w *world) months(back int) {
	w.Helper()
	first := time.Date(w.now.UTC().Year(), w.now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	for i := 1; i <= back; i++ {
		if _, err := retention.EnsurePartition(w.Context(), w.db.Pool, first.AddDate(0, -i, 0)); err != nil {
			w.Fatal(err)
		}
	}
}

// add assigns ids to entries and stores them.
func (w *world) add(entries ...entry) {
	w.Helper()
	batch := &pgx.Batch{}
	for i := range entries {
		e := &entries[i]
		w.written++
		e.correlation = uuid.New()
		e.id = idAt(w.ago(e.age), w.written)
		at := w.ago(e.age)
		batch.Queue(`
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				occurred_at, recorded_at,
				resource_type, action, visibility, status, severity, category, delivery_channels, payload)
			VALUES ($1, $2, $3, $4, $5, $6, $6, 'signal', $7, 'resource', 'success', 'info', 'signal', '{}', '{}')`,
			e.id, e.tenant, e.actor, e.resource, e.correlation, at, cmp.Or(e.action, "signal.created"))
		if e.key {
			batch.Queue(
				`
					INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, action, resource_id, activity_id)
					VALUES ($1, $2, 'signal.created', $3, $4)`,
				e.tenant,
				e.correlation,
				e.resource,
				e.id,
			)
		}
		for _, principal := range e.notified {
			batch.Queue(
				`
					INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id,
						visibility, party)
					VALUES ($1, $2, $3, 1, $2, 'r', false)`,
				e.tenant,
				principal,
				e.id,
			)
		}
		since := w.ago(e.since)
		switch e.pending {
		case "outbox":
			batch.Queue(
				`
					INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
					VALUES (fanfare.lane_of($2, $3), $1, $2, $3, $4)`,
				e.id,
				e.tenant,
				e.resource,
				at,
			)
		case "parked":
			batch.Queue(
				`
					INSERT INTO fanfare.parked (lane, seq, activity_id, tenant_id, resource_id, recorded_at,
						parked_at, retry_at)
				VALUES (fanfare.lane_of($2, $3), $6, $1, $2, $3, $4, $5, now() + interval '1 day')`,
				e.id,
				e.tenant,
				e.resource,
				at,
				since,
				w.written,
			)
		case "fan_out_jobs":
			batch.Queue(
				`
					INSERT INTO fanfare.fan_out_jobs (activity_id, lane, seq, tenant_id, resource_id, recorded_at)
					VALUES ($1, fanfare.lane_of($2, $3), $5, $2, $3, $4)`,
				e.id,
				e.tenant,
				e.resource,
				at,
				w.written,
			)
		case "dead_letters":
			batch.Queue(
				`
					INSERT INTO fanfare.dead_letters (activity_id, lane, seq, tenant_id, resource_id, recorded_at,
						died_at, attempts, error)
				VALUES ($1, fanfare.lane_of($2, $3), $6, $2, $3, $4, $5, 10, 'unreachable')`,
				e.id,
				e.tenant,
				e.resource,
				at,
				since,
				w.written,
			)
		}
	}
	if err := w.db.Pool.SendBatch(w.Context(), batch).Close(); err != nil {
		w.Fatal(err)
	}
	w.entries = append(w.entries, entries...)
}

// policy sets a tenant's limits without recording the change.
func (w *world) policy(tenant uuid.UUID, bounds map[retention.Field]int64) {
	w.Helper()
	w.exec(
		`
			INSERT INTO fanfare.retention (tenant_id)
			SELECT $1::uuid
			WHERE $1::uuid <> '00000000-0000-0000-0000-000000000000'
			ON CONFLICT DO NOTHING`,
		tenant,
	)
	for f, value := range bounds {
		w.exec(`UPDATE fanfare.retention SET `+string(f)+` = $2 WHERE tenant_id = $1`, tenant, value)
	}
}

func (w *world) hold(tenant uuid.UUID, resource, actor *uuid.UUID) {
	w.Helper()
	w.exec(
		`
			INSERT INTO fanfare.legal_holds (id, tenant_id, resource_id, actor_principal_id, created_by, reason)
			VALUES (gen_random_uuid(), $1, $2, $3, $1, 'a case')`,
		tenant,
		resource,
		actor,
	)
}

func (w *world) runner() *retention.Runner {
	return retention.NewRunner(w.db.Pool, retention.Options{Batch: 7, DropTries: 1})
}

func (w *world) run() retention.Report {
	w.Helper()
	report, err := w.runner().Run(w.Context(), uuid.Nil, nil)
	if err != nil {
		w.Fatalf("run: %v", err)
	}
	return report
}

// state lists the rows of the tables by the ids of their activities.
type state struct {
	Activities, Keys, Outbox, Parked, Jobs, Dead []uuid.UUID
	Notifications                                []string
}

func (w *world) state() (s state) {
	w.Helper()
	for _, of := range []struct {
		into *[]uuid.UUID
		from string
	}{
		{&s.Activities, `SELECT id FROM fanfare.activities WHERE action !~ '^retention'`},
		{&s.Keys, `SELECT activity_id FROM fanfare.idempotency_keys WHERE action !~ '^retention'`},
		{
			&s.Outbox,
			`
				SELECT o.activity_id
				FROM fanfare.outbox o
				JOIN fanfare.activities a ON a.id = o.activity_id
				WHERE a.action !~ '^retention'`,
		},
		{&s.Parked, `SELECT activity_id FROM fanfare.parked`},
		{&s.Jobs, `SELECT activity_id FROM fanfare.fan_out_jobs`},
		{&s.Dead, `SELECT activity_id FROM fanfare.dead_letters`},
	} {
		w.scan(of.into, `SELECT coalesce(array_agg(x ORDER BY x), '{}') FROM (`+of.from+`) AS t(x)`)
	}
	w.scan(
		&s.Notifications,
		`
			SELECT coalesce(array_agg(x ORDER BY x COLLATE "C"), '{}')
			FROM (SELECT principal_id || ' ' || activity_id FROM fanfare.notifications) AS t(x)`,
	)
	return s
}

// oracle returns the rows that must remain after one run, and the removed rows of each tenant. It
// is independent of partitions, batches and cursors.
func oracle(
	entries []entry,
	policies map[uuid.UUID]map[retention.Field]int64,
	installation map[retention.Field]int64,
	held func(e entry) bool,
) (s state, removed map[uuid.UUID]retention.Counts) {
	removed = map[uuid.UUID]retention.Counts{}
	s.Notifications = []string{}
	for _, ids := range []*[]uuid.UUID{&s.Activities, &s.Keys, &s.Outbox, &s.Parked, &s.Jobs, &s.Dead} {
		*ids = []uuid.UUID{}
	}
	byTenant := map[uuid.UUID][]entry{}
	for _, e := range entries {
		byTenant[e.tenant] = append(byTenant[e.tenant], e)
	}
	for tenant, own := range byTenant {
		limit := func(f retention.Field) int64 {
			if v, ok := policies[tenant][f]; ok {
				if f == retention.MinDays {
					return max(v, installation[f])
				}
				return v
			}
			return installation[f]
		}
		expired := func(days int, f retention.Field) bool { return limit(f) > 0 && int64(days) >= limit(f) }
		slices.SortFunc(own, func(a, b entry) int { return -cmp.Compare(a.id.String(), b.id.String()) })
		count := removed[tenant]
		for newer, e := range own {
			if e.pending == "parked" && expired(e.since, retention.ParkedDays) {
				e.pending, e.since = "dead_letters", -1
				count.Parked++
			}
			if e.pending == "dead_letters" && expired(e.since, retention.DeadLetterDays) {
				e.pending = ""
				count.DeadLetters++
			}
			expiredOrExcess := expired(e.age, retention.MaxDays) ||
				limit(retention.MaxEntries) > 0 && int64(newer) >= limit(retention.MaxEntries)
			remove := expiredOrExcess && int64(e.age) >= limit(retention.MinDays) && e.pending == "" && !held(e)
			if remove {
				count.Activities++
			} else {
				s.Activities = append(s.Activities, e.id)
			}
			if e.key {
				if remove || expired(e.age, retention.IdempotencyDays) {
					count.IdempotencyKeys++
				} else {
					s.Keys = append(s.Keys, e.id)
				}
			}
			for _, principal := range e.notified {
				if remove || expired(e.age, retention.InboxDays) {
					count.Notifications++
				} else {
					s.Notifications = append(s.Notifications, principal.String()+" "+e.id.String())
				}
			}
			switch e.pending {
			case "outbox":
				s.Outbox = append(s.Outbox, e.id)
			case "parked":
				s.Parked = append(s.Parked, e.id)
			case "fan_out_jobs":
				s.Jobs = append(s.Jobs, e.id)
			case "dead_letters":
				s.Dead = append(s.Dead, e.id)
			}
		}
		removed[tenant] = count
	}
	for _, ids := range []*[]uuid.UUID{&s.Activities, &s.Keys, &s.Outbox, &s.Parked, &s.Jobs, &s.Dead} {
		slices.SortFunc(*ids, func(a, b uuid.UUID) int { return cmp.Compare(a.String(), b.String()) })
	}
	slices.Sort(s.Notifications)
	maps.DeleteFunc(removed, func(_ uuid.UUID, c retention.Counts) bool { return c == retention.Counts{} })
	return s, removed
}

// recorded returns the purged rows according to the tenants' logs.
func (w *world) recorded() map[uuid.UUID]retention.Counts {
	w.Helper()
	rows, err := w.db.Pool.Query(
		w.Context(),
		`SELECT tenant_id, payload FROM fanfare.activities WHERE action = 'retention.purged'`,
	)
	if err != nil {
		w.Fatal(err)
	}
	found := map[uuid.UUID]retention.Counts{}
	var (
		tenant  uuid.UUID
		payload []byte
	)
	if _, err := pgx.ForEachRow(rows, []any{&tenant, &payload}, func() error {
		var c retention.Counts
		if err := json.Unmarshal(payload, &c); err != nil {
			return err
		}
		if _, twice := found[tenant]; twice {
			w.Errorf("tenant %s: purged twice in one run's records", tenant)
		}
		found[tenant] = c
		return nil
	}); err != nil {
		w.Fatal(err)
	}
	return found
}

// idAt returns the nth UUIDv7 of a time.
func idAt(at time.Time, n int) uuid.UUID {
	var bits uuid.UUID
	binary.BigEndian.PutUint16(bits[6:], uint16(n))
	binary.BigEndian.PutUint32(bits[12:], uint32(n))
	return uuidv7.At(at, bits)
}
