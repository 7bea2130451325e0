package activity

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// ErrNotFound is the error for an object that does not exist, belongs to another tenant, or that
// the principal may not view. The three are not distinguished.
var ErrNotFound = errors.New("not found")

// The bounds of a log's reading.
const (
	DefaultPage = 50     // activities of a page that sets no limit
	MaxPage     = 500    // activities of a page
	ScanBudget  = 5_000  // activities that List reads before the filter, unless a log sets another budget
	CountBudget = 50_000 // activities that Count reads before the filter, unless a log sets another budget
)

// Appender records envelopes in their order, all of them or none. Every Log is an Appender.
type Appender interface {
	Append(ctx context.Context, envelopes ...Envelope) ([]Recorded, error)
}

// Log is the port of the append-only log. outbox.Log keeps it in PostgreSQL, memlog.Log in memory;
// NopLog keeps nothing.
type Log interface {
	// Append records envelopes in their order, all of them or none. An *invalid.Error refuses them.
	Append(ctx context.Context, envelopes ...Envelope) ([]Recorded, error)
	// Get returns one activity of the tenant, or ErrNotFound.
	Get(ctx context.Context, tenant, id uuid.UUID) (Activity, error)
	// List returns a page of the tenant's activities that pass the filter, newest first. next is
	// the Page.Before of the following page, uuid.Nil after the last one. A page may hold fewer
	// activities than its limit, or none, and still be followed by another.
	List(ctx context.Context, tenant uuid.UUID, f Filter, p Page) (found []Activity, next uuid.UUID, err error)
	// Count returns the number of the tenant's activities that pass the filter, limit at most.
	// exact reports whether there are no more than n.
	Count(ctx context.Context, tenant uuid.UUID, f Filter, limit int) (n int, exact bool, err error)
}

// Page selects part of a list.
type Page struct {
	Limit  int       // the maximum number of activities; at most MaxPage, DefaultPage if not positive
	Before uuid.UUID // only activities older than this one; uuid.Nil selects the newest
}

// EffectiveLimit returns the limit with its default and its bound applied.
func (p Page) EffectiveLimit() int {
	if p.Limit <= 0 {
		return DefaultPage
	}
	return min(p.Limit, MaxPage)
}
