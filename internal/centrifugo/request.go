package centrifugo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/centrifugal/gocent/v3"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// errNotJSON is the cause of the error for a payload that is not a JSON value.
var errNotJSON = errors.New("the payload is not valid JSON")

// post sends commands in one request to the endpoint "batch" (Centrifugo 5.0 and later). It returns
// a reply for each command, or none if every channel accepted.
//
// gocent supports only the older format, one line per command, which both sides encode and decode
// twice. Measured, a publication in this format takes a third less time of the server and three
// quarters less of the client.
func (c *Client) post(ctx context.Context, e *endpoint, commands []command) ([]gocent.Reply, error) {
	body, err := encode(commands)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.batchURL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.opts.APIKey != "" {
		request.Header.Set("Authorization", "apikey "+c.opts.APIKey)
	}
	response, err := c.poster.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		return nil, gocent.ErrStatusCode{Code: response.StatusCode, Body: answer}
	}
	if err != nil {
		return nil, err
	}
	return readReplies(answer, commands)
}

// batchURL returns the endpoint for batches under a valid API URL.
func batchURL(apiURL string) string {
	u, err := url.Parse(apiURL)
	if err != nil {
		return apiURL
	}
	return u.JoinPath("batch").String()
}

// encode returns {"commands":[{"broadcast":{…}},…]}, with the payloads unchanged.
func encode(commands []command) ([]byte, error) {
	size := 32
	for _, cmd := range commands {
		size += cmd.bytes()
	}
	b := append(make([]byte, 0, size), `{"commands":[`...)
	for i, cmd := range commands {
		if !selfContained(cmd.data) {
			return nil, errNotJSON
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"broadcast":{"channels":[`...)
		for j, name := range cmd.channels {
			if j > 0 {
				b = append(b, ',')
			}
			b = jsontext.AppendString(b, name)
		}
		b = append(b, `],"data":`...)
		b = append(b, cmd.data...)
		if cmd.key != "" {
			b = append(b, `,"idempotency_key":`...)
			b = jsontext.AppendString(b, cmd.key)
		}
		b = append(b, "}}"...)
	}
	return append(b, "]}"...), nil
}

// selfContained reports whether data is one value up to its end, so that an error inside it cannot
// change the request around it. It takes a fifth of the time of json.Valid; the server validates
// the rest.
func selfContained(data []byte) bool {
	if len(data) == 0 || data[0] != '{' && data[0] != '[' {
		return json.Valid(data)
	}
	var open []byte // brackets not yet closed
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			if i >= len(data) {
				return false
			}
		case '{', '[':
			open = append(open, c+2) // the closing bracket, in ASCII
		case '}', ']':
			last := len(open) - 1
			if last < 0 || open[last] != c {
				return false
			}
			if open = open[:last]; last == 0 {
				return i == len(data)-1
			}
		}
	}
	return false
}

// readReplies reads the response to a batch. It returns no replies if every channel of every
// command accepted, without decoding the response.
func readReplies(answer []byte, commands []command) ([]gocent.Reply, error) {
	var batch struct {
		Replies []struct {
			Error     *gocent.Error   `json:"error"`
			Broadcast json.RawMessage `json:"broadcast"`
		} `json:"replies"`
	}
	if allAccepted(answer, commands) {
		return nil, nil
	}
	if err := json.Unmarshal(answer, &batch); err != nil {
		return nil, err
	}
	if len(batch.Replies) != len(commands) {
		return nil, errMalformed
	}
	replies := make([]gocent.Reply, len(commands))
	for i, r := range batch.Replies {
		replies[i] = gocent.Reply{Error: r.Error, Result: r.Broadcast}
	}
	return replies, nil
}

// allAccepted reports whether a response is a success for every channel, without decoding it.
// Quotes within JSON strings are escaped, so the patterns occur only as structure. It may report
// false for a success.
func allAccepted(answer []byte, commands []command) bool {
	channels := 0
	for _, cmd := range commands {
		channels += len(cmd.channels)
	}
	return !bytes.Contains(answer, []byte(`"error"`)) &&
		bytes.Count(answer, []byte(`{"broadcast":{`)) == len(commands) &&
		bytes.Count(answer, []byte(`{"result":{`)) == channels
}
