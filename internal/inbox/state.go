package inbox

import (
	"github.com/fanfarehq/fanfare/activity/invalid"
)

// State selects notifications by what their principal has done with them. The empty State is
// InInbox.
type State string

// The states. A notification is archived, or else snoozed until a time, or else in the inbox; there
// it may be unread and unseen.
const (
	InInbox  State = "inbox" // neither archived nor snoozed
	Unread   State = "unread"
	Unseen   State = "unseen"
	Archived State = "archived"
	Snoozed  State = "snoozed"
	All      State = "all"
)

// The columns of a notification as they are now: the database's clock ends a snooze, and the worker
// follows. A notification that was seen or read before its snooze ended is no longer seen or read.
//
// In conditions, coalesce hides from the planner that a snooze is not null: an index of all snoozes
// of all principals would seem to serve a list of one's own.
const (
	ended     = `coalesce(n.snoozed_until, '-infinity') <= now()`
	placed    = `n.archived_at IS NULL AND ` + ended
	isUnread  = `(n.read_at IS NULL OR n.read_at < n.snoozed_until)`
	isUnseen  = `(n.seen_at IS NULL OR n.seen_at < n.snoozed_until)`
	seenAt    = `CASE WHEN ` + placed + ` AND ` + isUnseen + ` THEN NULL ELSE n.seen_at END`
	readAt    = `CASE WHEN ` + placed + ` AND ` + isUnread + ` THEN NULL ELSE n.read_at END`
	snoozedTo = `CASE WHEN ` + ended + ` THEN NULL ELSE n.snoozed_until END`
)

// condition returns the condition that a notification n is in a state.
func (s State) condition() string {
	switch s {
	case Unread, Unseen:
		return placed + ` AND ` + s.within()
	case Archived:
		return `n.archived_at IS NOT NULL`
	case Snoozed:
		return `n.archived_at IS NULL AND coalesce(n.snoozed_until, '-infinity') > now()`
	case All:
		return `true`
	case InInbox:
	}
	return placed
}

// within returns the condition that a notification n of the inbox is in a state, or "" if the state
// is not one within the inbox.
func (s State) within() string {
	switch s {
	case Unread:
		return isUnread
	case Unseen:
		return isUnseen
	default:
		return ""
	}
}

// validate returns an *invalid.Error unless the state is one of the above or empty.
func (s State) validate() error {
	switch s {
	case "", InInbox, Unread, Unseen, Archived, Snoozed, All:
		return nil
	}
	return &invalid.Error{Subject: "filter", Fields: []invalid.Field{{
		Name: "state", Value: string(s), Rule: "must be inbox, unread, unseen, archived, snoozed or all",
	}}}
}
