package fanout_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// TestShortSteps notifies a fiftieth of the recipients in a short step, and at least one, until
// none is left.
func TestShortSteps(t *testing.T) {
	t.Parallel()
	client, channels := connect(t, startCentrifugo(t), centrifugo.Formats{})
	db := pgtest.New(t)
	tenant := uuid.New()
	if _, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
		SELECT $1, gen_random_uuid(), $1 FROM generate_series(1, 45)`, tenant); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		step  int
		short bool
		want  []int // the numbers of notified recipients
	}{
		{20, false, []int{20, 20, 5}},
		{1000, true, []int{20, 20, 5}},
		{49, true, append(slices.Repeat([]int{1}, 45), 0)},
	} {
		handler := fanout.New(client, channels, preferences.NewFilter(nil), fanout.Options{Step: c.step})
		job := outbox.Job{Short: c.short, Item: outbox.Item{Activity: activity.Activity{
			ID: uuid.Must(uuid.NewV7()), TenantID: tenant, ResourceID: tenant, ActorPrincipalID: uuid.New(),
			ResourceType: "signal", Action: "signal.created", Visibility: activity.TenantVisible,
			Payload: []byte("{}"),
		}}}
		var got []int
		for done := false; !done; {
			if err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
				step, err := handler.Step(t.Context(), tx, job)
				job.LastPrincipalID, done = step.LastPrincipalID, step.Done
				got = append(got, step.Notified)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("steps of %d, short %v: got %v, want %v", c.step, c.short, got, c.want)
		}
	}
}
