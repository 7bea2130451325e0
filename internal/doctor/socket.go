package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// socket is a client's connection to Centrifugo. It uses the JSON form of the client protocol
// (https://centrifugal.dev/docs/transports/client_protocol), one command at a time. In contrast to
// a client library, which hides some rejections behind its reconnecting, it reports the code of
// each. It must be used from one goroutine.
type socket struct {
	conn     *websocket.Conn
	release  func() bool // detaches the socket from its context
	last     int         // number of the last command
	unread   []reply     // of the current frame
	received []push      // not asked for yet
	ended    bool        // whether a subscription has been ended by the server
}

// reply is a reply to a command, or a push, which has no number.
type reply struct {
	ID        int           `json:"id"`
	Error     *replyError   `json:"error"`
	Push      *push         `json:"push"`
	Connect   *connected    `json:"connect"`
	Subscribe *subscription `json:"subscribe"`
}

// connected is the reply to connect.
type connected struct {
	Subs    map[string]subscription `json:"subs"` // server-side subscriptions, by channel
	Expires bool                    `json:"expires"`
	TTL     int                     `json:"ttl"` // seconds
}

// subscription is the state of a channel for a client that has subscribed.
type subscription struct {
	Recoverable  bool              `json:"recoverable"`
	Recovered    bool              `json:"recovered"`
	Epoch        string            `json:"epoch"`
	Offset       uint64            `json:"offset"`
	Publications []json.RawMessage `json:"publications"` // the recovered messages
}

// push is a message of a channel.
type push struct {
	Channel string `json:"channel"`
	Pub     *struct {
		Data json.RawMessage `json:"data"`
	} `json:"pub"`
	Unsubscribe *struct{} `json:"unsubscribe"` // the server has ended the subscription
}

// replyError is the rejection of a command.
type replyError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *replyError) Error() string { return fmt.Sprintf("%s (code %d)", e.Message, e.Code) }

// handshakeError is an HTTP response that does not switch to a WebSocket.
type handshakeError struct{ status int }

func (e *handshakeError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))
}

// dial opens a socket with a web origin; "" sends none. The end of ctx closes the socket.
func dial(ctx context.Context, address, origin string) (*socket, error) {
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	var dialer websocket.Dialer // without a proxy, like requests to the API
	conn, response, err := dialer.DialContext(ctx, address, header)
	if response != nil {
		_ = response.Body.Close()
	}
	switch {
	case errors.Is(err, websocket.ErrBadHandshake) && response != nil:
		return nil, &handshakeError{response.StatusCode}
	case err != nil:
		return nil, err
	}
	return &socket{conn: conn, release: context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
}

func (s *socket) close() {
	s.release()
	_ = s.conn.Close()
}

// connect authenticates with a token. previous is the state of server-side subscriptions to recover
// from.
func (s *socket) connect(token string, previous map[string]subscription) (connected, error) {
	r, err := s.call("connect", map[string]any{"token": token, "name": "fanfare-doctor", "subs": resumptions(previous)})
	if err != nil {
		return connected{}, err
	}
	if r.Connect == nil {
		return connected{}, errNotCentrifugo
	}
	return *r.Connect, nil
}

// subscribe subscribes to a channel and recovers from previous, unless that is nil.
func (s *socket) subscribe(channel, token string, previous *subscription) (subscription, error) {
	body := map[string]any{}
	if previous != nil {
		body = previous.resumption()
	}
	body["channel"], body["token"] = channel, token
	r, err := s.call("subscribe", body)
	if err != nil {
		return subscription{}, err
	}
	if r.Subscribe == nil {
		return subscription{}, errNotCentrifugo
	}
	return *r.Subscribe, nil
}

// refresh sends a subscription token, as clients do to prolong a subscription.
func (s *socket) refresh(channel, token string) error {
	_, err := s.call("sub_refresh", map[string]any{"channel": channel, "token": token})
	return err
}

// awaitEnd waits until the server ends a subscription or closes the socket, or until a deadline. It
// reports whether either came first.
func (s *socket) awaitEnd(deadline time.Time) (bool, error) {
	_ = s.conn.SetReadDeadline(deadline)
	for !s.ended {
		r, err := s.next()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return true, nil
		case err != nil && isTimeout(err):
			return false, nil
		case err != nil:
			return false, err
		}
		s.store(r)
	}
	return true, nil
}

// publish publishes as a client.
func (s *socket) publish(channel string, data any) error {
	_, err := s.call("publish", map[string]any{"channel": channel, "data": data})
	return err
}

func (s subscription) resumption() map[string]any {
	return map[string]any{"recover": true, "epoch": s.Epoch, "offset": s.Offset}
}

func resumptions(previous map[string]subscription) map[string]any {
	all := map[string]any{}
	for channel, s := range previous {
		all[channel] = s.resumption()
	}
	return all
}

// receive returns the next message.
func (s *socket) receive() (push, error) {
	for len(s.received) == 0 {
		r, err := s.next()
		if err != nil {
			return push{}, err
		}
		s.store(r)
	}
	first := s.received[0]
	s.received = s.received[1:]
	return first, nil
}

// call sends a command and waits for its reply.
func (s *socket) call(method string, body map[string]any) (reply, error) {
	s.last++
	if err := s.conn.WriteJSON(map[string]any{"id": s.last, method: body}); err != nil {
		return reply{}, err
	}
	for {
		r, err := s.next()
		switch {
		case err != nil:
			return reply{}, err
		case r.ID == s.last && r.Error != nil:
			return reply{}, r.Error
		case r.ID == s.last:
			return r, nil
		}
		s.store(r)
	}
}

func (s *socket) store(r reply) {
	switch {
	case r.Push != nil && r.Push.Pub != nil:
		s.received = append(s.received, *r.Push)
	case r.Push != nil && r.Push.Unsubscribe != nil:
		s.ended = true
	}
}

// next returns the next reply. A frame has one reply on each line; {} is a ping.
func (s *socket) next() (reply, error) {
	for len(s.unread) == 0 {
		_, frame, err := s.conn.ReadMessage()
		if err != nil {
			return reply{}, err
		}
		if len(bytes.TrimSpace(frame)) == len(`{}`) {
			if err := s.conn.WriteMessage(websocket.TextMessage, []byte(`{}`)); err != nil {
				return reply{}, err
			}
			continue
		}
		for line := range bytes.Lines(frame) {
			var r reply
			if err := json.Unmarshal(line, &r); err != nil {
				return reply{}, errNotCentrifugo
			}
			s.unread = append(s.unread, r)
		}
	}
	first := s.unread[0]
	s.unread = s.unread[1:]
	return first, nil
}

// errNotCentrifugo reports that the server does not speak the client protocol.
var errNotCentrifugo = errors.New("the server is not Centrifugo")

// isRejection reports whether an error is the server's decision against a client: the error of a
// reply, or a disconnect code from 3500 to 3999, which forbids reconnecting
// (https://centrifugal.dev/docs/server/codes).
func isRejection(err error) bool {
	var reply *replyError
	var closed *websocket.CloseError
	return errors.As(err, &reply) || errors.As(err, &closed) && closed.Code >= 3500 && closed.Code < 4000
}
