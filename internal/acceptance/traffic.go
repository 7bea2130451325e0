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
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/outbox"
)

// traffic is what a phase records: four activities of five in transactions, the others over HTTP.
type traffic struct {
	world  *fixture.World
	pool   *pgxpool.Pool
	issuer apiclient.Issuer
	server func() string // returns the address that the next request goes to
	rate   int           // activities a second
	seed   uint64        // selects the resources
	next   *int          // number of the next activity
	read   bool          // whether principals read their inbox meanwhile

	recorder     *Recorder
	ended        chan struct{} // closed to end it
	retried      atomic.Int64  // requests without an answer, or with a status of 500 or more
	serverErrors atomic.Int64  // answers with a status of 500 or more
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
		if t.read {
			g.Go(func() error { return t.readInbox(ctx, resource) })
		}
	}
	return g.Wait()
}

// commit commits changes of resources in transactions, each third one in another way.
func (t *traffic) commit(ctx context.Context) error {
	random := rand.New(rand.NewPCG(t.seed, uint64(*t.next)))
	rate := Rate{PerSecond: max(t.rate*4/5, 1), Until: t.ended, Concurrency: 8}
	return AtRate(ctx, rate, func(int) func(context.Context) error {
		resource := t.world.Resources[int(random.ExpFloat64()*60)%(len(t.world.Resources)-apiWriters)]
		n := *t.next
		*t.next++
		return func(ctx context.Context) error {
			var recorded outbox.Recorded
			var times CommitTimes
			var err error
			switch n % 3 {
			case 0:
				recorded, times, err = t.commitRecord(ctx, resource, n)
			case 1:
				recorded, times, err = t.commitTxActivity(ctx, resource, n)
			default:
				recorded, times, err = t.commitSQL(ctx, resource, n)
			}
			if err == nil {
				t.recorder.Committed(recorded, times)
			}
			return err
		}
	})
}

// commitRecord records by outbox.Record.
func (t *traffic) commitRecord(
	ctx context.Context, resource *fixture.Resource, n int,
) (recorded outbox.Recorded, times CommitTimes, err error) {
	recorded, err = resource.Change(ctx, t.pool, n, times.commit(ctx))
	return recorded, times, err
}

// commit returns a function that commits a transaction and sets the times.
func (c *CommitTimes) commit(ctx context.Context) func(tx pgx.Tx) error {
	return func(tx pgx.Tx) error {
		c.Sent = time.Now()
		err := tx.Commit(ctx)
		c.Returned = time.Now()
		return err
	}
}

// commitTxActivity records by outbox.TxActivity.
func (t *traffic) commitTxActivity(
	ctx context.Context, resource *fixture.Resource, n int,
) (recorded outbox.Recorded, times CommitTimes, err error) {
	times.Sent = time.Now()
	_, recorded, err = outbox.TxActivity(ctx, t.pool, resource.Envelope(n, 0),
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (version int64, err error) {
			if version, err = resource.Advance(ctx, tx); err == nil {
				e.Payload = resource.Envelope(n, version).Payload
			}
			return version, err
		})
	times.Returned = time.Now()
	return recorded, times, err
}

// commitSQL records by the statement that other languages use.
func (t *traffic) commitSQL(
	ctx context.Context, resource *fixture.Resource, n int,
) (recorded outbox.Recorded, times CommitTimes, err error) {
	err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		version, err := resource.Advance(ctx, tx)
		if err != nil {
			return err
		}
		envelope, err := json.Marshal(resource.Envelope(n, version))
		if err != nil {
			return err
		}
		recorded.TenantID, recorded.ResourceID = resource.Tenant.ID, resource.ID
		times.Sent = time.Now()
		return tx.QueryRow(ctx, `SELECT fanfare.record_activity($1)`, envelope).Scan(&recorded.ID)
	})
	times.Returned = time.Now()
	return recorded, times, err
}

// post records activities of a resource over HTTP, one after the other. A request without an answer
// is repeated with its correlation id, so it records once.
func (t *traffic) post(ctx context.Context, resource *fixture.Resource) error {
	api := apiclient.New("")
	defer api.Close()
	actor := activity.Principal{TenantID: resource.Tenant.ID, PrincipalID: resource.Tenant.Editors[0]}
	token, err := t.issuer.Token(actor, time.Hour, "activity:write")
	if err != nil {
		return err
	}
	pause := time.Second * 5 * apiWriters / time.Duration(max(t.rate, 1))
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
	sent := time.Now()
	answer, err := t.request(ctx, api, token, http.MethodPost, "/v1/activities", body)
	if err != nil {
		return err
	}
	var accepted struct{ IDs []uuid.UUID }
	if err := json.Unmarshal(answer, &accepted); err != nil || len(accepted.IDs) != 1 {
		return errors.Join(err, fmt.Errorf("POST /v1/activities answered %s", answer))
	}
	recorded := outbox.Recorded{Activity: activity.Activity{
		ID: accepted.IDs[0], TenantID: envelope.TenantID, ResourceID: envelope.ResourceID,
	}}
	t.recorder.Committed(recorded, CommitTimes{Sent: sent, Returned: time.Now()})
	return nil
}

// readInbox lets a watcher of a resource read its inbox and the activities that it may see.
func (t *traffic) readInbox(ctx context.Context, resource *fixture.Resource) error {
	api := apiclient.New("")
	defer api.Close()
	watcher := activity.Principal{TenantID: resource.Tenant.ID, PrincipalID: resource.Watchers[0]}
	token, err := t.issuer.Token(watcher, time.Hour)
	if err != nil {
		return err
	}
	for {
		for _, path := range []string{"/v1/notifications?limit=5", "/v1/activities?limit=5"} {
			select {
			case <-t.ended:
				return nil
			default:
			}
			if _, err := t.request(ctx, api, token, http.MethodGet, path, nil); err != nil {
				return err
			}
			if err := wait.Sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
}

// request sends a request, again while it is not answered or with a status of 500 or more, and
// returns the body of the answer.
func (t *traffic) request(
	ctx context.Context, api *apiclient.Client, token, method, path string, body []byte,
) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	for {
		api.URL = "http://" + t.server()
		status, answer, err := api.Do(ctx, token, method, path, body)
		switch {
		case err == nil && status < http.StatusMultipleChoices:
			return answer, nil
		case err == nil:
			err = fmt.Errorf("%s %s: %d: %s", method, path, status, answer)
		}
		if status != 0 && status < http.StatusInternalServerError {
			return nil, err
		}
		t.retried.Add(1)
		if status != 0 {
			t.serverErrors.Add(1)
		}
		if ended := wait.Sleep(ctx, 50*time.Millisecond); ended != nil {
			return nil, errors.Join(ended, err)
		}
	}
}
