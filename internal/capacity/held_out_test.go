package capacity_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/fanfarehq/fanfare/internal/capacity"
)

// heldOut is a result of a benchmark that the costs were not taken from. Times are microseconds of
// an activity; those that are 0 were not measured.
type heldOut struct {
	What       string  `json:"what"`
	Command    string  `json:"command"`
	Record     bool    `json:"record"` // recording, and not delivering
	Watchers   float64 `json:"watchers"`
	Inbox      bool    `json:"inbox"`
	Service    float64 `json:"service_us"`
	Worker     float64 `json:"worker_us"`
	Postgres   float64 `json:"postgres_us"`
	Centrifugo float64 `json:"centrifugo_us"`
	Cores      float64 `json:"cores"` // that Rate took, all of them
	Rate       float64 `json:"per_second"`
}

// The costs of what the benchmarks do: nothing else is recorded, read or removed meanwhile, and no
// client is connected.
var (
	recordCosts  = []capacity.Name{capacity.RecordService, capacity.RecordPostgres}
	deliverCosts = []capacity.Name{
		capacity.DeliverWorker, capacity.DeliverPostgres, capacity.DeliverCentrifugo, capacity.RecipientWorker,
		capacity.RecipientPostgres, capacity.RecipientCentrifugo, capacity.NotifyWorker, capacity.NotifyPostgres,
	}
)

// TestPredictedTimes compares CPU times, and the rates of a machine whose cores are all in use,
// with measurements by other benchmarks, on other days and with other numbers of watchers.
func TestPredictedTimes(t *testing.T) {
	t.Parallel()
	const factor = 1.5
	text, err := os.ReadFile("testdata/held_out.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []heldOut
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		for name, pair := range h.compare() {
			t.Logf("%s: %s: predicted %.1f, measured %.1f: %.2f", h.What, name, pair[0], pair[1], pair[0]/pair[1])
			if !withinFactor(pair[0], pair[1], factor) {
				t.Errorf("%s: %s: predicted %.1f, measured %.1f by %s, want at most a factor of %v between them",
					h.What, name, pair[0], pair[1], h.Command, factor)
			}
		}
	}
}

// compare returns the predicted and the measured value of each that was measured.
func (h heldOut) compare() map[string][2]float64 {
	site, load := capacity.DefaultSite(), capacity.DefaultLoad()
	site.Spare = 0 // one node of Centrifugo, without Redis
	load.Activities, load.Peak, load.Watchers, load.Inbox, load.Correlated = 1, 1, h.Watchers, h.Inbox, 0
	plan, costs := capacity.Compute(load, site, capacity.Measured()), deliverCosts
	if h.Record {
		costs = recordCosts
	}
	sum := 0.0
	pairs := map[string][2]float64{}
	for id, measured := range map[string]float64{
		capacity.NeedServices: h.Service, capacity.NeedWorkers: h.Worker, capacity.NeedPostgres: h.Postgres,
		capacity.NeedCentrifugo: h.Centrifugo,
	} {
		us := 0.0
		for _, term := range plan.Need(id).Terms {
			if slices.Contains(costs, term.Cost) {
				us += 1e6 * term.Total
			}
		}
		if sum += us; measured > 0 {
			pairs[id] = [2]float64{us, measured}
		}
	}
	if h.Rate > 0 {
		pairs["activities a second"] = [2]float64{h.Cores * 1e6 / sum, h.Rate}
	}
	return pairs
}
