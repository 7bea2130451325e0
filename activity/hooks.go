package activity

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// BeforeAppend sees an envelope before it is recorded. It may patch it in place: set a field, or
// replace the payload, which belongs to whoever records and must not be written into. An error
// keeps the envelope from being recorded: a *VetoError says why, an *invalid.Error which field
// breaks which rule.
//
// It runs while the caller's transaction is open, so it should be quick, and it may be called from
// many goroutines at once.
type BeforeAppend func(ctx context.Context, e *Envelope) error

// AfterAppend hears of an activity once it is committed. It may be called from many goroutines at
// once, cannot fail its caller, and is not called for an activity that stood already. It hears of
// each at most once: a process that dies right after the commit tells nobody. What must not be
// missed is the worker's to deliver.
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

	// Panicked is called with the panic of an AfterAppend and its stack; the other hooks are called
	// nevertheless. nil discards the panic: an application with After hooks should report it.
	Panicked func(ctx context.Context, cause any, stack []byte)
}

// Prepare returns the envelope as it is to be recorded: with the actor and the request id of the
// context and the time of the clock, each where the envelope gives none, and then as the Before
// hooks leave it. The caller's own is not changed.
//
// A hook may name the tenant of an envelope that has none, but not move one to another tenant: that
// is refused with an *invalid.Error. The error is a hook's own if it is a *VetoError or an
// *invalid.Error. A hook's panic is the caller's.
func (h Hooks) Prepare(ctx context.Context, e Envelope) (Envelope, error) {
	e = e.WithContext(ctx)
	if h.Now != nil && e.OccurredAt.IsZero() {
		e.OccurredAt = h.Now()
	}
	if len(h.Before) == 0 {
		return e, nil
	}
	tenant := e.TenantID
	e.DeliveryChannels = slices.Clone(e.DeliveryChannels)
	for _, before := range h.Before {
		if err := before(ctx, &e); err != nil {
			return Envelope{}, hookError(err)
		}
		if tenant != uuid.Nil && e.TenantID != tenant {
			return Envelope{}, &invalid.Error{
				Fields: []invalid.Field{
					{Name: "tenant_id", Value: e.TenantID.String(), Rule: "must not be changed by a hook"},
				},
			}
		}
	}
	return e, nil
}

// hookError leaves what says why nothing is recorded as it is, and says of anything else what was
// being done.
func hookError(err error) error {
	if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
		return invalidErr
	}
	if veto := (*VetoError)(nil); errors.As(err, &veto) {
		return veto
	}
	return fmt.Errorf("hook before recording: %w", err)
}

// Announce tells the After hooks of what was created. It is called once the transaction that
// recorded it has committed, by whoever committed it. It never panics.
func (h Hooks) Announce(ctx context.Context, recorded ...Recorded) {
	if len(h.After) == 0 {
		return
	}
	for i := range recorded {
		if !recorded[i].Created {
			continue
		}
		announcement := recorded[i].Announcement()
		for _, after := range h.After {
			h.notify(ctx, after, announcement)
		}
	}
}

func (h Hooks) notify(ctx context.Context, after AfterAppend, r ActivityRecorded) {
	defer func() {
		if cause := recover(); cause != nil && h.Panicked != nil {
			h.Panicked(ctx, cause, debug.Stack())
		}
	}()
	after(ctx, r)
}
