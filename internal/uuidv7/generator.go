package uuidv7

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Generator makes UUIDv7s in ascending order. The zero value is ready. It is not safe for
// concurrent use.
type Generator struct {
	last uuid.UUID
}

// New returns an id above every earlier one: milliseconds, 12 bits of the fraction of a
// millisecond, and 62 random bits that count up within a microsecond (RFC 9562, section 6.2,
// methods 3 and 2). now must not be earlier than in the call before. New panics when the ids of one
// microsecond are used up, which takes more than 2^29 of them.
func (g *Generator) New(now time.Time) uuid.UUID {
	id := uuid.New()
	random := binary.BigEndian.Uint64(id[8:]) &^ (1 << 61) // room to count
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|7<<12|uint64(now.UnixMicro()%1000*4096/1000))
	if bytes.Equal(id[:8], g.last[:8]) {
		random = binary.BigEndian.Uint64(g.last[8:]) + 1 + random>>32
	}
	binary.BigEndian.PutUint64(id[8:], random&^(1<<63|1<<62)|1<<63)
	if bytes.Compare(id[:], g.last[:]) <= 0 {
		panic("uuidv7: the ids of one microsecond are used up, or the time ran backwards")
	}
	g.last = id
	return id
}
