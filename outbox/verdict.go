package outbox

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Verdict says what became of one activity.
type Verdict int

// The verdicts.
const (
	Delivered    Verdict = iota // done: it leaves the outbox
	Retry                       // it failed on its own: parked, tried again later, a dead letter after MaxAttempts
	DeadLettered                // it can never be delivered: a dead letter now
	FanOutJob                   // its audience is wide: it becomes a fan-out job
	Blocked                     // not tried: an earlier activity of its resource is a fan-out job of the same batch
)

// Outcome is the verdict on one activity. Err and Channels belong to Retry and DeadLettered: why, and which
// channels are still to be sent (nil means all).
type Outcome struct {
	Verdict  Verdict
	Err      error
	Channels []string
}

// ErrUnavailable marks an error of a Handler that is no activity's fault: what it publishes to
// cannot be reached. The lane waits and nothing is parked, however long it takes.
var ErrUnavailable = errors.New("unavailable")

// A Handler delivers. What it writes with tx commits together with the removal of what it
// delivered, so it must not commit or roll back tx itself. A Handler is called by several
// goroutines at once, never for one lane (or one job) at the same time.
type Handler interface {
	// Handle delivers a batch of one lane, in order for each resource, and returns an outcome for
	// each of the first so many items; those beyond are claimed again. An error leaves everything
	// as it was and has the batch tried again.
	Handle(ctx context.Context, tx pgx.Tx, batch []Item) ([]Outcome, error)

	// Step delivers to the next part of a wide audience.
	Step(ctx context.Context, tx pgx.Tx, job Job) (Step, error)
}

// Job is an activity with a wide audience, part of which has been told.
type Job struct {
	Item
	Lane            int
	LastPrincipalID uuid.UUID // everyone up to here has been told; uuid.Nil before the first step
	Notified        int64     // how many that were
}

// Step is what one step of a Job has done.
type Step struct {
	LastPrincipalID uuid.UUID
	Notified        int
	Done            bool // nobody is left
}
