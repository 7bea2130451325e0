package outbox

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Verdict is the kind of an Outcome.
type Verdict int

// The verdicts.
const (
	Delivered    Verdict = iota // delivered: the activity leaves the outbox
	Retry                       // failed on its own: parked until the next attempt, a dead letter after MaxAttempts
	DeadLettered                // can never be delivered: becomes a dead letter now
	FanOutJob                   // has a wide audience: becomes a fan-out job
	Blocked                     // not attempted: an earlier activity of its resource became a fan-out job in this batch
	Pending                     // not delivered, and not at fault: it stays where it is until the lane's next claim
)

// Outcome is the result of one activity.
type Outcome struct {
	Verdict  Verdict
	Err      error    // the reason for Retry, DeadLettered and Pending
	Channels []string // the channels not reached; nil leaves the Item's
}

// ErrUnavailable marks an error of a Handler that is not an activity's fault: a server that it
// publishes to is unreachable. The lane waits, and no activity of it is parked, however long the
// outage lasts.
var ErrUnavailable = errors.New("unavailable")

// Handler delivers activities. Its writes with tx commit together with the removal of the delivered
// activities, so it must not commit or roll back tx. Several goroutines call a Handler at once, but
// never for the same lane or the same job.
type Handler interface {
	// Handle delivers a batch of one lane, in order for each resource. It returns one outcome for
	// each item of a prefix of the batch; the items after the prefix are claimed again. If an item
	// is Pending, so are the later ones of its resource. An error rolls the batch back, and the
	// batch is attempted again.
	Handle(ctx context.Context, tx pgx.Tx, batch []Item) ([]Outcome, error)

	// Step delivers a job to the next part of its audience.
	Step(ctx context.Context, tx pgx.Tx, job Job) (Step, error)
}

// Job is a fan-out job: an activity whose wide audience is notified in steps.
type Job struct {
	Item
	Lane            int
	LastPrincipalID uuid.UUID // the cursor: every recipient up to here is notified; uuid.Nil before the first step
	Notified        int64     // the number of notified recipients
	Short           bool      // other activities are delivered meanwhile: a short step delays them less
}

// Step is the result of one step of a Job.
type Step struct {
	LastPrincipalID uuid.UUID // the new cursor
	Notified        int       // the number of recipients that the step notified
	Done            bool      // no recipient is left
}
