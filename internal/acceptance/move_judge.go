package acceptance

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// judge waits for the deliveries, compares them with what was committed, and returns the
// violations.
func (t *moveTraffic) judge(ctx context.Context, phase *MovePhase) ([]error, error) {
	waitCtx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	for _, c := range t.cells {
		if err := AwaitDelivered(waitCtx, c.pool); err != nil {
			return nil, err
		}
	}
	if err := t.set.Barrier(ctx); err != nil {
		return nil, err
	}
	evidence := &Evidence{
		Expected: everyWatcher(t.world, t.recorder), Clients: t.set.Drain(), Versioned: true, Inbox: map[Delivery]int{},
	}
	for _, c := range t.cells {
		one := &Evidence{}
		if err := one.readInbox(ctx, c.pool); err != nil {
			return nil, err
		}
		for d, n := range one.Inbox {
			if _, ofThisPhase := evidence.Expected[d.Activity]; ofThisPhase {
				evidence.Inbox[d] += n
			}
		}
		evidence.DeadLetters += one.DeadLetters
	}
	found := Judge(evidence)
	lost, doubled, err := t.compareLogs(ctx)
	if err != nil {
		return nil, err
	}
	if phase.LostChanges, err = t.lostLevels(ctx); err != nil {
		return nil, err
	}
	phase.Recorded, phase.Expected, phase.Received = len(evidence.Expected), found.Must, found.Received
	phase.Lost = lost + len(found.MissedConnected) + len(found.MissedReconnected) + found.MissedBeyondGaps +
		len(found.InboxMissing)
	phase.Doubled = doubled + len(found.Repeated) + len(found.InboxDuplicates)
	phase.Inverted = len(found.OutOfOrder)
	phase.Unexpected = len(found.Unexpected) + len(found.Foreign) + len(found.Phantom) + len(found.InboxUnexpected)
	return t.violations(found, lost, doubled, phase), nil
}

func (t *moveTraffic) violations(found *Result, lost, doubled int, phase *MovePhase) []error {
	violations := found.Violations()
	for _, kind := range []struct {
		n    int
		what string
	}{
		{lost, "activities in neither database"},
		{doubled, "activities in both databases"},
		{len(found.Repeated), "deliveries received twice"},
		{phase.LostChanges, "levels lost"},
		{found.MissedBeyondGaps, "deliveries missed by clients with a gap"},
	} {
		if kind.n > 0 {
			violations = append(violations, fmt.Errorf("%d %s", kind.n, kind.what))
		}
	}
	return violations
}

// compareLogs counts the activities of all phases that are in neither database, and in both.
func (t *moveTraffic) compareLogs(ctx context.Context) (lost, doubled int, err error) {
	for id, c := range t.recorder.Commits() {
		t.commits[id] = c.TenantID == t.moving.ID
	}
	found := map[uuid.UUID]int{}
	for i, c := range t.cells {
		rows, err := c.pool.Query(ctx, `SELECT id, tenant_id FROM fanfare.activities`)
		if err != nil {
			return 0, 0, err
		}
		var id, tenant uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&id, &tenant}, func() error {
			if tenant != t.moving.ID || i == t.at {
				found[id]++
			} else {
				found[id] += 2 // a copy where the tenant is not
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
	}
	for id := range t.commits {
		if found[id] == 0 {
			lost++
		}
	}
	for _, n := range found {
		if n > 1 {
			doubled++
		}
	}
	return lost, doubled, nil
}

// lostLevels counts the levels of which the database has another value than the last one that was
// committed.
func (t *moveTraffic) lostLevels(ctx context.Context) (lost int, err error) {
	t.levels.Range(func(resource, number any) bool {
		var stored string
		err = t.cells[t.at].pool.QueryRow(ctx, `
			SELECT coalesce(max(patterns[1]), '') FROM fanfare.watch_levels
			WHERE tenant_id = $1 AND resource_id = $2 AND principal_id = $3`,
			t.moving.ID, resource, t.moving.Editors[0]).Scan(&stored)
		if err == nil && stored != number {
			lost++
		}
		return err == nil
	})
	return lost, err
}
