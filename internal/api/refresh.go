package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
)

// refreshPattern is the route by which Centrifugo asks whether a subscription may go on when its
// time has come (https://centrifugal.dev/docs/server/proxy). It is not in the OpenAPI document,
// since clients have no use for it.
const refreshPattern = "POST " + refreshPath

const (
	maxRefreshBytes   = 64 << 10 // of a question; it contains names only
	refreshesAtOnce   = 2_000    // of a principal: all channels of some fifteen connections
	refreshesByMinute = 4_000    // of a principal
)

// refresher answers Centrifugo.
type refresher struct {
	*Server
	limiter *limiter[activity.Principal]
}

func (s *Server) addRefresh(mux *http.ServeMux) error {
	limiter, err := newLimiter[activity.Principal](refreshesByMinute/60.0, refreshesAtOnce, s.now)
	if err != nil {
		return err
	}
	mux.Handle(refreshPattern, refresher{s, limiter})
	return nil
}

// ServeHTTP answers whether a subscription may go on, and until when. It refuses unless the
// connection proves that Fanfare issued its token and its principal may see the resource of the
// channel now. A refused client asks for a new token, with its own credentials.
//
// Everything but a permission is a refusal, errors too, because Centrifugo prolongs a subscription
// when it gets no answer.
func (f refresher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), f.limits.Query)
	defer cancel()
	answer := []byte(`{"result":{"expired":true}}`)
	if f.permits(ctx, r.Body) {
		answer = fmt.Appendf(nil, `{"result":{"expire_at":%d}}`, f.tokens.SubscriptionExpiry().Unix())
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// permits reads a question and reports whether the subscription may go on.
func (f refresher) permits(ctx context.Context, body io.Reader) bool {
	var question struct {
		User    string          `json:"user"`
		Channel string          `json:"channel"`
		Meta    json.RawMessage `json:"meta"`
	}
	if json.NewDecoder(io.LimitReader(body, maxRefreshBytes)).Decode(&question) != nil {
		return false
	}
	principal, ok := f.tokens.Connected(question.User, question.Meta)
	if !ok || f.limiter.take(principal) > 0 {
		return false
	}
	permitted, err := f.mayFollow(ctx, principal, question.Channel)
	if err != nil {
		f.log.Warn("subscription ended: the permission could not be checked",
			zap.String("request_id", requestInfoOf(ctx).requestID), zap.Error(err))
	}
	return permitted
}

// mayFollow reports whether a principal may follow a channel of a resource. The channel of the
// tenant requires a scope, which only the principal's credentials prove.
func (f refresher) mayFollow(ctx context.Context, p activity.Principal, channel string) (bool, error) {
	resource, ok := f.resourceOfChannel(p.TenantID, channel)
	if !ok {
		return false, nil
	}
	allowed := map[string]bool{}
	err := f.allowResources(ctx, p, map[string]uuid.UUID{channel: resource}, allowed)
	return allowed[channel], err
}
