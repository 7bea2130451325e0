package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/wait"
)

const (
	shortTTL   = 2 * time.Second // of the tokens of the check
	maxOutlive = 5 * time.Second // that a subscription may outlive its token
)

// checkExpiry checks that subscriptions end with their tokens. One client does nothing; the other
// one is hostile and tries to prolong its subscription with its expired token. The principal of the
// examination has access to nothing, so that Fanfare refuses to prolong either.
func checkExpiry(ctx context.Context, x *examination) finding {
	options := x.Tokens
	options.SubscriptionTTL = shortTTL
	short, err := centrifugo.NewTokens(options)
	if err != nil {
		return failure(err.Error(), "correct the settings of tokens")
	}
	channel := x.shared()[0]
	var clients [2]*client
	for i := range clients {
		if clients[i], err = x.join(ctx, nil); err != nil {
			return socketFailure(ctx, x.SocketURL, err)
		}
		defer clients[i].close()
	}
	token, expires := short.Subscription(x.principal, channel)
	for _, c := range clients {
		if _, err := c.subscribe(channel, token, nil); err != nil {
			return socketFailure(ctx, x.SocketURL, err)
		}
	}
	// Times in tokens are whole seconds: the token is expired when its second is over.
	if err := wait.Sleep(ctx, time.Until(expires.Add(time.Second))); err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	idle, hostile := clients[0], clients[1]
	refreshed := hostile.refresh(channel, token)
	var closed *websocket.CloseError
	if refreshed != nil && !isRejection(refreshed) && !errors.As(refreshed, &closed) {
		return socketFailure(ctx, x.SocketURL, refreshed)
	}
	ended, err := idle.awaitEnd(expires.Add(maxOutlive))
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	return evaluateExpiry(refreshed == nil, ended, time.Since(expires))
}

func evaluateExpiry(prolonged, ended bool, after time.Duration) finding {
	switch {
	case prolonged:
		return failure(
			"a client that sends its expired subscription token receives the channel for ever, also without access",
			"set "+refreshKey+" to http://<fanfare>/v1/realtime/refresh, and enable "+
				inNamespace("user, resource and tenant", refreshingKey),
		)
	case !ended:
		return warning(
			fmt.Sprintf("a client receives a channel for more than %s after its token has expired", maxOutlive),
			"set "+delayKey+" to 1s and "+presenceKey+" to 2s, start the API, and let Centrifugo reach its "+
				"/v1/realtime/refresh, which "+refreshKey+" must name",
		)
	}
	return passed(
		"a subscription ends %s after its token has expired, whatever the client sends", after.Round(time.Second),
	)
}
