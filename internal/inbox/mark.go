package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers"
)

// markChunk is how many rows MarkAll marks in one statement.
const markChunk = 5_000

// MarkAll marks as read all that the principal may see and that is unread when it begins, and
// returns how much that was. On a pool, each markChunk rows are a transaction of their own.
func MarkAll(ctx context.Context, db pg.Querier, tenant, principal uuid.UUID) (int, error) {
	marked := 0
	for after := uuid.Max; ; {
		groups, rows, err := readUnread(ctx, db, gatherUnread, tenant, principal, after, markChunk)
		if err != nil {
			return marked, err
		}
		seen, err := watchers.Sees(ctx, db, tenant, principal, sightings(groups))
		if err != nil {
			return marked, err
		}
		var ids [][16]byte
		for i, g := range groups {
			if bytes.Compare(g.last[:], after[:]) < 0 {
				after = g.last
			}
			if seen[i] && !g.gone {
				ids = append(ids, g.ids...)
			}
		}
		n, err := markRead(ctx, db, tenant, principal, ids)
		if marked += n; err != nil || rows < markChunk {
			return marked, err
		}
	}
}

const selectRow = `
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + pglog.Columns + `
FROM fanfare.notifications AS n
JOIN fanfare.activities AS a ON a.id = n.activity_id AND a.tenant_id = n.tenant_id
WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = $3 AND a.id = $3`

// Mark marks one notification as read or as unread and returns it as it then is. One that is so
// already is left as it is, with the time at which it was first read.
func Mark(ctx context.Context, db pg.Querier, tenant, principal, id uuid.UUID, read bool) (Notification, error) {
	rows, err := db.Query(ctx, selectRow, tenant, principal, id)
	if err != nil {
		return Notification{}, fmt.Errorf("read the inbox: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Notification, error) {
		var n Notification
		err := row.Scan(n.fields()...)
		return n, err
	})
	if err != nil {
		return Notification{}, fmt.Errorf("read the inbox: %w", err)
	}
	seen, err := visible(ctx, db, tenant, principal, found)
	if err != nil {
		return Notification{}, err
	}
	if len(found) == 0 || !seen[0] {
		return Notification{}, fmt.Errorf("notification %s: %w", id, activity.ErrNotFound)
	}
	if read == (found[0].ReadAt != nil) {
		return found[0], nil
	}
	found[0].ReadAt, err = setRead(ctx, db, tenant, principal, id, read)
	return found[0], err
}

func setRead(ctx context.Context, db pg.Querier, tenant, principal, id uuid.UUID, read bool) (*time.Time, error) {
	rows, err := db.Query(ctx, `
		UPDATE fanfare.notifications
		SET read_at = CASE WHEN $4 THEN coalesce(read_at, now()) END
		WHERE tenant_id = $1 AND principal_id = $2 AND activity_id = $3
		RETURNING read_at`, tenant, principal, id, read)
	if err != nil {
		return nil, fmt.Errorf("mark a notification: %w", err)
	}
	at, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*time.Time])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("notification %s: %w", id, activity.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("mark a notification: %w", err)
	}
	return at, nil
}

// markThese finds each row by its key and updates it by its place, so that no plan joins one inbox
// with itself. The rows are locked in the order of the ids.
const markThese = `
WITH marked AS (
    UPDATE fanfare.notifications SET read_at = now()
    WHERE ctid = ANY (ARRAY(
        SELECT l.ctid
        FROM unnest((SELECT $3::uuid[])) AS u(activity_id)
        CROSS JOIN LATERAL (
            SELECT n.ctid FROM fanfare.notifications AS n
            WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id AND n.read_at IS NULL
            LIMIT 1 FOR NO KEY UPDATE
        ) AS l))
    RETURNING 1
)
SELECT count(*) FROM marked`

// markRead marks the rows that are still unread and returns how many. In one order, two callers
// cannot block each other in a circle.
func markRead(ctx context.Context, db pg.Querier, tenant, principal uuid.UUID, ids [][16]byte) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	rows, err := db.Query(ctx, markThese, tenant, principal, ids)
	if err != nil {
		return 0, fmt.Errorf("mark notifications: %w", err)
	}
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	if err != nil {
		return 0, fmt.Errorf("mark notifications: %w", err)
	}
	return n, nil
}
