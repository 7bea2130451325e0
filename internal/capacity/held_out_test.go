package capacity_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/fanfarehq/fanfare/internal/capacity"
)

// heldOut is a result of a benchmark that the costs were not taken from. Times are microseconds of
// an activity.
type heldOut struct {
	What       string  `json:"what"`
	Command    string  `json:"command"`
	Watchers   float64 `json:"watchers"`
	Inbox      bool    `json:"inbox"`
	Cores      float64 `json:"cores"` // 0: the rate is not compared, since others used the cores
	Worker     float64 `json:"worker_us"`
	Postgres   float64 `json:"postgres_us"`
	Centrifugo float64 `json:"centrifugo_us"`
	Rate       float64 `json:"per_second"`
}

// deliveryCosts are the costs of delivering: nothing is recorded, and no client is connected.
var deliveryCosts = []capacity.Name{
	capacity.DeliverWorker, capacity.DeliverPostgres, capacity.DeliverCentrifugo, capacity.RecipientWorker,
	capacity.RecipientPostgres, capacity.RecipientCentrifugo, capacity.NotifyWorker, capacity.NotifyPostgres,
}

// TestPredictedTimes compares the CPU times of deliveries, and the rate at which a machine whose
// cores are all in use delivers, with measurements of other programs, on other days and with other
// numbers of watchers.
func TestPredictedTimes(t *testing.T) {
	t.Parallel()
	const factor = 1.75
	text, err := os.ReadFile("testdata/held_out.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []heldOut
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	site := capacity.DefaultSite()
	site.Spare = 0 // one node of Centrifugo, without Redis
	for _, h := range all {
		load := capacity.DefaultLoad()
		load.Activities, load.Peak, load.Watchers, load.Inbox, load.Correlated = 1, 1, h.Watchers, h.Inbox, 0
		plan := capacity.Compute(load, site, capacity.Measured())
		busy := func(id string) (us float64) {
			for _, term := range plan.Need(id).Terms {
				if slices.Contains(deliveryCosts, term.Cost) {
					us += 1e6 * term.Total
				}
			}
			return us
		}
		worker, postgres, centrifugo := busy(capacity.NeedWorkers), busy(capacity.NeedPostgres),
			busy(capacity.NeedCentrifugo)
		pairs := map[string][2]float64{
			"worker": {worker, h.Worker}, "PostgreSQL": {postgres, h.Postgres}, "Centrifugo": {centrifugo, h.Centrifugo},
		}
		if h.Cores > 0 {
			pairs["activities a second"] = [2]float64{h.Cores * 1e6 / (worker + postgres + centrifugo), h.Rate}
		}
		for name, pair := range pairs {
			ratio := pair[0] / pair[1]
			t.Logf("%s: %s: predicted %.1f, measured %.1f: %.2f", h.What, name, pair[0], pair[1], ratio)
			if !withinFactor(pair[0], pair[1], factor) {
				t.Errorf("%s: %s: predicted %.1f, measured %.1f by %s, want at most a factor of %v between them",
					h.What, name, pair[0], pair[1], h.Command, factor)
			}
		}
	}
}
