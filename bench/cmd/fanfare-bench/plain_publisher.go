package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

// plainPublisher publishes over Centrifugo's HTTP API as applications do: one request for each
// message, on connections that are kept open. It is safe for concurrent use.
type plainPublisher struct {
	url, key    string
	connections int
	client      *http.Client
}

func newPlainPublisher(server *devstack.Centrifugo, connections int) *plainPublisher {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.MaxIdleConns = connections, connections
	return &plainPublisher{
		url: server.APIURL(), key: server.APIKey(), connections: connections,
		client: &http.Client{Transport: transport, Timeout: 10 * time.Second},
	}
}

// connect opens the connections, so that a measurement does not include it: Fanfare's client is
// connected before one, too.
func (p *plainPublisher) connect(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range p.connections {
		g.Go(func() error { return p.post(ctx, "/info", struct{}{}) })
	}
	return g.Wait()
}

func (p *plainPublisher) close() { p.client.CloseIdleConnections() }

// message is a message for one channel or several.
type message struct {
	Channel        string          `json:"channel,omitempty"`
	Channels       []string        `json:"channels,omitempty"`
	Data           json.RawMessage `json:"data"`
	IdempotencyKey string          `json:"idempotency_key,omitempty"`
}

// publish publishes a message on its channel.
func (p *plainPublisher) publish(ctx context.Context, m message) error {
	return p.post(ctx, "/publish", m)
}

// broadcast publishes a message on its channels.
func (p *plainPublisher) broadcast(ctx context.Context, m message) error {
	return p.post(ctx, "/broadcast", m)
}

// reply is the reply to a message. That to a broadcast has one for each channel.
type reply struct {
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Result struct {
		Responses []reply `json:"responses"`
	} `json:"result"`
}

func (r *reply) err() error {
	if r.Error != nil {
		return fmt.Errorf("centrifugo: %s (%d)", r.Error.Message, r.Error.Code)
	}
	for i := range r.Result.Responses {
		if err := r.Result.Responses[i].err(); err != nil {
			return err
		}
	}
	return nil
}

func (p *plainPublisher) post(ctx context.Context, method string, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-API-Key", p.key)
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: HTTP %d", method, response.StatusCode)
	}
	text, err := io.ReadAll(response.Body) // to its end, so that the connection is used again
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var r reply
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return r.err()
}
