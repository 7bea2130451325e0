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

// BeforeAppend is called with an envelope before it is recorded. It may modify it: set a field, or
// replace the payload, whose value belongs to the caller and must not be modified. An error keeps
// the envelope from being recorded: a *VetoError gives the reason, an *invalid.Error the violated
// rules.
//
// It is called inside the caller's transaction, so that it should return quickly, and it must be
// safe for concurrent use.
type BeforeAppend func(ctx context.Context, e *Envelope) error

// AfterAppend is called with an activity after its transaction has committed. It must be safe for
// concurrent use and cannot fail its caller. It is not called for a duplicate.
//
// It is called at most once for an activity: not at all if the process ends between the commit and
// the call. What must not be missed is delivered by the worker.
type AfterAppend func(ctx context.Context, r ActivityRecorded)

// VetoError reports that a BeforeAppend hook refused an envelope. Nothing was written.
type VetoError struct {
	Reason string
}

func (e *VetoError) Error() string { return "recording vetoed: " + e.Reason }

// Hooks extend the recording of activities. The zero value adds nothing.
type Hooks struct {
	Before []BeforeAppend   // called in order; the first error ends the recording
	After  []AfterAppend    // called in order
	Now    func() time.Time // the clock for OccurredAt; nil leaves it to the log

	// Panicked is called with the panic of an AfterAppend hook and its stack; the following hooks
	// are called nevertheless. nil discards the panic, so that an application with After hooks
	// should set Panicked to report it.
	Panicked func(ctx context.Context, cause any, stack []byte)
}

// Prepare returns the envelope as it is to be recorded: with the actor and the request id of the
// context and the time of the clock where it has none, and modified by the Before hooks. The
// caller's envelope is not modified.
//
// A hook may set the tenant of an envelope that has none, but not change it: that is refused with
// an *invalid.Error. A *VetoError or an *invalid.Error of a hook is returned unwrapped. A panic of
// a hook is not recovered.
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
			return Envelope{}, &invalid.Error{Fields: []invalid.Field{
				{Name: "tenant_id", Value: e.TenantID.String(), Rule: "must not be changed by a hook"},
			}}
		}
	}
	return e, nil
}

// hookError unwraps a refusal and wraps any other error.
func hookError(err error) error {
	if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
		return invalidErr
	}
	if veto, ok := errors.AsType[*VetoError](err); ok {
		return veto
	}
	return fmt.Errorf("hook before recording: %w", err)
}

// Announce calls the After hooks with the activities that were created. The owner of the
// transaction calls it after the commit. It does not panic.
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
