package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gorilla/websocket"
)

// socket is a client's connection to Centrifugo. It speaks the JSON form of the client protocol
// (https://centrifugal.dev/docs/transports/client_protocol), a command at a time, and so learns of
// every refusal by its code; a client library would hide some behind its attempts to reconnect. It
// is for one goroutine.
type socket struct {
	conn    *websocket.Conn
	release func() bool // stops watching the context
	last    int         // number of the last command
	unread  []reply     // the rest of a frame
	heard   []push      // not asked for yet
}

// reply is what the server says to a command, or, without a number, on its own.
type reply struct {
	ID        int           `json:"id"`
	Error     *replyError   `json:"error"`
	Push      *push         `json:"push"`
	Connect   *connected    `json:"connect"`
	Subscribe *subscription `json:"subscribe"`
}

// connected is the reply to connect.
type connected struct {
	Subs    map[string]subscription `json:"subs"` // by channel: those that came with the connection
	Expires bool                    `json:"expires"`
	TTL     int                     `json:"ttl"` // seconds
}

// subscription is the state of a channel for a client that has subscribed.
type subscription struct {
	Recoverable  bool              `json:"recoverable"`
	Recovered    bool              `json:"recovered"`
	Epoch        string            `json:"epoch"`
	Offset       uint64            `json:"offset"`
	Publications []json.RawMessage `json:"publications"` // those missed, when it has recovered
}

// push is a message on a channel.
type push struct {
	Channel string `json:"channel"`
	Pub     *struct {
		Data json.RawMessage `json:"data"`
	} `json:"pub"`
}

// replyError is the server's refusal of a command.
type replyError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *replyError) Error() string { return fmt.Sprintf("%s (code %d)", e.Message, e.Code) }

// handshakeError is an HTTP answer in place of a WebSocket.
type handshakeError struct{ status int }

func (e *handshakeError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))
}

// dial opens a socket, as a page of this origin would; "" is no page. The socket ends with ctx.
func dial(ctx context.Context, address, origin string) (*socket, error) {
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	var dialer websocket.Dialer // without a proxy, as the API is reached
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

// connect says who the client is, and what it had of the channels that come with the connection.
func (s *socket) connect(token string, had map[string]subscription) (connected, error) {
	r, err := s.ask("connect", map[string]any{"token": token, "name": "fanfare-doctor", "subs": resumptions(had)})
	if err != nil {
		return connected{}, err
	}
	if r.Connect == nil {
		return connected{}, errNotCentrifugo
	}
	return *r.Connect, nil
}

// subscribe asks for a channel, from where had stands if it is not nil.
func (s *socket) subscribe(channel, token string, had *subscription) (subscription, error) {
	body := map[string]any{}
	if had != nil {
		body = had.resumption()
	}
	body["channel"], body["token"] = channel, token
	r, err := s.ask("subscribe", body)
	if err != nil {
		return subscription{}, err
	}
	if r.Subscribe == nil {
		return subscription{}, errNotCentrifugo
	}
	return *r.Subscribe, nil
}

// publish tries to publish as a client.
func (s *socket) publish(channel string, data any) error {
	_, err := s.ask("publish", map[string]any{"channel": channel, "data": data})
	return err
}

func (s subscription) resumption() map[string]any {
	return map[string]any{"recover": true, "epoch": s.Epoch, "offset": s.Offset}
}

func resumptions(had map[string]subscription) map[string]any {
	all := map[string]any{}
	for channel, s := range had {
		all[channel] = s.resumption()
	}
	return all
}

// hear returns the next message.
func (s *socket) hear() (push, error) {
	for len(s.heard) == 0 {
		r, err := s.next()
		if err != nil {
			return push{}, err
		}
		s.keep(r)
	}
	first := s.heard[0]
	s.heard = s.heard[1:]
	return first, nil
}

// ask sends a command and waits for the reply to it.
func (s *socket) ask(method string, body map[string]any) (reply, error) {
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
		s.keep(r)
	}
}

func (s *socket) keep(r reply) {
	if r.Push != nil && r.Push.Pub != nil {
		s.heard = append(s.heard, *r.Push)
	}
}

// next returns what the server says next. A frame holds one or several JSON values, a line each; an
// empty one is a ping.
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

// errNotCentrifugo is said of a server that does not answer as Centrifugo does.
var errNotCentrifugo = errors.New("what answers there is not Centrifugo")

// refused tells whether err is the server's decision against a client, by a reply or by ending the
// connection: codes from 3500 to 3999 tell the client not to come again
// (https://centrifugal.dev/docs/server/codes).
func refused(err error) bool {
	var reply *replyError
	var closed *websocket.CloseError
	return errors.As(err, &reply) || errors.As(err, &closed) && closed.Code >= 3500 && closed.Code < 4000
}
