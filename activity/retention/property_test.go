package retention_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity/retention"
)

// TestRunAgainstOracle runs retention with random activities, policies and holds, and compares the
// result with an oracle.
func TestRunAgainstOracle(t *testing.T) {
	t.Parallel()
	partitions := 0
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		defer w.db.Pool.Close()
		w.months(rapid.IntRange(0, 7).Draw(r, "months"))
		tenants := make([]uuid.UUID, rapid.IntRange(1, 3).Draw(r, "tenants"))
		policies := map[uuid.UUID]map[retention.Field]int64{}
		bounds := func(label string, least int) map[retention.Field]int64 {
			drawn := map[retention.Field]int64{}
			for _, f := range retention.Fields() {
				if least == 0 && !rapid.Bool().Draw(r, label+" sets "+string(f)) {
					continue
				}
				drawn[f] = rapid.SampledFrom([]int64{0, 0, 1, 5, 20, 60, 100}).Draw(r, label+" "+string(f))
			}
			return drawn
		}
		installation := bounds("installation", 1)
		w.policy(retention.Installation, installation)
		principals := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
		type scope struct{ tenant, resource, actor uuid.UUID }
		var holds []scope
		for i := range tenants {
			tenants[i] = uuid.New()
			policies[tenants[i]] = bounds("tenant", 0)
			w.policy(tenants[i], policies[tenants[i]])
			switch rapid.IntRange(0, 5).Draw(r, "hold") {
			case 0:
				w.hold(tenants[i], nil, nil)
				holds = append(holds, scope{tenant: tenants[i]})
			case 1:
				w.hold(tenants[i], &principals[0], nil)
				holds = append(holds, scope{tenant: tenants[i], resource: principals[0]})
			case 2:
				w.hold(tenants[i], nil, &principals[1])
				holds = append(holds, scope{tenant: tenants[i], actor: principals[1]})
			}
		}
		var entries []entry
		for range rapid.IntRange(0, 60).Draw(r, "entries") {
			e := entry{
				tenant:   rapid.SampledFrom(tenants).Draw(r, "tenant"),
				resource: rapid.SampledFrom(principals).Draw(r, "resource"),
				actor:    rapid.SampledFrom(principals).Draw(r, "actor"),
				age:      rapid.IntRange(0, 220).Draw(r, "age"),
				pending: rapid.SampledFrom([]string{
					"",
					"",
					"",
					"",
					"",
					"",
					"",
					"outbox",
					"parked",
					"fan_out_jobs",
					"dead_letters",
				}).
					Draw(r, "pending"),
				key: rapid.Bool().Draw(r, "key"),
			}
			e.since = rapid.IntRange(0, e.age).Draw(r, "since")
			e.notified = principals[:rapid.IntRange(0, len(principals)).Draw(r, "notified")]
			entries = append(entries, e)
		}
		w.add(entries...)
		want, removed := oracle(w.entries, policies, installation, func(e entry) bool {
			for _, h := range holds {
				if h.tenant == e.tenant && (h.resource == uuid.Nil || h.resource == e.resource) &&
					(h.actor == uuid.Nil || h.actor == e.actor) {
					return true
				}
			}
			return false
		})
		estimate, err := retention.DryRun(w.Context(), w.db.Pool, uuid.Nil, 1000, nil)
		if err != nil || !estimate.Exact {
			r.Fatalf("dry run: got %+v, %v", estimate, err)
		}
		report := w.run()
		partitions += len(report.Partitions)
		if diff := cmp.Diff(want, w.state()); diff != "" {
			r.Fatalf("remaining rows (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(removed, w.recorded()); diff != "" {
			r.Fatalf("recorded counts (-want +got):\n%s", diff)
		}
		total := retention.Counts{}
		for _, c := range removed {
			total.Activities += c.Activities
			total.Notifications += c.Notifications
			total.IdempotencyKeys += c.IdempotencyKeys
			total.DeadLetters += c.DeadLetters
			total.Parked += c.Parked
		}
		if report.Removed != total {
			r.Fatalf("the report: got %+v, want %+v", report.Removed, total)
		}
		// A dry run does not count activities whose dead letters are removed by the same run.
		if total.DeadLetters == 0 && estimate.Removed != total {
			r.Fatalf("dry run: got %+v, want %+v", estimate.Removed, total)
		}
		if n := w.count(`SELECT count(*) FROM fanfare.retention_unrecorded`); n != 0 {
			r.Fatalf("not recorded: got %d tenants, want 0", n)
		}
	})
	if partitions == 0 {
		t.Error("no check dropped a partition")
	}
}
