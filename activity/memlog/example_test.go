package memlog_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/memlog"
)

// A service's tests look at what it has recorded, without a database.
func Example() {
	ctx, tenant, user := context.Background(), uuid.New(), uuid.New()
	log := memlog.New(memlog.Options{})
	signUp := func(ctx context.Context, log activity.Log) error { // what is tested
		_, err := log.Append(ctx, activity.Envelope{
			TenantID:     tenant,
			ResourceID:   user,
			ResourceType: "user",
			Action:       "auth.signed_up",
			Payload:      map[string]string{"password": "hunter2"},
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
