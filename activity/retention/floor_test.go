package retention_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/retention"
)

// TestTheInstallationsMinimumIsAFloor writes a tenant's own minimum past Set, as an earlier version
// may have left it, and raises the installation's after a tenant has set a lower one.
func TestTheInstallationsMinimumIsAFloor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MinDays: 0, retention.MaxEntries: 1})
	w.add(old(tenant, 3, 5)...)
	w.add(old(tenant, 3, 9)...)
	w.run()
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'signal.created'`); got != 3 {
		t.Errorf("left: got %d, want the 3 younger than the installation's minimum", got)
	}
	got, err := retention.Get(t.Context(), w.db.Pool, tenant)
	if want := (retention.Limit{Value: 7, From: retention.FromInstallation}); err != nil || got.MinDays != want {
		t.Errorf("the tenant's minimum: got %+v, %v, want %+v", got.MinDays, err, want)
	}

	other, actor := uuid.New(), uuid.New()
	for _, c := range []struct {
		whose uuid.UUID
		days  int64
	}{{other, 10}, {retention.Installation, 20}} {
		change := retention.Change{retention.MinDays: number(c.days)}
		if _, err := retention.Set(t.Context(), w.db.Pool, c.whose, actor, change); err != nil {
			t.Fatal(err)
		}
	}
	got, err = retention.Get(t.Context(), w.db.Pool, other)
	if want := (retention.Limit{Value: 20, From: retention.FromInstallation}); err != nil || got.MinDays != want {
		t.Errorf("a tenant's minimum below the raised one: got %+v, %v, want %+v", got.MinDays, err, want)
	}
	change := retention.Change{retention.MinDays: number(30)}
	got, err = retention.Set(t.Context(), w.db.Pool, other, actor, change)
	if err != nil || got.MinDays.Value != 30 || got.MinDaysFloor != 20 {
		t.Errorf("a minimum above the floor: got %+v, %v, want 30 and the floor 20", got, err)
	}
}

// logRecords returns the actions of the tenant's records of what was done to its log, without those
// of the runs of this test.
func (w *world) logRecords(tenant uuid.UUID) (actions []string) {
	w.Helper()
	w.scan(&actions, `
		SELECT coalesce(array_agg(action ORDER BY action), '{}') FROM fanfare.activities
		WHERE tenant_id = $1 AND action <> 'signal.created' AND recorded_at < now() - interval '1 day'`, tenant)
	return actions
}

// TestRecordsOutliveWhatTheyRecord removes months that contain records of what was done to the log,
// as whole partitions and in batches, and lets the minimum age pass.
func TestRecordsOutliveWhatTheyRecord(t *testing.T) {
	t.Parallel()
	records := []string{"activity.redacted", "retention.changed", "retention.hold_placed", "retention.purged"}
	for name, months := range map[string]int{"by partition": 4, "in batches": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.months(months)
			tenant := uuid.New()
			w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 10})
			w.add(old(tenant, 20, 70)...)
			for _, action := range records {
				e := old(tenant, 1, 69)[0]
				e.action = action
				w.add(e)
			}
			wantRecords := func(when string, want []string) {
				t.Helper()
				if got := w.logRecords(tenant); !slices.Equal(got, want) {
					t.Errorf("%s: got the records %q, want %q", when, got, want)
				}
			}
			removed := w.run().Removed.Activities
			if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'signal.created'`); got != 0 {
				t.Errorf("activities: got %d, want 0", got)
			}
			if removed != 20 {
				t.Errorf("removed: got %d, want 20", removed)
			}
			wantRecords("after their activities", records)
			w.run()
			wantRecords("after another run", records)

			pass := func() {
				w.exec(`UPDATE fanfare.retention_progress SET passed_at = passed_at - interval '8 days'`)
			}
			pass()
			w.hold(tenant, &tenant, nil)
			w.run()
			wantRecords("under a hold of anything", records)
			w.exec(`UPDATE fanfare.legal_holds SET released_at = now()`)
			w.run()
			wantRecords("after its release", records)
			w.exec(`UPDATE fanfare.legal_holds SET released_at = now() - interval '8 days'`)
			w.run()
			wantRecords("when the minimum has passed", []string{})
		})
	}
}
