package bulk

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// A stream in COPY's binary format (https://www.postgresql.org/docs/current/sql-copy.html) is a
// Header, rows, and a Trailer. A row is the number of its fields, followed by the fields.
var (
	Header  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	Trailer = []byte{0xff, 0xff}
)

// epoch is the origin of PostgreSQL's timestamps, in microseconds of Unix time.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// Fields appends the start of a row of n fields.
func Fields(row []byte, n int) []byte { return binary.BigEndian.AppendUint16(row, uint16(n)) }

// Null appends NULL of any type.
func Null(row []byte) []byte { return binary.BigEndian.AppendUint32(row, 0xffffffff) }

// UUID appends a uuid; uuid.Nil is NULL.
func UUID(row []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return Null(row)
	}
	return append(binary.BigEndian.AppendUint32(row, 16), id[:]...)
}

// uuidType is uuid's OID.
const uuidType = 2950

// UUIDs appends a uuid[] of one element; uuid.Nil is NULL.
func UUIDs(row []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return Null(row)
	}
	row = binary.BigEndian.AppendUint32(row, 20+4+16)
	for _, n := range [...]uint32{1, 0, uuidType, 1, 1} { // dimensions, nulls, type, length, lower bound
		row = binary.BigEndian.AppendUint32(row, n)
	}
	return UUID(row, id)
}

// Time appends a timestamptz.
func Time(row []byte, at time.Time) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(row, 8), uint64(at.UnixMicro()-epoch))
}

// Text appends a text; "" is NULL.
func Text(row []byte, text string) []byte {
	if text == "" {
		return Null(row)
	}
	return append(binary.BigEndian.AppendUint32(row, uint32(len(text))), text...)
}

// Bytes appends a bytea.
func Bytes(row, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(row, uint32(len(value))), value...)
}

// SmallInt appends a smallint.
func SmallInt(row []byte, n int16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(row, 2), uint16(n))
}

// JSONB appends a jsonb, which the server parses.
func JSONB(row, json []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(row, uint32(len(json)+1)), 1), json...)
}

// textType is text's OID.
const textType = 25

// NoTexts appends an empty text[].
func NoTexts(row []byte) []byte {
	row = binary.BigEndian.AppendUint32(row, 12)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(row, 0), textType)
}
