package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/jwttest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// world is a tenant with one resource, its owner, and an actor who changes it.
type world struct {
	db                             *pgtest.DB
	tenant, resource, owner, actor uuid.UUID
}

func newWorld(t testing.TB, db *pgtest.DB) world {
	t.Helper()
	w := world{db: db, tenant: uuid.New(), resource: uuid.New(), owner: uuid.New(), actor: uuid.New()}
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.resources (id, tenant_id, owner_principal_id, type, name)
		VALUES ($1, $2, $3, 'signal', 'Signal 7')`,
		w.resource, w.tenant, w.owner)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// record records a change of the resource.
func (w world) record(t testing.TB, channels ...string) activity.Activity {
	t.Helper()
	var recorded outbox.Recorded
	err := pgx.BeginFunc(t.Context(), w.db.Pool, func(tx pgx.Tx) (err error) {
		recorded, err = outbox.Record(t.Context(), tx, activity.Envelope{
			TenantID: w.tenant, ActorPrincipalID: w.actor, ResourceID: w.resource, ResourceType: "signal",
			Action: "resource.updated", DeliveryChannels: channels,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return recorded.Activity
}

// pending returns the number of the tenant's activities in the outbox.
func (w world) pending(t testing.TB) int64 {
	t.Helper()
	status, err := outbox.NewBacklog(w.db.Pool).Status(t.Context(), w.tenant)
	if err != nil {
		t.Fatal(err)
	}
	return status.Pending
}

// listen connects the owner and returns the events on the owner's channel.
func (w world) listen(t testing.TB, c *devstack.Centrifugo) <-chan activity.Event {
	t.Helper()
	claims := jwt.MapClaims{
		"sub": w.tenant.String() + "." + w.owner.String(),
		"exp": time.Now().Add(time.Minute).Unix(),
	}
	client := centrifuge.NewJsonClient(c.WebSocketURL(), centrifuge.Config{
		Token: jwttest.Sign(t, c.TokenSecret(), claims),
	})
	t.Cleanup(client.Close)
	subscribed, events := make(chan struct{}, 1), make(chan activity.Event, 100)
	client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		if strings.HasPrefix(e.Channel, "user:") {
			subscribed <- struct{}{}
		}
	})
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		var event activity.Event
		if err := json.Unmarshal(e.Data, &event); err != nil {
			t.Errorf("%v: %s", err, e.Data)
		}
		events <- event
	})
	if err := client.Connect(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-subscribed:
	case <-time.After(timeout):
		t.Fatalf("the client is not subscribed to its own channel after %v", timeout)
	}
	return events
}

// published returns the events in the history of the owner's channel.
func (w world) published(t testing.TB, c *devstack.Centrifugo) []activity.Event {
	t.Helper()
	client := centrifugotest.Client(t, c)
	channel := "user:#" + w.tenant.String() + "." + w.owner.String()
	top, err := client.Top(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	publications, _, err := client.History(t.Context(), channel, centrifugo.Position{Epoch: top.Epoch}, 100)
	if err != nil {
		t.Fatal(err)
	}
	events := make([]activity.Event, len(publications))
	for i, p := range publications {
		if err := json.Unmarshal(p.Data, &events[i]); err != nil {
			t.Errorf("%v: %s", err, p.Data)
		}
	}
	return events
}

func next(t testing.TB, events <-chan activity.Event, d *daemonUnderTest) activity.Event {
	t.Helper()
	select {
	case event := <-events:
		return event
	case <-time.After(timeout):
		t.Fatalf("no event within %v\n%s", timeout, d.log)
		panic("unreachable")
	}
}
