package feed

import (
	"context"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// CountActions counts the activities that were recorded at a time or later and that the principal
// may see now, by their actions. It reads at most ReadBudget activities, the newest; exact is false
// if there are more. As in Read, what it reads depends on nothing that the principal may not see
// but the number of activities.
func CountActions(
	ctx context.Context, db DB, principal activity.Principal, since time.Time,
) (counts map[string]int, exact bool, err error) {
	log, viewer := pglog.New(db), directory.NewViewer(principal)
	counts = map[string]int{}
	scan := pglog.Scan{Tenant: principal.TenantID, Key: activity.Filter{Since: since}}
	for budget := ReadBudget; budget > 0; budget -= scan.Limit {
		scan.Limit = min(budget, maxChunk)
		headers, err := log.ScanHeaders(ctx, scan)
		if err != nil {
			return nil, false, err
		}
		ids, err := visible(ctx, db, viewer, headers)
		if err != nil {
			return nil, false, err
		}
		if len(ids) > 0 {
			part, err := log.CountByAction(ctx, principal.TenantID, ids, since)
			if err != nil {
				return nil, false, err
			}
			for action, count := range part {
				counts[action] += count
			}
		}
		if len(headers) < scan.Limit {
			return counts, true, nil
		}
		scan.Before = headers[len(headers)-1].ID
	}
	return counts, false, nil
}
