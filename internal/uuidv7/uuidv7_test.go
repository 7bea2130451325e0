package uuidv7

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestTimeOfAnID(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 30, 15, 987_000_000, time.UTC)
	for name, id := range map[string]uuid.UUID{
		"floor":       Floor(at),
		"random bits": At(at, uuid.New()),
		"all bits":    At(at, uuid.Max),
	} {
		if got := Time(id); !got.Equal(at) {
			t.Errorf("%s: got %s, want %s", name, got, at)
		}
		if bytes.Compare(id[:], func() []byte { f := Floor(at); return f[:] }()) < 0 {
			t.Errorf("%s: got %s, below the floor of its time", name, id)
		}
	}
}

func TestAtMakesAUUIDv7(t *testing.T) {
	t.Parallel()
	bits := uuid.MustParse("ffffffff-ffff-ffff-ffff-ffffffffffff")
	id := At(time.UnixMilli(0x0123456789ab), bits)
	if want := "01234567-89ab-7fff-bfff-ffffffffffff"; id.String() != want {
		t.Errorf("got %s, want %s", id, want)
	}
	if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		t.Errorf("got version %d and variant %s, want 7 and RFC4122", id.Version(), id.Variant())
	}
}

func TestFloorOfTimesThatNoIDHolds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		at   time.Time
		want uuid.UUID
	}{
		"zero time":      {time.Time{}, uuid.Nil},
		"1969":           {time.UnixMilli(-1), uuid.Nil},
		"1970":           {time.UnixMilli(0), uuid.Nil},
		"last that fits": {time.UnixMilli(1<<48 - 1), uuid.MustParse("ffffffff-ffff-0000-0000-000000000000")},
		"beyond":         {time.UnixMilli(1 << 48), uuid.Max},
	} {
		if got := Floor(tc.at); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

func TestGeneratorAscends(t *testing.T) {
	t.Parallel()
	var g Generator
	now := time.Now()
	last := uuid.Nil
	for n := range 10_000 {
		at := now.Add(time.Duration(n/100) * time.Microsecond)
		id := g.New(at)
		if bytes.Compare(id[:], last[:]) <= 0 {
			t.Fatalf("got %s after %s, want ascending ids", id, last)
		}
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 || !Time(id).Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("got %s of %s, want a UUIDv7 of %s", id, Time(id), at)
		}
		last = id
	}
}
