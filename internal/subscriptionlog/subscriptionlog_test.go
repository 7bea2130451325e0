package subscriptionlog_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/subscriptionlog"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// record is what the log has of a subscription.
type record struct {
	Action, Visibility, ResourceType, UserAgent string
	Actor, Resource, Correlation                uuid.UUID
	Scope, Group                                string
}

// records returns the records of a tenant, in the order in which they were made.
func records(t *testing.T, d *directorytest.Tenant) []record {
	t.Helper()
	rows, err := d.DB.Pool.Query(t.Context(), `
		SELECT a.action, a.visibility, a.resource_type, a.user_agent, a.actor_principal_id, a.resource_id,
		       a.correlation_id, a.payload->>'scope', coalesce(a.payload->>'group_id', '')
		FROM fanfare.activities AS a WHERE a.tenant_id = $1 ORDER BY a.id`, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[record])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSubscriptionsAreRecordedOnce(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	group := uuid.New()
	d.Exec(t, `INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		d.ID, group, d.Neighbour)
	viewer := subscriptionlog.Caller{Principal: d.Principal(d.Viewer), UserAgent: "test"}
	delegator := subscriptionlog.Caller{Principal: d.Principal(d.Delegator), UserAgent: "test"}
	request := subscriptions.SubscribeRequest{ResourceID: d.Doc}

	s, created, err := subscriptionlog.Subscribe(t.Context(), d.DB.Pool, viewer, request)
	if err != nil || !created {
		t.Fatalf("got %+v, created %t, %v", s, created, err)
	}
	if again, created, err := subscriptionlog.Subscribe(
		t.Context(), d.DB.Pool, viewer, request,
	); err != nil || created || again != s {
		t.Errorf("again: got %+v, created %t, %v, want the first", again, created, err)
	}
	results, err := subscriptionlog.SubscribeMany(t.Context(), d.DB.Pool, delegator, []subscriptions.SubscribeRequest{
		{ResourceID: d.Team, Scope: "descendants", GroupID: group}, {ResourceID: uuid.New()},
	})
	if err != nil || results[0].Err != nil || !errors.Is(results[1].Err, activity.ErrNotFound) {
		t.Fatalf("many: got %+v, %v, want the group's alone", results, err)
	}
	ofGroup := results[0].Subscription
	for _, want := range []bool{true, false} {
		if revoked, err := subscriptionlog.Unsubscribe(
			t.Context(), d.DB.Pool, delegator, ofGroup.ID,
		); err != nil || revoked != want {
			t.Errorf("revoked: got %t, %v, want %t", revoked, err, want)
		}
	}
	if _, err := subscriptionlog.Unsubscribe(t.Context(), d.DB.Pool, delegator, s.ID); !errors.Is(
		err, activity.ErrNotFound) {
		t.Errorf("another's: got %v, want ErrNotFound", err)
	}
	row := func(action string, by subscriptionlog.Caller, s subscriptions.Subscription, group string) record {
		return record{
			Action: action, Visibility: "private", ResourceType: "doc", UserAgent: "test", Actor: by.PrincipalID,
			Resource: s.ResourceID, Correlation: s.ID, Scope: s.Scope, Group: group,
		}
	}
	want := []record{
		row("subscription.created", viewer, s, ""),
		row("subscription.created", delegator, ofGroup, group.String()),
		row("subscription.revoked", delegator, ofGroup, group.String()),
	}
	if diff := cmp.Diff(want, records(t, d)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
