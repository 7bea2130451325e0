package activity

import (
	"context"
	"time"
)

// BeforeAppend sees an envelope before it is recorded. It may patch it in place. An error keeps it from being recorded: a
// *VetoError says why, an *InvalidError which field breaks which rule.
type BeforeAppend func(ctx context.Context, e *Envelope) error

// AfterAppend hears of an activity once it is committed. It may be called from many goroutines at once, cannot fail its caller,
// and is not called for an activity that stood already.
type AfterAppend func(ctx context.Context, r ActivityRecorded)

// VetoError keeps an envelope from being recorded. Nothing was written.
type VetoError struct {
	Reason string
}

func (e *VetoError) Error() string { return "recording vetoed: " + e.Reason }

// Hooks is what an application adds around the appending to a log. The zero value adds nothing.
type Hooks struct {
	Before []BeforeAppend   // in their order; the first error ends it
	After  []AfterAppend    // in their order
	Now    func() time.Time // what OccurredAt is taken from where it is not given; nil leaves it to the log
}
