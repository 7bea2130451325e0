package cells

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Slots is the number of slots, which are numbered from 0.
const Slots = 1 << 16

// SlotOf returns the slot of a tenant: the first two bytes of the SHA-256 of its id's 16 bytes,
// big-endian.
func SlotOf(tenant uuid.UUID) int {
	sum := sha256.Sum256(tenant[:])
	return int(binary.BigEndian.Uint16(sum[:2]))
}

// Range is a range of slots. It includes both ends.
type Range struct{ First, Last int }

// String returns the range as the file has it: 0-32767, or 7 for one slot.
func (r Range) String() string {
	if r.First == r.Last {
		return strconv.Itoa(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

func (r Range) overlaps(other Range) bool { return r.First <= other.Last && other.First <= r.Last }

// parseRange parses a range, and returns the rule that the text violates, or "".
func parseRange(text string) (r Range, rule string) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	var firstOK, lastOK bool
	r.First, firstOK = parseSlot(first)
	r.Last, lastOK = parseSlot(last)
	switch {
	case !firstOK || !lastOK:
		return Range{}, fmt.Sprintf("must be a slot or a range of slots from 0 to %d, such as 0-32767", Slots-1)
	case r.First > r.Last:
		return Range{}, "must not end before it begins"
	}
	return r, ""
}

func parseSlot(text string) (slot int, ok bool) {
	slot, err := strconv.Atoi(text)
	return slot, err == nil && strconv.Itoa(slot) == text && 0 <= slot && slot < Slots
}
