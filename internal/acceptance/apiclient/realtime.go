package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

// tokenTimeout limits the time in which a token must be issued.
const tokenTimeout = 10 * time.Second

// Realtime obtains one principal's tokens for Centrifugo from the API.
type Realtime struct {
	API   *Client
	Token string // the principal's JWT
}

// Bootstrap is the API's answer to a client that is about to connect.
type Bootstrap struct {
	InboxChannel       string            `json:"inbox_channel"`
	ConnectionToken    string            `json:"connection_token"`
	SubscriptionTokens map[string]string `json:"subscription_tokens"`
}

// Bootstrap returns the inbox channel and a connection token.
func (r Realtime) Bootstrap(ctx context.Context) (Bootstrap, error) {
	return r.request(ctx, http.MethodGet, "/v1/realtime/bootstrap", nil)
}

// ConnectionToken returns a token that connects.
func (r Realtime) ConnectionToken() (string, error) {
	b, err := r.forChannels()
	return b.ConnectionToken, err
}

// SubscriptionToken returns a token that subscribes to a channel. The error is
// centrifuge.ErrUnauthorized, and final, if the principal is not permitted to subscribe.
func (r Realtime) SubscriptionToken(channel string) (string, error) {
	b, err := r.forChannels(channel)
	return b.SubscriptionTokens[channel], err
}

func (r Realtime) forChannels(channels ...string) (Bootstrap, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout)
	defer cancel()
	body, err := Encode(map[string][]string{"channels": append([]string{}, channels...)})
	if err != nil {
		return Bootstrap{}, err
	}
	return r.request(ctx, http.MethodPost, "/v1/realtime/token", body)
}

func (r Realtime) request(ctx context.Context, method, path string, body []byte) (b Bootstrap, err error) {
	status, response, err := r.API.Do(ctx, r.Token, method, path, body)
	switch {
	case err != nil:
		return Bootstrap{}, err
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Bootstrap{}, fmt.Errorf("%s %s: %w: %s", method, path, centrifuge.ErrUnauthorized, response)
	case status != http.StatusOK:
		return Bootstrap{}, fmt.Errorf("%s %s: status %d: %s", method, path, status, response)
	}
	if err := json.Unmarshal(response, &b); err != nil {
		return Bootstrap{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return b, nil
}
