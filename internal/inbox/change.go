package inbox

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// MaxSnooze is the longest time for which a notification can be snoozed.
const MaxSnooze = 366 * 24 * time.Hour

// Changes are changes of notifications. A nil field changes nothing. Each can be reversed by the
// opposite one, except that the times of the original marks are not restored.
type Changes struct {
	Seen     *bool
	Read     *bool // a notification that becomes read becomes seen, too
	Archived *bool
	Snooze   *Snooze
}

// Snooze is a change of the time until which a notification is snoozed.
type Snooze struct {
	Until time.Time // in the future, at most MaxSnooze ahead; the zero time ends the snooze
}

// Validate returns an *invalid.Error unless the changes are valid at the database's time.
func (c Changes) Validate(ctx context.Context, db pg.Querier) error {
	refuse := func(field, value, rule string) error {
		return &invalid.Error{Subject: "changes", Fields: []invalid.Field{{Name: field, Value: value, Rule: rule}}}
	}
	switch {
	case c == Changes{}:
		return refuse("changes", "", "must have at least one of seen, read, archived and snoozed_until")
	case c.Seen != nil && !*c.Seen && c.Read != nil && *c.Read:
		return refuse("seen", "false", "must not be false if read is true")
	case c.Snooze == nil || c.Snooze.Until.IsZero():
		return nil
	}
	rows, err := db.Query(ctx, `SELECT now()`)
	if err != nil {
		return fmt.Errorf("read the database's time: %w", err)
	}
	now, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[time.Time])
	if err != nil {
		return fmt.Errorf("read the database's time: %w", err)
	}
	until := c.Snooze.Until
	if until.After(now) && !until.After(now.Add(MaxSnooze)) {
		return nil
	}
	return refuse("snoozed_until", until.UTC().Format(time.RFC3339Nano),
		fmt.Sprintf("must be in the future, at most %d days ahead; it is %s now",
			MaxSnooze/(24*time.Hour), now.UTC().Format(time.RFC3339)))
}

// update applies changes to the rows of the ids $3 that they change, and returns the ids of those.
// It finds each row by its key, from an array, so that no plan joins an inbox with itself: not by
// the ctid of the locked row, which is another one in the snapshot if a concurrent statement has
// just changed it. The rows are locked in the order of the ids, which rules out deadlocks between
// callers.
const update = `
UPDATE fanfare.notifications AS n
SET seen_at = CASE
        WHEN $4::boolean OR $4 IS NULL AND $5::boolean AND ` + readAt + ` IS NULL THEN coalesce(` + seenAt + `, now())
        WHEN NOT $4 THEN NULL
        ELSE ` + seenAt + ` END,
    read_at = CASE $5::boolean WHEN true THEN coalesce(` + readAt + `, now()) WHEN false THEN NULL
        ELSE ` + readAt + ` END,
    archived_at = CASE $6::boolean WHEN true THEN coalesce(n.archived_at, now()) WHEN false THEN NULL
        ELSE n.archived_at END,
    snoozed_until = CASE WHEN $7::boolean THEN $8::timestamptz ELSE ` + snoozedTo + ` END
WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = ANY (ARRAY(
    SELECT l.activity_id
    FROM unnest((SELECT $3::uuid[])) AS u(activity_id)
    CROSS JOIN LATERAL (
        SELECT n.activity_id FROM fanfare.notifications AS n
        WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id
          AND ($4 <> (` + seenAt + ` IS NOT NULL) OR $5 <> (` + readAt + ` IS NOT NULL)
              OR $6 <> (n.archived_at IS NOT NULL) OR $7 AND ` + snoozedTo + ` IS DISTINCT FROM $8)
        LIMIT 1 FOR NO KEY UPDATE
    ) AS l))
RETURNING n.activity_id`

// apply applies changes to notifications and returns the ids of those that it changed.
func (c Changes) apply(
	ctx context.Context, db pg.Querier, principal activity.Principal, ids []uuid.UUID,
) ([]uuid.UUID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	rows, err := db.Query(ctx, update, c.arguments(principal, ids)...)
	if err != nil {
		return nil, fmt.Errorf("mark notifications: %w", err)
	}
	changed, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	if err != nil {
		return nil, fmt.Errorf("mark notifications: %w", err)
	}
	list := make([]uuid.UUID, len(changed))
	for i, id := range changed {
		list[i] = id
	}
	return list, nil
}

func (c Changes) arguments(principal activity.Principal, ids []uuid.UUID) []any {
	var until *time.Time
	if c.Snooze != nil && !c.Snooze.Until.IsZero() {
		until = &c.Snooze.Until
	}
	return []any{
		principal.TenantID, principal.PrincipalID, pg.UUIDs(ids), c.Seen, c.Read, c.Archived, c.Snooze != nil, until,
	}
}
