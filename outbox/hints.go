package outbox

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// hints bound the scan of one part of a lane, so that a claim does not scan the dead rows that an
// old snapshot protects from vacuum. They exist in memory only, and losing them costs one full
// scan, never a row.
//
// The reasoning, for one lane: a recording takes its transaction id before its seq. A transaction
// with an id above H, the claim's own id, therefore takes its seqs after every seq that the claim
// sees. A row that appears later at or below pos comes from a transaction that was in progress at
// the claim: one that the claim's snapshot lists, or one from the snapshot's xmax (the last
// completed id plus one) up to H. An older snapshot shows no fewer transactions in progress.
type hints struct {
	pos int64 // every visible row up to here is removed

	// running maps each transaction that may still add rows at or below pos to a seq below all of
	// these rows.
	running map[uint64]int64

	origin origin // of the latest result that the hints include
}

// origin identifies the server that a result comes from, and how far its counters are. A failover
// to a server that lacks the latest transactions, or a restored database, sets them back.
type origin struct {
	server  string
	lastSeq int64  // of the outbox's sequence; 0 if it is unknown
	xmax    uint64 // of the snapshot
}

// hold reports whether the hints may be applied to a result of o: it comes from the same server,
// and neither the seqs nor the transaction ids went back.
func (h *hints) hold(o origin) bool {
	return h.origin.server == "" || h.origin.server == o.server && h.origin.xmax <= o.xmax &&
		(o.lastSeq == 0 || h.pos <= o.lastSeq)
}

// observed is what a claim or a probe has seen of the outbox's sequence. A transaction with an id
// above xid took it after that, and its seqs after its id: they are above lastSeq.
type observed struct {
	xid     uint64
	lastSeq int64 // 0 if it is unknown
}

// snapshot is a pg_snapshot: it lists the transactions that have ended. Every id below xmin has,
// and no id from xmax on.
type snapshot struct {
	xmin, xmax uint64
	running    []uint64 // xip: in progress, between xmin and xmax
}

// parseSnapshot reads "xmin:xmax:xip,xip,…"
// (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
func parseSnapshot(text string) (snapshot, error) {
	var s snapshot
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("snapshot %q: must be xmin:xmax:xip_list", text)
	}
	var err error
	if s.xmin, err = strconv.ParseUint(parts[0], 10, 64); err != nil {
		return s, fmt.Errorf("snapshot %q: %w", text, err)
	}
	if s.xmax, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return s, fmt.Errorf("snapshot %q: %w", text, err)
	}
	for id := range strings.SplitSeq(parts[2], ",") {
		if id == "" {
			continue
		}
		xid, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return s, fmt.Errorf("snapshot %q: %w", text, err)
		}
		s.running = append(s.running, xid)
	}
	return s, nil
}

// ended reports whether the transaction has committed or rolled back.
func (s snapshot) ended(xid uint64) bool {
	if xid < s.xmin {
		return true
	}
	if xid >= s.xmax {
		return false
	}
	for _, id := range s.running {
		if id == xid {
			return false
		}
	}
	return true
}

// endedUntil reports whether a transaction with an id below bound has ended since the snapshot, and
// until a later one.
func (s snapshot) endedUntil(later snapshot, bound uint64) bool {
	for _, xid := range s.running {
		if xid < bound && later.ended(xid) {
			return true
		}
	}
	for xid := s.xmax; xid < min(bound, later.xmax); xid++ {
		if later.ended(xid) {
			return true
		}
	}
	return false
}

// removed updates the hints after a committed claim that removed rows. s is a snapshot that is not
// newer than the claim's, self its transaction id (taken after the claim's snapshot), last the last
// seq removed, or one that the claim saw, up to which nothing remains; cut reports that visible
// rows remain after last (by LIMIT, or because the handler returned fewer outcomes). seen is of an
// earlier claim or probe.
func (h *hints) removed(s snapshot, self uint64, last int64, cut bool, seen observed) {
	before := h.pos
	if cut || last > before {
		h.pos = last
	}
	running := make(map[uint64]int64, len(s.running)+int(self-min(s.xmax, self)))
	note := func(xid uint64) {
		bound, known := h.running[xid]
		if !known {
			bound = before // it began after the previous claim, so its seqs are above every seq that claim saw
			if xid > seen.xid {
				bound = max(bound, seen.lastSeq)
			}
		}
		running[xid] = min(bound, h.pos)
	}
	for _, xid := range s.running {
		note(xid)
	}
	for xid := s.xmax; xid < self; xid++ {
		note(xid)
	}
	h.running = running
}

// empty updates the hints after a claim or probe that found no row above the bound: the
// transactions that have ended in s, which is not newer than its snapshot, added none.
func (h *hints) empty(s snapshot) {
	for xid := range h.running {
		if s.ended(xid) {
			delete(h.running, xid)
		}
	}
}

// clone returns a copy that shares nothing.
func (h *hints) clone() hints {
	return hints{pos: h.pos, running: maps.Clone(h.running), origin: h.origin}
}

// nearby is how far below pos, in seqs, near leaves bounds.
const nearby = 1000

// near returns a copy without the transactions whose bounds are far below pos. It serves to find
// work early, not to find all: the rows of a deferred tenant are above such a bound, and every
// probe would pass them.
func (h *hints) near() hints {
	n := h.clone()
	maps.DeleteFunc(n.running, func(_ uint64, bound int64) bool { return bound < h.pos-nearby })
	return n
}

// merge returns hints that hold for the rows of both: a transaction that one of them does not
// contain has ended before its latest claim, or adds rows above every seq that it saw.
func (h *hints) merge(o hints) hints {
	merged := hints{pos: min(h.pos, o.pos), running: maps.Clone(h.running), origin: h.origin}
	if merged.running == nil {
		merged.running = map[uint64]int64{}
	}
	for xid, bound := range o.running {
		if known, found := merged.running[xid]; found {
			bound = min(bound, known)
		}
		merged.running[xid] = bound
	}
	for xid, bound := range merged.running {
		merged.running[xid] = min(bound, merged.pos)
	}
	return merged
}
