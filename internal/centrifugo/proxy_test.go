package centrifugo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// way is how publications reach the server.
type way string

const (
	byHTTP way = "HTTP"
	byGRPC way = "gRPC"
)

// eachWay runs a test for each way.
func eachWay(t *testing.T, test func(t *testing.T, w way)) {
	t.Helper()
	for _, w := range []way{byHTTP, byGRPC} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

// connect is [connect] with publications that go this way only. The default is the real server.
func (w way) connect(t testing.TB, o centrifugo.Options) *centrifugo.Client {
	t.Helper()
	if w == byHTTP {
		return connect(t, o)
	}
	if o.APIURL == "" {
		o.APIURL = server.APIURLs()
	}
	client := connect(t, o)
	client.PublishByGRPCOnly()
	return client
}

// urls returns the list of URLs with which publications go this way to an address.
func (w way) urls(address string) string {
	if w == byHTTP {
		return "http://" + address + "/api"
	}
	return "grpc://" + address + ",http://" + address + "/api"
}

// pipe is a request as the server receives it: the broadcasts of a batch, or none for any other
// request.
type pipe []struct {
	Params broadcastParams `json:"broadcast"`
}

type broadcastParams struct {
	Channels       []string        `json:"channels"`
	Data           json.RawMessage `json:"data"`
	IdempotencyKey string          `json:"idempotency_key,omitempty"`
}

// channels returns the channels of all broadcasts.
func (p pipe) channels() []string {
	var all []string
	for _, command := range p {
		all = append(all, command.Params.Channels...)
	}
	return all
}

// proxy is in front of the real server, records each request, and simulates failures. It serves
// HTTP and gRPC at the same address.
type proxy struct {
	// answer, if set, may respond in the server's place and then returns true.
	answer func(w http.ResponseWriter, r *http.Request, p pipe) bool
	// code, if set, returns the error code for a channel, 0 to publish to it.
	code func(channel string) int

	mu    sync.Mutex
	pipes []pipe
}

// start serves until the end of the test and returns the URLs with which publications go a way.
func (p *proxy) start(t *testing.T, w way) string {
	t.Helper()
	return w.urls(p.startCounting(t, new(atomic.Int32)))
}

// connectionKey is the key of the number of a request's connection in its context.
type connectionKey struct{}

// startCounting serves until the end of the test, counts connections, and returns the address.
func (p *proxy) startCounting(t *testing.T, connections *atomic.Int32) string {
	t.Helper()
	s := httptest.NewUnstartedServer(p)
	s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, connections.Add(1))
	}
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// seen returns the requests so far.
func (p *proxy) seen() []pipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]pipe(nil), p.pipes...)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	overGRPC := r.ProtoMajor == 2
	var batch struct {
		Commands pipe `json:"commands"`
	}
	switch {
	case overGRPC:
		batch.Commands = decodeGRPC(body)
	case strings.HasSuffix(r.URL.Path, "/batch"):
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
		codes := make([][]int, len(commands))
		for i, command := range commands {
			codes[i] = p.broadcast(r, command.Params)
		}
		if overGRPC {
			writeGRPC(w, codes)
		} else {
			writeJSON(w, codes)
		}
	case overGRPC:
		forwardGRPC(w, r, body)
	default:
		p.forward(w, r, strings.TrimPrefix(r.URL.Path, "/api"), body)
	}
}

// broadcast publishes to the channels one by one, except where code returns an error, and returns
// the code of each channel.
func (p *proxy) broadcast(r *http.Request, params broadcastParams) []int {
	codes := make([]int, len(params.Channels))
	for i, channel := range params.Channels {
		if codes[i] = p.code(channel); codes[i] != 0 {
			continue
		}
		command, _ := json.Marshal(map[string]any{
			"channel": channel, "data": params.Data, "idempotency_key": params.IdempotencyKey,
		})
		var response bytes.Buffer
		p.forward(&recorder{&response}, r, "/publish", command)
		var published struct {
			Error struct {
				Code int `json:"code"`
			} `json:"error"`
		}
		_ = json.Unmarshal(response.Bytes(), &published)
		codes[i] = published.Error.Code
	}
	return codes
}

// writeJSON replies to broadcasts as the server does, with the codes of their channels.
func writeJSON(w io.Writer, codes [][]int) {
	type response map[string]any
	var replies []any
	for _, channels := range codes {
		var responses []response
		for _, code := range channels {
			if code == 0 {
				responses = append(responses, response{"result": response{"offset": 1}})
			} else {
				failure := response{"code": code, "message": "as the test wants it"}
				responses = append(responses, response{"error": failure})
			}
		}
		replies = append(replies, response{"broadcast": response{"responses": responses}})
	}
	_ = json.NewEncoder(w).Encode(response{"replies": replies})
}

// forward forwards a body to the real server and returns its response.
func (p *proxy) forward(w http.ResponseWriter, r *http.Request, method string, body []byte) {
	request, _ := http.NewRequestWithContext(
		r.Context(),
		http.MethodPost,
		server.APIURL()+method,
		bytes.NewReader(body),
	)
	request.Header = http.Header{"Authorization": r.Header["Authorization"], "X-Api-Key": r.Header["X-Api-Key"]}
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
