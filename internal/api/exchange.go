package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// exchange is what is known of a request while it is answered. One goroutine has it at a time.
type exchange struct {
	requestID string
	route     string            // the pattern that matched, "" before and unless one has
	who       identity.Identity // known once the request is authenticated
	userAgent string
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeOf returns the exchange of a request that came through Server.Handler.
func exchangeOf(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange)
}

// key names the principal.
func (x *exchange) key() principalKey { return principalKey{x.who.TenantID, x.who.PrincipalID} }

type principalKey struct{ tenant, principal uuid.UUID }
