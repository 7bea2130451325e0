package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/gorilla/websocket"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// checkSocket checks that clients can open a WebSocket.
func checkSocket(ctx context.Context, x *examination) finding {
	s, err := dial(ctx, x.SocketURL, "")
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	s.close()
	return passed("%s accepts WebSockets", centrifugo.RedactedURL(x.SocketURL))
}

// client is a socket that is connected as the principal of the examination.
type client struct {
	*socket
	state connected
}

// join connects as the principal of the examination. previous is the state of its channels to
// recover from; nil recovers nothing.
func (x *examination) join(ctx context.Context, previous map[string]subscription) (*client, error) {
	token, _ := x.tokens.Connection(x.principal)
	return x.joinWith(ctx, token, previous)
}

// joinWith connects with any token; "" connects without one.
func (x *examination) joinWith(ctx context.Context, token string, previous map[string]subscription) (*client, error) {
	s, err := dial(ctx, x.SocketURL, "")
	if err != nil {
		return nil, err
	}
	state, err := s.connect(token, previous)
	if err != nil {
		s.close()
		return nil, err
	}
	return &client{s, state}, nil
}

// own returns the principal's own channel.
func (x *examination) own() string {
	return x.channels.User(x.principal)
}

// shared returns channels that require a subscription token: those of a random resource and of the
// tenant.
func (x *examination) shared() []string {
	return []string{
		x.channels.Resource(x.principal.TenantID, x.principal.PrincipalID), x.channels.Tenant(x.principal.TenantID),
	}
}

// subscribe subscribes to a shared channel with a token.
func (x *examination) subscribe(c *client, channel string, previous *subscription) (subscription, error) {
	token, _ := x.tokens.Subscription(x.principal, channel)
	return c.subscribe(channel, token, previous)
}

// socketFailure returns the finding on an error of a socket that is not a rejection.
func socketFailure(ctx context.Context, address string, err error) finding {
	const remedy = "correct --centrifugo-ws-url, which usually ends in /connection/websocket on the port for clients"
	server := centrifugo.RedactedURL(address)
	var handshake *handshakeError
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &handshake):
		return failure(fmt.Sprintf("%s does not accept WebSockets: %v", server, err), remedy)
	case errors.Is(err, errNotCentrifugo):
		return failure(fmt.Sprintf("%s: %v", server, err), remedy)
	case errors.As(err, &closed):
		return failure(
			fmt.Sprintf("Centrifugo at %s closes the connection: %s (code %d)", server, closed.Text, closed.Code),
			"read Centrifugo's log",
		)
	case ctx.Err() != nil || isTimeout(err):
		return failure(
			fmt.Sprintf("no response in time from %s", server),
			"find out what keeps Centrifugo busy, or "+remedy,
		)
	}
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err // without the URL, which may contain a password
	}
	return failure(fmt.Sprintf("%s is unreachable: %v", server, err), "start Centrifugo, or "+remedy)
}

// isTimeout reports whether an error is a timeout.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
