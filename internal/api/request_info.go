package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// exchange is what is known of a request while it is answered. One goroutine has it at a time.
type requestInfo struct {
	requestID string
	route     string            // the pattern that matched, "" before and unless one has
	caller    identity.Identity // known once the request is authenticated
	userAgent string
}

type requestInfoKey struct{}

func withRequestInfo(ctx context.Context, info *requestInfo) context.Context {
	return context.WithValue(ctx, requestInfoKey{}, info)
}

// requestInfoOf returns the exchange of a request that came through Server.Handler.
func requestInfoOf(ctx context.Context) *requestInfo {
	return ctx.Value(requestInfoKey{}).(*requestInfo)
}

// key names the principal.
func (info *requestInfo) key() principalKey {
	return principalKey{info.caller.TenantID, info.caller.PrincipalID}
}

type principalKey struct{ tenant, principal uuid.UUID }
