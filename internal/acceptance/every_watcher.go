package acceptance

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// everyWatcher requires every committed activity for each watcher of its resource.
func everyWatcher(world *fixture.World, recorder *Recorder) map[uuid.UUID]Expected {
	watchers := map[uuid.UUID]map[uuid.UUID]oracle.Class{} // by resource
	for _, r := range world.Resources {
		watchers[r.ID] = map[uuid.UUID]oracle.Class{}
		for _, id := range r.Watchers {
			watchers[r.ID][id] = oracle.Must
		}
	}
	expected := map[uuid.UUID]Expected{}
	for id, c := range recorder.Commits() {
		expected[id] = Expected{
			TenantID: c.TenantID, CommitTimes: c.CommitTimes,
			Expectation: oracle.Expectation{Push: watchers[c.ResourceID], Inbox: watchers[c.ResourceID], States: 1},
		}
	}
	return expected
}
