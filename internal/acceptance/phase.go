package acceptance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
)

// Phase is what a run observed in a part of it.
type Phase struct {
	Recorded    int          `json:"recorded"`
	Expected    int          `json:"expected_deliveries"`
	Received    int          `json:"received_distinct"`
	Lost        int          `json:"lost"`
	Repeats     int          `json:"received_again"`
	OutOfOrder  int          `json:"out_of_order"`
	InboxFaults int          `json:"inbox_rows_missing_doubled_or_unasked"`
	Disconnects int          `json:"connections_lost"`
	Retried     int          `json:"api_requests_retried"`
	P99         Milliseconds `json:"p99_ms"` // from COMMIT to the socket, of all clients
	Longest     Milliseconds `json:"longest_gap_ms"`

	violations []error
}

// phases are the phases of a run with one world and one set of clients. It judges each by itself.
type phases struct {
	*Environment
	world  *fixture.World
	set    *clients.Set
	before map[activity.Principal]clients.History // of the phases before
}

// run records traffic while act runs, waits until everything is delivered, and judges what was.
func (p *phases) run(ctx context.Context, t *traffic, act func(ctx context.Context) error) (*Phase, error) {
	writing := make(chan error, 1)
	go func() { writing <- t.run(ctx) }()
	err := func() error {
		defer close(t.ended)
		return act(ctx)
	}()
	if err := errors.Join(err, <-writing); err != nil {
		return nil, err
	}
	delivering, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := AwaitDelivered(delivering, p.Pool); err != nil {
		return nil, err
	}
	if err := errors.Join(p.set.AwaitConnected(delivering), p.set.Barrier(delivering)); err != nil {
		return nil, err
	}
	return p.judge(ctx, t)
}

func (p *phases) judge(ctx context.Context, t *traffic) (*Phase, error) {
	evidence := &Evidence{
		Expected: everyWatcher(p.world, t.recorder), Clients: p.sinceLastPhase(), Versioned: true,
	}
	if err := evidence.readInbox(ctx, p.Pool); err != nil {
		return nil, err
	}
	for d := range evidence.Inbox {
		if _, ofThisPhase := evidence.Expected[d.Activity]; !ofThisPhase {
			delete(evidence.Inbox, d)
		}
	}
	found := Judge(evidence)
	var gaps []time.Duration
	for _, client := range evidence.Clients {
		for _, got := range client.Receptions {
			if expected, ok := evidence.Expected[got.Activity]; ok {
				gaps = append(gaps, got.At.Sub(expected.Returned))
			}
		}
	}
	percentiles := NewPercentiles(gaps)
	phase := &Phase{
		Recorded: len(evidence.Expected), Expected: found.Must, Received: found.Received,
		Lost:        len(found.MissedConnected) + len(found.MissedReconnected) + found.MissedBeyondGaps,
		Repeats:     len(found.Repeated),
		OutOfOrder:  len(found.OutOfOrder),
		InboxFaults: len(found.InboxMissing) + len(found.InboxUnexpected) + len(found.InboxDuplicates),
		Disconnects: found.Disconnects, Retried: int(t.retried.Load()), P99: percentiles.P99, Longest: percentiles.Max,
		violations: found.Violations(),
	}
	if found.MissedBeyondGaps > 0 {
		phase.violations = append(phase.violations,
			fmt.Errorf("%d deliveries missed by clients with a gap", found.MissedBeyondGaps))
	}
	if phase.Recorded == 0 {
		phase.violations = append(phase.violations, errors.New("nothing was recorded"))
	}
	return phase, nil
}

// sinceLastPhase returns the histories with the disconnects and gaps of this phase alone.
func (p *phases) sinceLastPhase() []clients.History {
	histories := p.set.Drain()
	for i, h := range histories {
		before := p.before[h.Principal]
		p.before[h.Principal] = clients.History{Disconnects: h.Disconnects, Gaps: h.Gaps}
		histories[i].Disconnects -= before.Disconnects
		histories[i].Gaps -= before.Gaps
	}
	return histories
}
