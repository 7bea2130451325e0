package tenantmove

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// action is what is done next.
type action int

// The actions of a move, in their order, and those of its abortion.
const (
	actBegin   action = iota // compare the databases, store the rows
	actCopy                  // copy while the source is in use
	actFreeze                // freeze the source
	actStage                 // let the worker deliver, take the rest out of its reach
	actDelta                 // copy the rest, compare
	actOpen                  // open the destination
	actFinish                // store in the source that the tenant has moved
	actClean                 // delete the destination's row
	actClear                 // remove the source's copy
	actForbid                // abort: the destination can no longer be opened
	actRelease               // abort: the source is as before
	actDiscard               // abort: remove the destination's copy
	actNothing
)

// ErrOpened is the error for a move that cannot be aborted any more.
var ErrOpened = errors.New("the destination is open, so the move cannot be aborted: repeat the command without --abort")

// ErrNoMove is the error for the abortion of a move that does not exist.
var ErrNoMove = errors.New("the tenant is not being moved between these databases")

// wish is what the caller wants.
type wish struct {
	peer       string // the name of the destination
	keepSource bool
}

// next returns what is done next to move a tenant, given the rows of both databases, which may be
// nil.
func next(source, destination *Row, w wish) (action, error) {
	if source != nil && source.Role == Destination {
		return actNothing, fmt.Errorf("the tenant is being moved into this database, from %s", source.Peer)
	}
	if source != nil && source.Peer != w.peer {
		verb := "is being moved"
		if source.Step == Moved || source.Step == Cleared {
			verb = "has been moved"
		}
		return actNothing, fmt.Errorf("the tenant %s to %s, not to %s", verb, source.Peer, w.peer)
	}
	here := partOf(source, destination)
	if here != nil && here.Step == Aborting {
		return actNothing, errors.New("the move is being aborted: end that with --abort first")
	}
	if source == nil {
		return begin(destination)
	}
	switch source.Step {
	case Moved, Cleared:
		switch {
		case here != nil:
			return actClean, nil
		case source.Step == Moved && !w.keepSource:
			return actClear, nil
		}
		return actNothing, nil
	}
	if here == nil {
		return actNothing, fmt.Errorf("the destination has no row of the move %s: abort it and begin again", source.ID)
	}
	if here.Step == Opened {
		return actFinish, nil
	}
	switch source.Step {
	case Begun:
		return actCopy, nil
	case Copying:
		return actFreeze, nil
	case Frozen:
		return actStage, nil
	case Delta:
		return actDelta, nil
	case Verified:
		return actOpen, nil
	}
	return actNothing, fmt.Errorf("the source is at the step %q, which this version does not know", source.Step)
}

// begin returns what is done if the source has no row.
func begin(destination *Row) (action, error) {
	switch {
	case destination == nil:
		return actBegin, nil
	case destination.Role == Source && destination.Step == Cleared:
		return actBegin, nil // the tenant returns
	case destination.Role == Source && destination.Step == Moved:
		return actNothing, fmt.Errorf("the tenant has been moved from there to %s, and its former copy remains: "+
			"remove it first, by repeating that move without --keep-source", destination.Peer)
	case destination.Role == Source:
		return actNothing, fmt.Errorf("the tenant is being moved from there to %s", destination.Peer)
	case destination.Step == Begun:
		return actBegin, nil // interrupted between the two rows
	case destination.Step == Aborting:
		return actNothing, errors.New("an earlier move is being aborted: end that with --abort first")
	}
	return actNothing, fmt.Errorf("the destination is at the step %q of another move", destination.Step)
}

// nextOfAbort returns what is done next to abort a move.
func nextOfAbort(source, destination *Row) (action, error) {
	if source != nil && (source.Role == Destination || source.Step == Moved || source.Step == Cleared) {
		return actNothing, ErrOpened
	}
	here := partOf(source, destination)
	switch {
	case source == nil && here == nil:
		return actNothing, ErrNoMove
	case here != nil && here.Step == Opened:
		return actNothing, ErrOpened
	case here != nil && here.Step != Aborting:
		return actForbid, nil
	case source != nil:
		return actRelease, nil
	}
	return actDiscard, nil
}

// partOf returns the destination's row if it belongs to the source's move, or to one of which the
// source has no row.
func partOf(source, destination *Row) *Row {
	if destination == nil || destination.Role != Destination {
		return nil
	}
	if source != nil && source.ID != destination.ID {
		return nil
	}
	return destination
}

// moveID returns the id of the move that begins: the one of the destination's row if the process
// was interrupted between the two rows.
func moveID(destination *Row) uuid.UUID {
	if part := partOf(nil, destination); part != nil {
		return part.ID
	}
	return uuid.New()
}
