package activity

import (
	"context"

	"github.com/google/uuid"
)

// Log is the port of the append-only log. outbox.Log keeps it in PostgreSQL, MemoryLog in memory,
// and NoLog nowhere.
type Log interface {
	// Append records envelopes in their order, all of them or none.
	Append(ctx context.Context, envelopes ...Envelope) ([]Recorded, error)
	// Get returns one activity of the tenant, or ErrNotFound.
	Get(ctx context.Context, tenant, id uuid.UUID) (Activity, error)
	// List returns the tenant's activities that pass the filter, newest first; next is what
	// Page.Before takes for what is older.
	List(ctx context.Context, tenant uuid.UUID, f Filter, p Page) (found []Activity, next uuid.UUID, err error)
	// Count returns how many of the tenant's activities pass the filter, and whether that is all of
	// them.
	Count(ctx context.Context, tenant uuid.UUID, f Filter, limit int) (n int, exact bool, err error)
}
