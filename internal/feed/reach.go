package feed

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// reached is what one statement has read of the log: the activities that the principal may see, and
// those about which directory.CanView decides.
type reached struct {
	complete  bool                // whether the statement could decide; if not, it has read nothing
	headers   []activity.Activity // newest first; or whole activities
	undecided []int               // of headers
	read      int                 // the number of activities that it has read
	last      uuid.UUID           // the oldest of them, unless the log ends before
	more      bool                // whether the log goes on
}

// listReached is List for a principal whose part of the tree fits into a statement, which then
// reads the log until the page is full. ok is false if it does not fit.
//
// Like Read, it compares only visible activities with the filter.
func listReached(
	ctx context.Context, db DB, r Request, scan pglog.Scan,
) (found []activity.Activity, next uuid.UUID, ok bool, err error) {
	limit := r.Page.EffectiveLimit()
	want, whole := limit+1, scan.Key == r.Filter
	if !whole {
		want = max(want, firstChunk)
	}
	found = []activity.Activity{}
	for scan.Limit = ReadBudget; scan.Limit > 0; {
		part, err := readReached(ctx, db, r.Principal, scan, want, whole)
		if err != nil {
			return nil, uuid.Nil, false, err
		}
		if !part.complete { // the directory may have changed since the previous part
			return found, scan.Before, scan.Limit < ReadBudget, nil
		}
		passed, err := part.passing(ctx, db, r, whole, limit+1-len(found))
		if err != nil {
			return nil, uuid.Nil, false, err
		}
		if found = append(found, passed...); len(found) > limit {
			return found[:limit], found[limit-1].ID, true, nil
		}
		if !part.more {
			return found, uuid.Nil, true, nil
		}
		scan.Before = part.last
		scan.Limit -= part.read
		// Much of what was wanted did not pass. A few statements with many headers read the rest of
		// the budget, however little of it passes.
		want, whole = nextChunk(want), false
	}
	return found, scan.Before, true, nil
}

// passing returns the activities that the principal may see and that pass the filter, newest first,
// at most limit. whole reports whether the headers are whole activities of the filter.
func (p *reached) passing(
	ctx context.Context, db DB, r Request, whole bool, limit int,
) ([]activity.Activity, error) {
	if err := p.decide(ctx, db, r.Principal); err != nil {
		return nil, err
	}
	if whole || len(p.headers) == 0 {
		return p.headers[:min(limit, len(p.headers))], nil
	}
	ids := make([]uuid.UUID, len(p.headers))
	for i := range p.headers {
		ids[i] = p.headers[i].ID
	}
	return pglog.New(db).Read(ctx, r.Principal.TenantID, ids, r.Filter, limit)
}

// decide removes those of the undecided activities that the principal may not see.
func (p *reached) decide(ctx context.Context, db DB, principal activity.Principal) error {
	if len(p.undecided) == 0 {
		return nil
	}
	asked := make([]activity.Activity, len(p.undecided))
	for i, n := range p.undecided {
		asked[i] = p.headers[n]
	}
	allowed, err := canView(ctx, db, directory.NewViewer(principal), asked)
	if err != nil {
		return err
	}
	for i, n := range slices.Backward(p.undecided) {
		if !allowed[i] {
			p.headers = slices.Delete(p.headers, n, n+1)
		}
	}
	p.undecided = nil
	return nil
}

// readReached reads the newest activities of a scan that the principal may see, at most want, and
// with them those that are undecided. It reads no activity beyond the last of these.
func readReached(
	ctx context.Context, db DB, principal activity.Principal, scan pglog.Scan, want int, whole bool,
) (p reached, err error) {
	statement, args := reachedStatement(principal, scan, want, whole)
	var row activity.Activity
	var number *int
	var visible *bool
	var stop uuid.UUID
	targets := append([]any{&p.complete, &number, &visible, (*zeronull.UUID)(&stop)}, columnsOf(whole).targets(&row)...)
	active := false
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(statement, args...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, targets, func() error {
			active = true
			if number == nil {
				return nil
			}
			if visible == nil {
				p.undecided = append(p.undecided, len(p.headers))
			}
			p.headers = append(p.headers, row)
			p.read, p.last = *number, row.ID
			row = activity.Activity{}
			return nil
		})
		return err
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return reached{}, fmt.Errorf("scan the log: %w", err)
	}
	p.complete = p.complete || !active // who is inactive sees nothing
	p.more = len(p.headers) == want
	if stop != uuid.Nil {
		p.read, p.last, p.more = scan.Limit, stop, true
	}
	return p, nil
}

// columns are those of an activity "a", of which a row "d" has the header, with the destinations to
// scan them into.
type columns struct {
	list    string
	from    string
	targets func(a *activity.Activity) []any
}

// columnsOf returns those of a header, or all.
func columnsOf(whole bool) columns {
	if whole {
		return columns{pglog.Columns, pglog.ByID("d.id", "$1"), pglog.ScanTargets}
	}
	return columns{pglog.HeaderColumns, `LATERAL (SELECT d.*) AS a`, pglog.HeaderTargets}
}

// reachedStatement returns the statement of readReached. Every row has whether the statement could
// decide, and the oldest activity that it has read if it ended at the limit of the scan.
//
// PostgreSQL evaluates a CTE only as far as it is read, so the scan ends with the last activity
// that is wanted. Nothing but the header decides about visibility.
func reachedStatement(principal activity.Principal, scan pglog.Scan, want int, whole bool) (string, []any) {
	scanned, args := scan.Statement(directory.ReachArguments(principal)...)
	args = append(args, int64(want), int64(scan.Limit))
	of := columnsOf(whole)
	return fmt.Sprintf(`
		WITH reach AS MATERIALIZED (
			%[1]s
		), scanned AS MATERIALIZED (
			SELECT a.*, row_number() OVER () AS number
			FROM (%[2]s) AS a
			WHERE (SELECT r.complete FROM reach AS r)
		), decided AS MATERIALIZED (
			SELECT *
			FROM (SELECT a.*, %[3]s AS visible FROM scanned AS a OFFSET 0) AS a
			WHERE a.visible IS NOT FALSE
			LIMIT $%[6]d
		)
		SELECT r.complete, d.number, d.visible, stop.id, %[4]s
		FROM reach AS r
		LEFT JOIN decided AS d ON true
		LEFT JOIN %[5]s ON true
		LEFT JOIN (
			SELECT s.id FROM scanned AS s
			WHERE (SELECT count(*) FROM decided) < $%[6]d
			OFFSET $%[7]d - 1
			LIMIT 1
		) AS stop ON true
		ORDER BY d.number`,
		directory.Reach, scanned, directory.ReachDecides, of.list, of.from, len(args)-1, len(args)), args
}
