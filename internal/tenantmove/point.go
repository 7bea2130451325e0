package tenantmove

// Point is a moment of a move at which it may be interrupted.
type Point string

// The points, in their order. Those that are named after a step are right after it was stored; the
// others are within a step, where named, in its transaction.
const (
	BegunHalf    Point = "begun in the destination"
	BegunDone    Point = "begun"
	CopyingDone  Point = "copying"
	CopyingSome  Point = "copying: after a chunk"
	CopyingAll   Point = "copying: all copied"
	FrozenHalf   Point = "frozen: before the commit"
	FrozenDone   Point = "frozen"
	DeltaHalf    Point = "delta: before the commit"
	DeltaDone    Point = "delta"
	VerifiedHalf Point = "verified: before the log"
	VerifiedDone Point = "verified"
	OpenedHalf   Point = "opened: before the commit"
	OpenedDone   Point = "opened"
	MovedHalf    Point = "moved: before the commit"
	MovedDone    Point = "moved"
	ClearedSome  Point = "cleared: after a batch"
	ClearedHalf  Point = "cleared: all removed"
	ClearedDone  Point = "cleared"
)

// Points returns the points of a move, in their order.
func Points() []Point {
	return []Point{
		BegunHalf, BegunDone, CopyingDone, CopyingSome, CopyingAll, FrozenHalf, FrozenDone, DeltaHalf, DeltaDone,
		VerifiedHalf, VerifiedDone, OpenedHalf, OpenedDone, MovedHalf, MovedDone, ClearedSome, ClearedHalf, ClearedDone,
	}
}

// Abortable reports whether a move that was interrupted at the point can be aborted.
func (p Point) Abortable() bool {
	for _, q := range Points() {
		if q == OpenedDone {
			return false
		}
		if q == p {
			return true
		}
	}
	return false
}
