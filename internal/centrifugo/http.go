package centrifugo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/centrifugal/gocent/v3"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// httpTransport sends batches to a node by HTTP.
type httpTransport struct {
	batchURL string
	key      string
	poster   *http.Client
	api      *gocent.Client
}

func (h *httpTransport) protocol() string { return "HTTP" }

// post sends commands in one request to the endpoint "batch" (Centrifugo 5.0 and later).
//
// gocent supports only the older format, one line per command, which both sides encode and decode
// twice. Measured, a publication in this format takes a third less time of the server and three
// quarters less of the client.
func (h *httpTransport) post(ctx context.Context, commands []command) ([]reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.batchURL, bytes.NewReader(encode(commands)))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if h.key != "" {
		request.Header.Set("Authorization", "apikey "+h.key)
	}
	response, err := h.poster.Do(request)
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

// encode returns {"commands":[{"broadcast":{…}},…]}, with the payloads unchanged.
func encode(commands []command) []byte {
	size := 32
	for _, cmd := range commands {
		size += cmd.bytes()
	}
	b := append(make([]byte, 0, size), `{"commands":[`...)
	for i, cmd := range commands {
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
	return append(b, "]}"...)
}

// readReplies reads the response to a batch. It returns no replies if every channel of every
// command accepted, without decoding the response.
func readReplies(answer []byte, commands []command) ([]reply, error) {
	if allAccepted(answer, commands) {
		return nil, nil
	}
	var batch struct {
		Replies []struct {
			Error     *gocent.Error `json:"error"`
			Broadcast struct {
				Responses []struct {
					Error *gocent.Error `json:"error"`
				} `json:"responses"`
			} `json:"broadcast"`
		} `json:"replies"`
	}
	if err := json.Unmarshal(answer, &batch); err != nil {
		return nil, err
	}
	if len(batch.Replies) != len(commands) {
		return nil, errMalformed
	}
	replies := make([]reply, len(commands))
	for i, r := range batch.Replies {
		channels := len(commands[i].channels)
		replies[i].err = r.Error
		if r.Error == nil && len(r.Broadcast.Responses) != channels {
			replies[i].malformed = true
			continue
		}
		for j, response := range r.Broadcast.Responses {
			if response.Error != nil && j < channels {
				replies[i].fail(j, channels, response.Error)
			}
		}
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

// nodes implements transport.
func (h *httpTransport) nodes(ctx context.Context) ([]string, error) {
	pipe := h.api.Pipe()
	if err := pipe.AddInfo(); err != nil {
		return nil, err
	}
	replies, err := h.api.SendPipe(ctx, pipe)
	if err != nil {
		return nil, err
	}
	return nodesOf(replies[0])
}

// nodesOf returns the ids of the nodes in a reply to the command info.
func nodesOf(reply gocent.Reply) ([]string, error) {
	if reply.Error != nil {
		return nil, reply.Error
	}
	var info gocent.InfoResult
	if err := json.Unmarshal(reply.Result, &info); err != nil || len(info.Nodes) == 0 {
		return nil, errMalformed
	}
	ids := make([]string, len(info.Nodes))
	for i, node := range info.Nodes {
		ids[i] = node.UID
	}
	return ids, nil
}

// close implements transport.
func (h *httpTransport) close() { h.poster.CloseIdleConnections() }
