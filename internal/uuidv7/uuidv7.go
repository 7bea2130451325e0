// Package uuidv7 relates UUIDv7s to times (RFC 9562, section 5.7). The id of an activity is one, so
// a range of ids is a range of time.
package uuidv7

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Time returns the time of a UUIDv7, in UTC and to the millisecond.
func Time(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// Micros returns the time of a UUIDv7 of fanfare.uuidv7_of or a Generator, in UTC and to the
// microsecond.
func Micros(id uuid.UUID) time.Time {
	fraction := int64(binary.BigEndian.Uint16(id[6:8]) & 0x0fff)
	return Time(id).Add(time.Duration((fraction*1000+4095)/4096) * time.Microsecond)
}

// Floor returns the lowest id of the millisecond of a time, as the SQL function
// fanfare.uuidv7_floor does. It is a bound and not a UUIDv7: it has no version. A time before 1970
// gives uuid.Nil, and a time that 48 bits cannot hold gives uuid.Max.
func Floor(at time.Time) (floor uuid.UUID) {
	millis := at.UnixMilli()
	switch {
	case millis <= 0:
		return uuid.Nil
	case millis >= 1<<48:
		return uuid.Max
	}
	binary.BigEndian.PutUint64(floor[:8], uint64(millis)<<16)
	return floor
}

// At returns the UUIDv7 of a time with the 74 remaining bits of another id, such as a random one.
func At(at time.Time, bits uuid.UUID) uuid.UUID {
	millis := uint64(at.UnixMilli())
	binary.BigEndian.PutUint64(bits[:8], millis<<16|7<<12|uint64(bits[6]&0x0f)<<8|uint64(bits[7]))
	bits[8] = bits[8]&0x3f | 0x80
	return bits
}
