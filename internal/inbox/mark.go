package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/feed"
)

// The bounds of Mark.
const (
	MaxMarkIDs = 1_000  // ids that it takes, and that it returns
	MarkBudget = 50_000 // notifications that it reads
	markChunk  = 5_000  // notifications that it changes in one statement
)

// Marking is what Mark changes.
type Marking struct {
	Selection Selection   // not used if there are IDs
	IDs       []uuid.UUID // at most MaxMarkIDs; unknown and repeated ones count once or not at all
	UpTo      uuid.UUID   // only this notification, which need not exist, and older ones; uuid.Nil is all
	After     uuid.UUID   // the Next of a previous call; uuid.Nil begins
	Changes   Changes
}

// Marked is what Mark has changed.
type Marked struct {
	Count int
	IDs   []uuid.UUID // of the changed notifications; nil if they are more than MaxMarkIDs
	Next  uuid.UUID   // Marking.After to continue; uuid.Nil at the end
}

// Mark changes the notifications of a selection, or of ids, whose activities the principal may see
// now. It counts those that were not already as the changes make them. It reads at most MarkBudget
// notifications: if there are more, the result has a Next. With a pool, every markChunk
// notifications are a transaction of their own.
//
// The error is an *invalid.Error if a part of the marking is invalid.
func Mark(ctx context.Context, db DB, principal activity.Principal, m Marking) (Marked, error) {
	if err := m.validate(); err != nil {
		return Marked{}, err
	}
	if err := m.Changes.Validate(ctx, db); err != nil {
		return Marked{}, err
	}
	if m.IDs != nil {
		return m.markIDs(ctx, db, principal)
	}
	result := Marked{IDs: []uuid.UUID{}}
	before := m.After
	if before == uuid.Nil {
		before = m.below()
	}
	for budget := MarkBudget; ; {
		p, err := scan(ctx, db, principal, m.Selection, before, markChunk)
		if err != nil {
			return result, err
		}
		if err := m.mark(ctx, db, principal, p, &result); err != nil || p.read < markChunk {
			return result, err
		}
		before = p.last
		if budget -= p.read; budget == 0 {
			result.Next = before
			return result, nil
		}
	}
}

func (m *Marking) validate() error {
	if len(m.IDs) > MaxMarkIDs {
		return &invalid.Error{Subject: "marking", Fields: []invalid.Field{{
			Name: "ids", Value: fmt.Sprintf("%d ids", len(m.IDs)),
			Rule: fmt.Sprintf("must be at most %d ids", MaxMarkIDs),
		}}}
	}
	return m.Selection.Validate()
}

// below returns the lowest id above UpTo.
func (m *Marking) below() uuid.UUID {
	if m.UpTo == uuid.Nil {
		return uuid.Max
	}
	return successor(m.UpTo)
}

func (m *Marking) markIDs(ctx context.Context, db DB, principal activity.Principal) (Marked, error) {
	result := Marked{IDs: []uuid.UUID{}}
	upTo := m.UpTo
	if upTo == uuid.Nil {
		upTo = uuid.Max
	}
	p, err := scanIDs(ctx, db, principal, m.IDs, upTo)
	if err != nil {
		return result, err
	}
	return result, m.mark(ctx, db, principal, p, &result)
}

// mark applies the changes to what the principal may see of a part.
func (m *Marking) mark(ctx context.Context, db DB, principal activity.Principal, p part, result *Marked) error {
	filter := m.Selection.Filter
	if m.IDs != nil {
		filter = activity.Filter{}
	}
	ids, err := feed.Visible(ctx, db, principal, p.headers(), filter)
	if err != nil {
		return err
	}
	changed, err := m.Changes.apply(ctx, db, principal, ids)
	if err != nil {
		return err
	}
	result.Count += len(changed)
	if result.Count > MaxMarkIDs {
		result.IDs = nil
	} else {
		result.IDs = append(result.IDs, changed...)
	}
	return nil
}

// MarkAllRead marks as read the notifications of the inbox that are unread, up to an id, which need
// not exist, or all for uuid.Nil. It returns their number.
func MarkAllRead(ctx context.Context, db DB, principal activity.Principal, upTo uuid.UUID) (int, error) {
	m := Marking{Selection: Selection{State: Unread}, UpTo: upTo, Changes: Changes{Read: new(true)}}
	for marked := 0; ; {
		result, err := Mark(ctx, db, principal, m)
		if marked += result.Count; err != nil || result.Next == uuid.Nil {
			return marked, err
		}
		m.After = result.Next
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

// Get returns a notification. The error is activity.ErrNotFound if the principal has no such
// notification or may not see its activity now; which of the two, the time does not tell.
func Get(ctx context.Context, db DB, principal activity.Principal, id uuid.UUID) (Notification, error) {
	found, err := feed.Get(ctx, db, principal, id)
	if err != nil {
		return Notification{}, fmt.Errorf("notification %s: %w", id, err)
	}
	p, err := scanIDs(ctx, db, principal, []uuid.UUID{id}, id)
	if err != nil {
		return Notification{}, err
	}
	if len(p.rows) == 0 {
		return Notification{}, fmt.Errorf("notification %s: %w", id, activity.ErrNotFound)
	}
	p.rows[0].Activity = found
	return p.rows[0], nil
}

// Change changes one notification and returns it. The error is that of Get, or an *invalid.Error if
// the changes are invalid.
func Change(
	ctx context.Context, db DB, principal activity.Principal, id uuid.UUID, changes Changes,
) (Notification, error) {
	if err := changes.Validate(ctx, db); err != nil {
		return Notification{}, err
	}
	n, err := Get(ctx, db, principal, id)
	if err != nil {
		return Notification{}, err
	}
	changed, err := changes.apply(ctx, db, principal, []uuid.UUID{id})
	if err != nil || len(changed) == 0 {
		return n, err
	}
	p, err := scanIDs(ctx, db, principal, changed, id)
	if err != nil {
		return Notification{}, err
	}
	if len(p.rows) == 0 {
		return Notification{}, fmt.Errorf("notification %s: %w", id, activity.ErrNotFound)
	}
	p.rows[0].Activity = n.Activity
	return p.rows[0], nil
}
