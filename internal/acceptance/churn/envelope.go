package churn

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Values that occur repeatedly are chosen more often.
var (
	actions = []string{
		"resource.updated", "resource.updated", "resource.created", "resource.viewed", "transfer.requested",
		"promotion.granted", "comment.created", "signal.checked", "signal.tuned", "signal.stopped",
	}
	// notify is what the taxonomy says of actions.
	notify = map[string]string{
		"comment.created": "optional", "signal.checked": "default", "signal.stopped": "mandatory",
	}
	visibilities = []activity.Visibility{
		"", "", "", "", activity.ResourceWide, activity.ScopeWide, activity.ScopeWide, activity.TenantVisible,
		activity.Private,
	}
)

// Envelope returns a random activity; n is stored in its payload. It reads nothing that Next
// changes, so both may be called concurrently.
func (w *World) Envelope(random *rand.Rand, n int) activity.Envelope {
	t := pick(random, w.Tenants)
	e := activity.Envelope{
		TenantID: t.ID, ActorPrincipalID: pick(random, t.People), ResourceID: t.busy(random), ResourceType: "signal",
		Action: pick(random, actions), Visibility: pick(random, visibilities),
		Payload: map[string]any{
			"version": n, "field": "weights.momentum", "before": "0.25", "after": "0.40",
			"note": "rebalanced after the review of the second quarter",
		},
	}
	if random.IntN(5) == 0 {
		e.TargetPrincipalID = pick(random, t.People)
	}
	for random.IntN(8) == 0 {
		e.TargetPrincipalIDs = append(e.TargetPrincipalIDs, pick(random, t.People))
	}
	if random.IntN(5) == 0 { // applies if the resource leaves the directory
		e.OwnerID, e.ParentID = pick(random, t.People), pick(random, t.Folders)
	}
	return e
}

// ApplyTaxonomy writes what the taxonomy says about whether actions notify.
func ApplyTaxonomy(ctx context.Context, db pg.Execer) error {
	for action, value := range notify {
		_, err := db.Exec(ctx, `INSERT INTO fanfare.taxonomy (action, category, notify, description)
			VALUES ($1, split_part($1, '.', 1), $2, 'An action of the churn.')`, action, value)
		if err != nil {
			return fmt.Errorf("apply the taxonomy: %w", err)
		}
	}
	return nil
}
