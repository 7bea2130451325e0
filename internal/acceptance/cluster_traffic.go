package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/outbox"
)

// traffic is what a phase of a cluster's run records: four activities of five in transactions, the
// others over HTTP.
type traffic struct {
	*clusterRun
	recorder *Recorder
	ended    chan struct{} // closed to end it
	retried  atomic.Int64
}

// apiWriters is the number of writers over HTTP. Each has a resource of its own, whose activities
// it records one after the other, so that their order is known.
const apiWriters = 4

func (t *traffic) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return t.commit(ctx) })
	for i := range apiWriters {
		resource := t.world.Resources[len(t.world.Resources)-1-i]
		g.Go(func() error { return t.post(ctx, resource) })
	}
	return g.Wait()
}

// commit commits changes of resources in transactions.
func (t *traffic) commit(ctx context.Context) error {
	random := rand.New(rand.NewPCG(t.Seed, uint64(t.next)))
	rate := Rate{PerSecond: max(t.Rate*4/5, 1), Until: t.ended, Concurrency: 8}
	return AtRate(ctx, rate, func(int) func(context.Context) error {
		resource := t.world.Resources[int(random.ExpFloat64()*60)%(len(t.world.Resources)-apiWriters)]
		n := t.next
		t.next++
		return func(ctx context.Context) error {
			var times CommitTimes
			recorded, err := resource.Change(ctx, t.Pool, n, func(tx pgx.Tx) error {
				times.Sent = time.Now()
				err := tx.Commit(ctx)
				times.Returned = time.Now()
				return err
			})
			if err == nil {
				t.recorder.Committed(recorded, times)
			}
			return err
		}
	})
}

// post records activities of a resource over HTTP, one after the other. A request without an answer
// is repeated with its correlation id, so it records once.
func (t *traffic) post(ctx context.Context, resource *fixture.Resource) error {
	api := apiclient.New("http://" + t.servers.api.Address())
	defer api.Close()
	actor := activity.Principal{TenantID: resource.Tenant.ID, PrincipalID: resource.Tenant.Editors[0]}
	token, err := t.servers.issuer.Token(actor, time.Hour, "activity:write")
	if err != nil {
		return err
	}
	pause := time.Second * 5 * apiWriters / time.Duration(max(t.Rate, 1))
	// Versions of a resource increase from phase to phase, too.
	for version := time.Now().UnixMicro(); ; version++ {
		select {
		case <-t.ended:
			return nil
		default:
		}
		envelope := resource.Envelope(int(version%1000), version)
		envelope.ActorPrincipalID, envelope.CorrelationID = actor.PrincipalID, uuid.New()
		if err := t.postOnce(ctx, api, token, envelope); err != nil {
			return err
		}
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (t *traffic) postOnce(ctx context.Context, api *apiclient.Client, token string, envelope activity.Envelope) error {
	body, err := json.Marshal(envelope)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	sent := time.Now()
	for {
		status, answer, err := api.Do(ctx, token, http.MethodPost, "/v1/activities", body)
		switch {
		case err == nil && status == http.StatusAccepted:
			var accepted struct{ IDs []uuid.UUID }
			if err := json.Unmarshal(answer, &accepted); err != nil || len(accepted.IDs) != 1 {
				return errors.Join(err, fmt.Errorf("POST /v1/activities answered %s", answer))
			}
			recorded := outbox.Recorded{Activity: activity.Activity{
				ID: accepted.IDs[0], TenantID: envelope.TenantID, ResourceID: envelope.ResourceID,
			}}
			t.recorder.Committed(recorded, CommitTimes{Sent: sent, Returned: time.Now()})
			return nil
		case err == nil:
			err = fmt.Errorf("POST /v1/activities: %d: %s", status, answer)
		}
		if status != 0 && status < http.StatusInternalServerError {
			return err
		}
		t.retried.Add(1)
		if ended := wait.Sleep(ctx, 50*time.Millisecond); ended != nil {
			return errors.Join(ended, err)
		}
	}
}
