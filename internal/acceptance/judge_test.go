package acceptance

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

var (
	ann = activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()}
	ben = activity.Principal{TenantID: ann.TenantID, PrincipalID: uuid.New()}

	first, second = uuid.New(), uuid.New()
	resource      = uuid.New()
	committed     = time.Unix(1_800_000_000, 0)
)

// newEvidence returns evidence without violations: ann received both activities of a resource, ben
// is not a recipient.
func newEvidence() *Evidence {
	must := map[uuid.UUID]oracle.Class{ann.PrincipalID: oracle.Must}
	expected := Expected{
		TenantID:    ann.TenantID,
		CommitTimes: CommitTimes{Sent: committed, Returned: committed.Add(time.Millisecond)},
		Expectation: oracle.Expectation{Push: must, Inbox: must},
	}
	received := func(id uuid.UUID, version int64) clients.Reception {
		at := committed.Add(time.Duration(version) * 10 * time.Millisecond)
		return clients.Reception{Activity: id, TenantID: ann.TenantID, Resource: resource, Version: version, At: at}
	}
	return &Evidence{
		Expected: map[uuid.UUID]Expected{first: expected, second: expected},
		Clients: []clients.History{
			{Principal: ann, Receptions: []clients.Reception{received(first, 1), received(second, 2)}},
			{Principal: ben},
		},
		Inbox:     map[Delivery]int{{first, ann}: 1, {second, ann}: 1},
		Versioned: true,
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	got := Judge(newEvidence())
	want := &Result{
		Must: 2, Received: 2, Connected: 2,
		LatencySent:     []time.Duration{10 * time.Millisecond, 20 * time.Millisecond},
		LatencyReturned: []time.Duration{9 * time.Millisecond, 19 * time.Millisecond},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if errs := got.Violations(); len(errs) > 0 {
		t.Errorf("violations: got %v, want none", errs)
	}
}

func TestViolations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(e *Evidence)
		want   []string
	}{
		"missed while connected": {
			func(e *Evidence) { e.Clients[0].Receptions = e.Clients[0].Receptions[1:] },
			[]string{"1 deliveries missed by clients that stayed connected"},
		},
		"missed without a client": {
			func(e *Evidence) { e.Clients = e.Clients[1:] },
			[]string{"2 deliveries missed by clients that stayed connected"},
		},
		"missed after a reconnect": {
			func(e *Evidence) { e.Clients[0].Receptions, e.Clients[0].Disconnects = nil, 1 },
			[]string{"2 deliveries missed by clients that reconnected"},
		},
		"missed beyond the history": {
			func(e *Evidence) {
				c := &e.Clients[0]
				c.Receptions, c.Disconnects, c.Gaps = nil, 1, 1
			},
			nil, // not a violation of the worker
		},
		"permitted": {
			func(e *Evidence) {
				e.Expected[second].Push[ben.PrincipalID] = oracle.May
				e.Clients[1].Receptions = e.Clients[0].Receptions[1:]
			},
			nil,
		},
		"repeated": {
			func(e *Evidence) {
				c := &e.Clients[0]
				c.Receptions = append(c.Receptions, c.Receptions[0])
			},
			nil, // delivery is at least once
		},
		"unexpected": {
			func(e *Evidence) { e.Clients[1].Receptions = e.Clients[0].Receptions[:1] },
			[]string{"1 deliveries to a principal who must not receive them"},
		},
		"another tenant": {
			func(e *Evidence) {
				e.Clients[1].Principal.TenantID = uuid.New()
				e.Clients[1].Receptions = e.Clients[0].Receptions[:1]
			},
			[]string{"1 deliveries to a principal who must not receive them", "1 deliveries across tenants"},
		},
		"not committed": {
			func(e *Evidence) {
				c := &e.Clients[0]
				c.Receptions = append(c.Receptions, clients.Reception{Activity: uuid.New(), TenantID: ann.TenantID})
			},
			[]string{"1 deliveries of activities that were not committed"},
		},
		"out of order": {
			func(e *Evidence) {
				c := &e.Clients[0]
				c.Receptions[0], c.Receptions[1] = c.Receptions[1], c.Receptions[0]
			},
			[]string{"1 deliveries out of order"},
		},
		"inbox row missing": {
			func(e *Evidence) { delete(e.Inbox, Delivery{first, ann}) },
			[]string{"1 inbox rows missing"},
		},
		"inbox row unexpected": {
			func(e *Evidence) { e.Inbox[Delivery{first, ben}] = 1 },
			[]string{"1 inbox rows of a principal who must not have them"},
		},
		"inbox row duplicated": {
			func(e *Evidence) { e.Inbox[Delivery{first, ann}] = 2 },
			[]string{"1 inbox rows duplicated"},
		},
		"dead letter": {
			func(e *Evidence) { e.DeadLetters = 1 },
			[]string{"1 dead letters"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEvidence()
			test.change(e)
			var got []string
			for _, err := range Judge(e).Violations() {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
