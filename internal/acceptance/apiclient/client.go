// Package apiclient requests Fanfare's HTTP API as an application's clients do: with JWTs of an
// issuer, and for tokens that connect to Centrifugo.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Client requests the API of one server. It is safe for concurrent use.
type Client struct {
	URL string // http://host:port

	http *http.Client
}

// New returns a client that connects to the server directly, without a proxy.
func New(url string) *Client { return &Client{url, &http.Client{Transport: &http.Transport{}}} }

// Do sends a request with a bearer token and returns the status and the body of the response. The
// request's body is JSON; an empty one is not sent.
func (c *Client) Do(
	ctx context.Context, token, method, path string, body []byte,
) (status int, response []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	received, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = received.Body.Close() }()
	if response, err = io.ReadAll(received.Body); err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return received.StatusCode, response, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Encode returns the JSON of a body; of nil, nothing.
func Encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}
