package centrifugo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// pipe is a request as the server receives it: the broadcasts of a batch, or none for any other
// request.
type pipe []struct {
	Params struct {
		Channels       []string        `json:"channels"`
		Data           json.RawMessage `json:"data"`
		IdempotencyKey string          `json:"idempotency_key,omitempty"`
	} `json:"broadcast"`
}

// channels returns the channels of all broadcasts.
func (p pipe) channels() []string {
	var all []string
	for _, command := range p {
		all = append(all, command.Params.Channels...)
	}
	return all
}

// proxy is in front of the real server, records each request, and simulates failures.
type proxy struct {
	// answer, if set, may respond in the server's place and then returns true.
	answer func(w http.ResponseWriter, r *http.Request, p pipe) bool
	// code, if set, returns the error code for a channel, 0 to publish to it.
	code func(channel string) int

	mu    sync.Mutex
	pipes []pipe
}

// start serves until the end of the test and returns the API's URL.
func (p *proxy) start(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL + "/api"
}

// seen returns the requests so far.
func (p *proxy) seen() []pipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]pipe(nil), p.pipes...)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var batch struct {
		Commands pipe `json:"commands"`
	}
	if strings.HasSuffix(r.URL.Path, "/batch") {
		if err := json.Unmarshal(body, &batch); err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
	}
	commands := batch.Commands
	p.mu.Lock()
	p.pipes = append(p.pipes, commands)
	p.mu.Unlock()

	switch {
	case p.answer != nil && p.answer(w, r, commands):
	case p.code != nil && len(commands) > 0:
		var answer struct {
			Replies []any `json:"replies"`
		}
		for _, command := range commands {
			answer.Replies = append(answer.Replies, p.broadcast(r, command.Params.Channels, command.Params))
		}
		_ = json.NewEncoder(w).Encode(answer)
	default:
		p.forward(w, r, strings.TrimPrefix(r.URL.Path, "/api"), body)
	}
}

// broadcast publishes to the channels one by one, except where code returns an error, and replies
// as the server replies to a broadcast.
func (p *proxy) broadcast(r *http.Request, channels []string, params any) any {
	var reply struct {
		Result struct {
			Responses []json.RawMessage `json:"responses"`
		} `json:"broadcast"`
	}
	for _, channel := range channels {
		if code := p.code(channel); code != 0 {
			response, _ := json.Marshal(
				map[string]any{"error": map[string]any{"code": code, "message": "as the test wants it"}},
			)
			reply.Result.Responses = append(reply.Result.Responses, response)
			continue
		}
		one, _ := json.Marshal(params)
		var fields map[string]any
		_ = json.Unmarshal(one, &fields)
		delete(fields, "channels")
		fields["channel"] = channel
		command, _ := json.Marshal(fields)
		var response bytes.Buffer
		p.forward(&recorder{&response}, r, "/publish", command)
		reply.Result.Responses = append(reply.Result.Responses, response.Bytes())
	}
	return reply
}

// forward forwards a body to the real server and returns its response.
func (p *proxy) forward(w http.ResponseWriter, r *http.Request, method string, body []byte) {
	request, _ := http.NewRequestWithContext(
		r.Context(),
		http.MethodPost,
		server.APIURL()+method,
		bytes.NewReader(body),
	)
	request.Header = r.Header.Clone()
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = response.Body.Close() }()
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

// recorder keeps a body only.
type recorder struct{ *bytes.Buffer }

func (recorder) Header() http.Header { return http.Header{} }
func (recorder) WriteHeader(int)     {}
