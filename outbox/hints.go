package outbox

import (
	"fmt"
	"strconv"
	"strings"
)

// hints bound the scan of one lane, so that a claim does not walk the dead rows that an old
// snapshot keeps from being vacuumed. They live in memory only and are worth nothing to anyone
// else: to forget them costs one full scan, never a row.
//
// The reasoning, for one lane. A recording takes its transaction id before its seq. So a
// transaction with an id above H, the claim's own, takes its seqs after all that the claim could
// see. Whatever may still turn up at or below pos therefore comes from a transaction that was in
// progress then: those listed in the claim's snapshot, and those from the snapshot's xmax (the last
// completed id plus one) up to H.
type hints struct {
	pos     int64            // every row up to here that could be seen has been removed
	running map[uint64]int64 // transactions that may still bring rows at or below pos → a seq that all of these are above
}

// snapshot is a pg_snapshot: which transactions are over. Every id below xmin is; every id from
// xmax on is not.
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

// ended reports whether the transaction is over, committed or not.
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

// removed notes a committed claim that took rows: its snapshot, its own transaction id (taken after
// the snapshot), the last seq removed, and whether visible rows were left behind it (by LIMIT, or
// because the handler stopped short).
func (h *hints) removed(s snapshot, self uint64, last int64, cut bool) {
	before := h.pos
	if cut || last > before {
		h.pos = last
	}
	running := make(map[uint64]int64, len(s.running)+int(self-min(s.xmax, self)))
	note := func(xid uint64) {
		bound, known := h.running[xid]
		if !known {
			bound = before // younger than the previous claim, so its seqs are above all that was seen then
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

// empty notes a look, by claim or probe, that found nothing above the bound: what had ended by then
// brought nothing.
func (h *hints) empty(s snapshot) {
	for xid := range h.running {
		if s.ended(xid) {
			delete(h.running, xid)
		}
	}
}

// forget starts again from a full scan.
func (h *hints) forget() {
	*h = hints{}
}
