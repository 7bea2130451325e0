package acceptance

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// Expected is the expectation of one activity that was committed.
type Expected struct {
	TenantID uuid.UUID
	CommitTimes
	oracle.Expectation
}

// Delivery is an activity and a principal.
type Delivery struct {
	Activity  uuid.UUID
	Principal activity.Principal
}

// Evidence is what a run observed.
type Evidence struct {
	Expected    map[uuid.UUID]Expected // by activity; contains every activity that was committed
	Clients     []clients.History      // of all connected clients
	Inbox       map[Delivery]int       // number of inbox rows
	DeadLetters int

	// Versioned states that payloads have versions, which increase for each resource in the order
	// of its commits. The order of the receptions is then judged.
	Versioned bool
}

// Result is what Judge found. The deliveries from MissedConnected on are violations.
type Result struct {
	Must, May        int // pushes that are required, and that are permitted
	Received         int // distinct pushes of Must
	MayReceived      int // distinct pushes of May
	LatencyReturned  []time.Duration
	LatencySent      []time.Duration
	Connected        int // clients that were never disconnected
	Disconnects      int
	Gaps             int
	MissedBeyondGaps int // pushes of Must, not received by clients that reconnected with a gap

	Repeated []Delivery // received again by the same client; at-least-once delivery permits it

	MissedConnected   []Delivery // Must, not received by clients that were never disconnected
	MissedReconnected []Delivery // Must, not received by clients that reconnected without a gap
	Unexpected        []Delivery // MustNot, received
	Foreign           []Delivery // received from another tenant
	Phantom           []Delivery // received, never committed
	OutOfOrder        []Delivery // received after a later version of the same resource
	InboxMissing      []Delivery
	InboxUnexpected   []Delivery
	InboxDuplicates   []Delivery
	DeadLetters       int
}

// Violations returns an error for each kind of violation.
func (r *Result) Violations() (errs []error) {
	for _, kind := range []struct {
		n    int
		what string
	}{
		{len(r.MissedConnected), "deliveries missed by clients that stayed connected"},
		{len(r.MissedReconnected), "deliveries missed by clients that reconnected"},
		{len(r.Unexpected), "deliveries to a principal who must not receive them"},
		{len(r.Foreign), "deliveries across tenants"},
		{len(r.Phantom), "deliveries of activities that were not committed"},
		{len(r.OutOfOrder), "deliveries out of order"},
		{len(r.InboxMissing), "inbox rows missing"},
		{len(r.InboxUnexpected), "inbox rows of a principal who must not have them"},
		{len(r.InboxDuplicates), "inbox rows duplicated"},
		{r.DeadLetters, "dead letters"},
	} {
		if kind.n > 0 {
			errs = append(errs, fmt.Errorf("%d %s", kind.n, kind.what))
		}
	}
	return errs
}

// Judge compares the evidence with the expectations.
func Judge(e *Evidence) *Result {
	r := &Result{DeadLetters: e.DeadLetters}
	required := map[activity.Principal]map[uuid.UUID]bool{}
	for id, expected := range e.Expected {
		for principal, class := range expected.Push {
			switch class {
			case oracle.May:
				r.May++
			case oracle.Must:
				r.Must++
				p := activity.Principal{TenantID: expected.TenantID, PrincipalID: principal}
				if required[p] == nil {
					required[p] = map[uuid.UUID]bool{}
				}
				required[p][id] = true
			}
		}
	}
	for _, client := range e.Clients {
		r.judgeClient(e, client, required[client.Principal])
		delete(required, client.Principal)
	}
	for p, missed := range required { // principals without a client
		r.MissedConnected = appendMissed(r.MissedConnected, p, missed)
	}
	r.judgeInbox(e)
	return r
}

// judgeClient removes what the client received from required.
func (r *Result) judgeClient(e *Evidence, client clients.History, required map[uuid.UUID]bool) {
	seen := map[uuid.UUID]bool{}
	newest := map[uuid.UUID]int64{} // version of each resource
	for _, got := range client.Receptions {
		d := Delivery{got.Activity, client.Principal}
		if got.TenantID != client.Principal.TenantID {
			r.Foreign = append(r.Foreign, d)
		}
		expected, committed := e.Expected[got.Activity]
		switch {
		case !committed:
			r.Phantom = append(r.Phantom, d)
			continue
		case seen[got.Activity]:
			r.Repeated = append(r.Repeated, d)
			continue
		}
		seen[got.Activity] = true
		class := oracle.MustNot
		if expected.TenantID == client.Principal.TenantID {
			class = expected.Push[client.Principal.PrincipalID]
		}
		switch class {
		case oracle.MustNot:
			r.Unexpected = append(r.Unexpected, d)
		case oracle.May:
			r.MayReceived++
		case oracle.Must:
			r.Received++
			delete(required, got.Activity)
			if client.Disconnects == 0 {
				r.LatencySent = append(r.LatencySent, got.At.Sub(expected.Sent))
				r.LatencyReturned = append(r.LatencyReturned, got.At.Sub(expected.Returned))
			}
		}
		if e.Versioned && got.Version < newest[got.Resource] {
			r.OutOfOrder = append(r.OutOfOrder, d)
		}
		newest[got.Resource] = max(newest[got.Resource], got.Version)
	}
	r.Disconnects, r.Gaps = r.Disconnects+client.Disconnects, r.Gaps+client.Gaps
	switch {
	case client.Disconnects == 0:
		r.Connected++
		r.MissedConnected = appendMissed(r.MissedConnected, client.Principal, required)
	case client.Gaps == 0:
		r.MissedReconnected = appendMissed(r.MissedReconnected, client.Principal, required)
	default:
		r.MissedBeyondGaps += len(required)
	}
}

func appendMissed(list []Delivery, p activity.Principal, missed map[uuid.UUID]bool) []Delivery {
	for id := range missed {
		list = append(list, Delivery{id, p})
	}
	return list
}

func (r *Result) judgeInbox(e *Evidence) {
	for d, n := range e.Inbox {
		expected := e.Expected[d.Activity]
		if expected.TenantID != d.Principal.TenantID || expected.Inbox[d.Principal.PrincipalID] == oracle.MustNot {
			r.InboxUnexpected = append(r.InboxUnexpected, d)
		}
		if n > 1 {
			r.InboxDuplicates = append(r.InboxDuplicates, d)
		}
	}
	for id, expected := range e.Expected {
		for principal, class := range expected.Inbox {
			d := Delivery{id, activity.Principal{TenantID: expected.TenantID, PrincipalID: principal}}
			if class == oracle.Must && e.Inbox[d] == 0 {
				r.InboxMissing = append(r.InboxMissing, d)
			}
		}
	}
}

// readInbox adds all inbox rows and the number of dead letters to the evidence.
func (e *Evidence) readInbox(ctx context.Context, pool *pgxpool.Pool) error {
	rows, err := pool.Query(ctx, "SELECT activity_id, tenant_id, principal_id FROM fanfare.notifications")
	if err != nil {
		return err
	}
	e.Inbox = map[Delivery]int{}
	var d Delivery
	fields := []any{&d.Activity, &d.Principal.TenantID, &d.Principal.PrincipalID}
	if _, err := pgx.ForEachRow(rows, fields, func() error { e.Inbox[d]++; return nil }); err != nil {
		return err
	}
	return pool.QueryRow(ctx, "SELECT count(*) FROM fanfare.dead_letters").Scan(&e.DeadLetters)
}
