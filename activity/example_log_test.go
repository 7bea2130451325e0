package activity_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// A service's tests look at what it has recorded, without a database.
func ExampleMemoryLog() {
	ctx, tenant, user := context.Background(), uuid.New(), uuid.New()
	log := activity.NewMemoryLog(activity.MemoryOptions{})
	signUp := func(ctx context.Context, log activity.Log) error { // what is tested
		_, err := log.Append(ctx, activity.Envelope{
			TenantID: tenant, ResourceID: user, ResourceType: "user", Action: "auth.signed_up", Payload: map[string]string{"password": "hunter2"},
		})
		return err
	}
	if err := signUp(activity.WithActor(ctx, user), log); err != nil {
		fmt.Println(err)
	}
	found, _, err := log.List(ctx, tenant, activity.ByActor(user), activity.Page{})
	if err != nil {
		fmt.Println(err)
	}
	for _, a := range found {
		fmt.Println(a.Action, string(a.Payload))
	}
	// Output: auth.signed_up {"password": "[redacted]"}
}

// Where there is no transaction, recording must not get in the way.
func ExampleBestEffort() {
	log := activity.NewMemoryLog(activity.MemoryOptions{}) // in a service, outbox.NewLog(pool, outbox.Recorder{})
	best := activity.NewBestEffort(log, activity.BestEffortOptions{
		Report: func(dropped activity.Drops, last error) { fmt.Println("not recorded:", dropped.Total(), last) },
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
