package besteffort_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/besteffort"
	"github.com/fanfarehq/fanfare/activity/memlog"
)

// Where there is no transaction, recording must not get in the way.
func Example() {
	log := memlog.New(memlog.Options{}) // in a service, outbox.NewLog(pool, outbox.Recorder{})
	best := besteffort.New(log, besteffort.Options{
		Report: func(dropped besteffort.Drops, last error) { fmt.Println("not recorded:", dropped.Total(), last) },
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- best.Run(ctx) }()

	best.Record(
		ctx,
		activity.Envelope{TenantID: uuid.New(), ResourceID: uuid.New(), ResourceType: "cache", Action: "cache.cleared"},
	)

	stop()
	<-ended
	fmt.Println(best.Stats().Recorded, "recorded, by the system:", log.Records()[0].ActorPrincipalID == activity.System)
	// Output: 1 recorded, by the system: true
}
