package loggen

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/bench/internal/bulk"
)

// TestMonths reads the generators' rows as COPY does, and compares each id with the bounds of its
// partition.
func TestMonths(t *testing.T) {
	l := New(Options{Activities: 20_000, Tenants: 7, Months: 3})
	months, rows := l.months(), 0
	for _, m := range months {
		if got := m.generator.next(nil); !bytes.Equal(got, bulk.Header) {
			t.Fatalf("%s begins with %q", m.name, got)
		}
		for {
			row := m.generator.next(nil)
			if bytes.Equal(row, bulk.Trailer) {
				break
			}
			if got := binary.BigEndian.Uint16(row); got != columnCount {
				t.Fatalf("%s: a row of %d fields, want %d", m.name, got, columnCount)
			}
			millis := int64(binary.BigEndian.Uint64(row[6:14]) >> 16) // after the number of fields and the id's length
			if at := time.UnixMilli(millis); at.Before(m.low) || !at.Before(m.high) {
				t.Fatalf("%s: an activity of %s", m.name, at.UTC())
			}
			rows++
		}
		if got := m.generator.next(nil); len(got) != 0 {
			t.Fatalf("%s continues after its end with %q", m.name, got)
		}
	}
	if rows != l.Activities() || l.Written() != rows {
		t.Errorf("%d rows in %d months, %d counted, want %d", rows, len(months), l.Written(), l.Activities())
	}
}
