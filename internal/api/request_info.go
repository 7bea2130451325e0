package api

import (
	"context"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// requestInfo describes a request. The middlewares complete it as they learn more. It is used by
// one goroutine at a time.
type requestInfo struct {
	requestID string
	request   *http.Request     // set by enter
	route     string            // the pattern of the matched route; "" until and unless one matches
	caller    identity.Identity // set by authenticate
	userAgent string
	reads     *pgxpool.Pool // set by handle: where the request reads
}

type requestInfoKey struct{}

func withRequestInfo(ctx context.Context, info *requestInfo) context.Context {
	return context.WithValue(ctx, requestInfoKey{}, info)
}

// requestInfoOf returns the requestInfo of a request to Server.Handler. It panics for any other
// context.
func requestInfoOf(ctx context.Context) *requestInfo {
	return ctx.Value(requestInfoKey{}).(*requestInfo)
}
