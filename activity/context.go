package activity

import (
	"context"

	"github.com/google/uuid"
)

// System is the principal that acts when nobody does: a daemon that starts, a job that cleans up.
// It is the same in every installation and in every tenant, and need not be in the directory.
var System = uuid.UUID{0xfa, 0x4f, 0xa2, 0xe0, 6: 0x80, 8: 0x80} // fa4fa2e0-0000-8000-8000-000000000000, of version 8

type (
	actorKey     struct{}
	requestIDKey struct{}
)

// WithActor returns a context in which principal acts. Recording takes it for the actor of an
// envelope that names none. uuid.Nil takes an actor away.
func WithActor(ctx context.Context, principal uuid.UUID) context.Context {
	return context.WithValue(ctx, actorKey{}, principal)
}

// ActorFrom returns the principal that acts, and whether one does.
func ActorFrom(ctx context.Context) (uuid.UUID, bool) {
	principal, _ := ctx.Value(actorKey{}).(uuid.UUID)
	return principal, principal != uuid.Nil
}

// WithRequestID returns a context of the request with that id. Recording takes it for an envelope
// that names none. "" takes an id away.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDFrom returns the id of the request, and whether there is one.
func RequestIDFrom(ctx context.Context) (string, bool) {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id, id != ""
}

// WithContext returns the envelope with the actor and the request id of ctx, each where the envelope
// gives none.
func (e Envelope) WithContext(ctx context.Context) Envelope {
	if e.ActorPrincipalID == uuid.Nil {
		e.ActorPrincipalID, _ = ActorFrom(ctx)
	}
	if e.RequestID == "" {
		e.RequestID, _ = RequestIDFrom(ctx)
	}
	return e
}
