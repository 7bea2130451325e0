package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// client asks the HTTP API. It is safe for concurrent use.
type client struct {
	url  string // http://host:port
	http *http.Client
}

// newClient makes a client that goes there directly, whatever proxy the environment names.
func newClient(url string) *client { return &client{url, &http.Client{Transport: &http.Transport{}}} }

// ask sends a request for whom the token names, with a JSON body unless that is empty.
func (c *client) ask(
	ctx context.Context,
	token, method, path string,
	body []byte,
) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err = io.ReadAll(response.Body); err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return response.StatusCode, answer, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// encode writes a body; nil is none.
func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}
