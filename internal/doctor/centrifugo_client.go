package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/gorilla/websocket"
)

// opens checks that there is a socket to connect to.
func opens(ctx context.Context, x *examination) verdict {
	s, err := dial(ctx, x.SocketURL, "")
	if err != nil {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	s.close()
	return fine("%s opens a WebSocket", shownURL(x.SocketURL))
}

// client is a socket that has connected as the made-up principal.
type client struct {
	*socket
	state connected
}

// join connects as the made-up principal.
func (x *examination) join(ctx context.Context, had map[string]subscription) (*client, error) {
	token, _ := x.tokens.Connection(x.who.tenant, x.who.id)
	return x.joinWith(ctx, token, had)
}

// joinWith connects by any token, or by none if it is empty.
func (x *examination) joinWith(ctx context.Context, token string, had map[string]subscription) (*client, error) {
	s, err := dial(ctx, x.SocketURL, "")
	if err != nil {
		return nil, err
	}
	state, err := s.connect(token, had)
	if err != nil {
		s.close()
		return nil, err
	}
	return &client{s, state}, nil
}

// own returns the made-up principal's own channel.
func (x *examination) own() string { return x.channels.User(x.who.tenant, x.who.id) }

// shared returns channels that need a subscription token: a made-up resource's and the made-up
// tenant's.
func (x *examination) shared() []string {
	return []string{x.channels.Resource(x.who.tenant, x.who.id), x.channels.Tenant(x.who.tenant)}
}

// subscribe subscribes with a token to one of the shared channels.
func (x *examination) subscribe(c *client, channel string, had *subscription) (subscription, error) {
	token, _ := x.tokens.Subscription(x.who.tenant, x.who.id, channel)
	return c.subscribe(channel, token, had)
}

// socketTrouble is the verdict on a socket that failed otherwise than by a refusal.
func socketTrouble(ctx context.Context, address string, err error) verdict {
	const remedy = "correct --centrifugo-ws-url, which usually ends in /connection/websocket on the port for clients"
	where := shownURL(address)
	var answered *handshakeError
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &answered):
		return fail(fmt.Sprintf("%s does not open a WebSocket: %v", where, err), remedy)
	case errors.Is(err, errNotCentrifugo):
		return fail(fmt.Sprintf("%s: %v", where, err), remedy)
	case errors.As(err, &closed):
		return fail(
			fmt.Sprintf("Centrifugo at %s ends the connection: %s (code %d)", where, closed.Text, closed.Code),
			"see Centrifugo's log",
		)
	case ctx.Err() != nil || isLate(err):
		return fail(fmt.Sprintf("no answer in time from %s", where), "see what Centrifugo is busy with, or "+remedy)
	}
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err // the rest of it is the URL, perhaps with a password
	}
	return fail(fmt.Sprintf("%s cannot be reached: %v", where, err), "start Centrifugo, or "+remedy)
}

// isLate tells whether err is about time.
func isLate(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
