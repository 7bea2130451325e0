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
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// markChunk is the maximum number of rows that MarkAll marks in one statement.
const markChunk = 5_000

// MarkAll marks as read the notifications that are unread when it begins and whose activities the
// principal may see now, and returns their number: those up to an id, which need not exist, or all
// for uuid.Nil. With a pool, every markChunk rows are a transaction of their own.
func MarkAll(ctx context.Context, db pg.Querier, principal activity.Principal, upTo uuid.UUID) (int, error) {
	marked, before := 0, uuid.Max
	if upTo != uuid.Nil {
		before = successor(upTo)
	}
	for {
		groups, rows, err := readUnread(ctx, db, gatherUnread, principal, before, markChunk)
		if err != nil {
			return marked, err
		}
		allowed, err := directory.CanView(ctx, db, principal, accessQueries(groups))
		if err != nil {
			return marked, err
		}
		var ids [][16]byte
		for i, g := range groups {
			if allowed[i] && !g.purged {
				ids = append(ids, g.ids...)
			}
		}
		before = lowest(groups, before)
		n, err := markRead(ctx, db, principal, ids)
		if marked += n; err != nil || rows < markChunk {
			return marked, err
		}
	}
}

// successor returns the next higher id; that of uuid.Max is uuid.Max.
func successor(id uuid.UUID) uuid.UUID {
	if id == uuid.Max {
		return id
	}
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}

const selectRow = `
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + pglog.Columns + `
FROM fanfare.notifications AS n
JOIN fanfare.activities AS a ON a.id = n.activity_id AND a.tenant_id = n.tenant_id
WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = $3 AND a.id = $3`

// Mark marks one notification as read or unread and returns it. A notification that is already read
// keeps the time at which it was first read. The error is activity.ErrNotFound if the principal has
// no such notification or may not see its activity now; which of the two, the time does not tell.
func Mark(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	id uuid.UUID,
	read bool,
) (Notification, error) {
	rows, err := db.Query(ctx, selectRow, principal.TenantID, principal.PrincipalID, id)
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
	decided := found
	if len(found) == 0 {
		decided = make([]Notification, 1) // of no activity, which no principal may see
	}
	allowed, err := canView(ctx, db, principal, decided)
	if err != nil {
		return Notification{}, err
	}
	if !allowed[0] {
		return Notification{}, fmt.Errorf("notification %s: %w", id, activity.ErrNotFound)
	}
	if read == (found[0].ReadAt != nil) {
		return found[0], nil
	}
	found[0].ReadAt, err = setRead(ctx, db, principal, id, read)
	return found[0], err
}

func setRead(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	id uuid.UUID,
	read bool,
) (*time.Time, error) {
	rows, err := db.Query(ctx, `
		UPDATE fanfare.notifications
		SET read_at = CASE WHEN $4 THEN coalesce(read_at, now()) END
		WHERE tenant_id = $1 AND principal_id = $2 AND activity_id = $3
		RETURNING read_at`, principal.TenantID, principal.PrincipalID, id, read)
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

// updateRead finds each row by its key and updates it by its ctid, so that no plan joins an inbox
// with itself. The rows are locked in the order of the ids.
const updateRead = `
WITH marked AS (
    UPDATE fanfare.notifications SET read_at = now()
    WHERE ctid = ANY (ARRAY(
        SELECT l.ctid
        FROM unnest((SELECT $3::uuid[])) AS u(activity_id)
        CROSS JOIN LATERAL (
            SELECT n.ctid FROM fanfare.notifications AS n
            WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id
              AND n.read_at IS NULL
            LIMIT 1 FOR NO KEY UPDATE
        ) AS l))
    RETURNING 1
)
SELECT count(*) FROM marked`

// markRead marks the rows that are unread and returns their number. It locks them in the order of
// their ids, which rules out deadlocks between callers.
func markRead(ctx context.Context, db pg.Querier, principal activity.Principal, ids [][16]byte) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	rows, err := db.Query(ctx, updateRead, principal.TenantID, principal.PrincipalID, ids)
	if err != nil {
		return 0, fmt.Errorf("mark notifications: %w", err)
	}
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	if err != nil {
		return 0, fmt.Errorf("mark notifications: %w", err)
	}
	return n, nil
}
