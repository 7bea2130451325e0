package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

// refreshTimeout bounds how long a client waits for a token.
const refreshTimeout = 10 * time.Second

// passes gets one client's tokens for Centrifugo from the API: at the start, and each time before
// they expire.
type passes struct {
	api   *client
	token string // whose they are, as the API takes it
}

// realtime is what the API says to a client that wants to connect.
type realtime struct {
	InboxChannel       string            `json:"inbox_channel"` // of the bootstrap only
	ConnectionToken    string            `json:"connection_token"`
	SubscriptionTokens map[string]string `json:"subscription_tokens"`
}

func (p passes) bootstrap(ctx context.Context) (realtime, error) {
	return p.ask(ctx, http.MethodGet, "/v1/realtime/bootstrap", nil)
}

// forChannels returns tokens for all of the channels. When the principal may not hear one of them
// the error is centrifuge.ErrUnauthorized.
func (p passes) forChannels(ctx context.Context, channels ...string) (realtime, error) {
	body, err := encode(map[string][]string{"channels": append([]string{}, channels...)})
	if err != nil {
		return realtime{}, err
	}
	return p.ask(ctx, http.MethodPost, "/v1/realtime/token", body)
}

// connection is a centrifuge.Config's GetToken.
func (p passes) connection(centrifuge.ConnectionTokenEvent) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	given, err := p.forChannels(ctx)
	return given.ConnectionToken, err
}

// subscription is a centrifuge.SubscriptionConfig's GetToken.
func (p passes) subscription(e centrifuge.SubscriptionTokenEvent) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	given, err := p.forChannels(ctx, e.Channel)
	return given.SubscriptionTokens[e.Channel], err
}

func (p passes) ask(ctx context.Context, method, path string, body []byte) (given realtime, err error) {
	status, answer, err := p.api.ask(ctx, p.token, method, path, body)
	switch {
	case err != nil:
		return realtime{}, err
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return realtime{}, fmt.Errorf("%s %s: %w: %s", method, path, centrifuge.ErrUnauthorized, answer)
	case status != http.StatusOK:
		return realtime{}, fmt.Errorf("%s %s: status %d: %s", method, path, status, answer)
	}
	if err := json.Unmarshal(answer, &given); err != nil {
		return realtime{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return given, nil
}
