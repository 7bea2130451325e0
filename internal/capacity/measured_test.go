package capacity_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/capacity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// withinFactor reports whether a prediction and a measurement differ by at most a factor.
func withinFactor(predicted, measured, factor float64) bool {
	return predicted > 0 && measured > 0 && math.Abs(math.Log(predicted/measured)) <= math.Log(factor)
}

// TestPredictedSize records and delivers 20,000 activities with three watchers, and compares the
// size of the database with the plan's. The costs are from worlds with other numbers of both.
func TestPredictedSize(t *testing.T) {
	t.Parallel()
	const activities, watchers = 20_000, 3
	db := pgtest.New(t)
	world := fixture.New(fixture.Options{Watchers: watchers})
	if err := world.Load(t.Context(), db.Pool); err != nil {
		t.Fatal(err)
	}
	record(t, db, world, activities)
	deliver(t, db)
	var payload, log, notifications, keys float64
	var rows int
	if err := db.Pool.QueryRow(t.Context(), `
		SELECT (SELECT avg(octet_length(payload::text)) FROM fanfare.activities),
		       (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('fanfare.activities')),
		       pg_total_relation_size('fanfare.notifications'), pg_total_relation_size('fanfare.idempotency_keys'),
		       (SELECT count(*) FROM fanfare.notifications)`).
		Scan(&payload, &log, &notifications, &keys, &rows); err != nil {
		t.Fatal(err)
	}
	if rows != activities*watchers {
		t.Fatalf("got %d notifications, want %d", rows, activities*watchers)
	}
	load := capacity.DefaultLoad()
	load.Activities, load.Peak, load.Watchers, load.Payload, load.Correlated = 1, 1, watchers, payload, 1.0/keyed
	const kept = activities * time.Second
	load.LogRetention, load.InboxRetention, load.KeyRetention = kept, kept, kept
	predicted := map[string]float64{}
	plan := capacity.Compute(load, capacity.DefaultSite(), capacity.Measured())
	for _, term := range plan.Need(capacity.NeedDisk).Terms {
		predicted[term.What] = term.Total
	}
	for name, c := range map[string][2]float64{
		"the log":          {predicted["activities"] + predicted["payloads"], log},
		"notifications":    {predicted["notifications"], notifications},
		"idempotency keys": {predicted["idempotency keys"], keys},
	} {
		t.Logf("%s: predicted %.0f bytes, measured %.0f: %.3f", name, c[0], c[1], c[0]/c[1])
		if !withinFactor(c[0], c[1], 1.15) {
			t.Errorf("%s: predicted %.0f bytes, measured %.0f, want at most 15 %% between them", name, c[0], c[1])
		}
	}
}

// keyed is how many activities there are for each with a correlation id.
const keyed = 4

// record records activities, 500 in a transaction.
func record(t *testing.T, db *pgtest.DB, world *fixture.World, n int) {
	t.Helper()
	const size = 500
	for start := 0; start < n; start += size {
		envelopes := make([]activity.Envelope, size)
		for i := range envelopes {
			envelopes[i] = world.Resources[(start+i)*7919%len(world.Resources)].Envelope(start+i, int64(start+i))
			if (start+i)%keyed == 0 {
				envelopes[i].CorrelationID = uuid.New()
			}
		}
		if err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
			_, err := outbox.RecordMany(t.Context(), tx, envelopes)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// deliver runs a worker until nothing is pending.
func deliver(t *testing.T, db *pgtest.DB) {
	t.Helper()
	client := centrifugotest.Client(t, centrifugotest.Start(t, devstack.CentrifugoOptions{}))
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		t.Fatal(err)
	}
	handler := fanout.New(client, channels, preferences.NewFilter(nil), fanout.Options{})
	worker := outbox.NewWorker(db.Pool, handler, outbox.Options{Logger: zap.NewNop()})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	backlog := outbox.NewBacklog(db.Pool)
	waittest.Until(t, "nothing is pending", func() bool {
		status, err := backlog.Status(t.Context(), uuid.Nil)
		return err == nil && status.Pending == 0 && status.DeadLetters == 0
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
