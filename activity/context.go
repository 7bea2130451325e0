package activity

import (
	"context"

	"github.com/google/uuid"
)

// System is the principal of actions that no other principal performs: a daemon that starts, a job
// that deletes expired rows. It is the same in every installation and every tenant, and need not be
// in the directory.
var System = uuid.UUID{0xfa, 0x4f, 0xa2, 0xe0, 6: 0x80, 8: 0x80} // fa4fa2e0-0000-8000-8000-000000000000, version 8

type (
	actorKey     struct{}
	requestIDKey struct{}
)

// WithActor returns a context whose actor is principal. It is the actor of envelopes that name
// none. uuid.Nil removes the actor.
func WithActor(ctx context.Context, principal uuid.UUID) context.Context {
	return context.WithValue(ctx, actorKey{}, principal)
}

// ActorFrom returns the actor of a context and reports whether there is one.
func ActorFrom(ctx context.Context) (principal uuid.UUID, ok bool) {
	principal, _ = ctx.Value(actorKey{}).(uuid.UUID)
	return principal, principal != uuid.Nil
}

// WithRequestID returns a context whose request has the id. It is the request id of envelopes that
// have none. "" removes the id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDFrom returns the request id of a context and reports whether there is one.
func RequestIDFrom(ctx context.Context) (id string, ok bool) {
	id, _ = ctx.Value(requestIDKey{}).(string)
	return id, id != ""
}

// WithContext returns the envelope with the actor and the request id of ctx where it has none.
func (e Envelope) WithContext(ctx context.Context) Envelope {
	if e.ActorPrincipalID == uuid.Nil {
		e.ActorPrincipalID, _ = ActorFrom(ctx)
	}
	if e.RequestID == "" {
		e.RequestID, _ = RequestIDFrom(ctx)
	}
	return e
}
