package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/browsertest"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// examplePage is the page around the example. It tells the test what it shows, in order, and its
// errors. Its parameters are the tenant, the principal and the example.
const examplePage = `<!doctype html>
<title>Fanfare</title>
<script src="/centrifuge.js"></script>
<script>
	let done = Promise.resolve()
	const tell = (...words) => { done = done.then(() => fetch('/tell', {method: 'POST', body: words.join(' ')})) }
	addEventListener('error', ({message}) => tell('error', message))
	addEventListener('unhandledrejection', ({reason}) => tell('error', reason))
</script>
<script type="module">
	const headers = {'X-Tenant-Id': '%s', 'X-Principal-Id': '%s'}
	const show = (channel, data) => tell('show', channel, data.n)
	const ended = (channel, reason) => tell('ended', channel, reason)
	%s
</script>`

// TestBrowserExample runs the JavaScript of docs/api.md in a browser, with the client library of
// Centrifugo: it shows events, says when a subscription has ended, and then asks no more.
func TestBrowserExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```js\n")
	example, _, found := strings.Cut(rest, "```\n")
	if !found || !strings.Contains(example, "new Centrifuge(boot.url") {
		t.Fatalf("docs/api.md has no example for browsers: %q", example)
	}
	w, server := newLiveWorld(t, func(o *api.Options, secret string) { o.Tokens = shortTokens(t, secret) })
	var requests atomic.Int64
	lines := make(chan string, 1_000)
	front := http.NewServeMux()
	front.HandleFunc("/v1/", func(rw http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.server.Handler().ServeHTTP(rw, r)
	})
	front.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(rw, examplePage, w.here.id, w.here.member, example)
	})
	front.HandleFunc("GET /centrifuge.js", func(rw http.ResponseWriter, r *http.Request) {
		http.ServeFile(rw, r, "testdata/centrifuge.js")
	})
	front.HandleFunc("POST /tell", func(_ http.ResponseWriter, r *http.Request) {
		line, _ := io.ReadAll(r.Body)
		lines <- string(line)
	})
	site := httptest.NewServer(front)
	t.Cleanup(site.Close)
	browsertest.Open(t, site.URL)

	publisher := centrifugotest.Client(t, server)
	resource := w.channels.Resource(w.here.id, w.here.signal)
	own := w.channels.User(principalOf(w.here.id, w.here.member))
	// shows publishes to a channel until the client shows the message.
	shows := func(channel string, n int) {
		t.Helper()
		want := fmt.Sprintf("show %s %d", channel, n)
		waittest.Until(t, want, func() bool {
			publisher.Publish(t.Context(), []centrifugo.Broadcast{
				{Channels: []string{channel}, Data: fmt.Appendf(nil, `{"n":%d}`, n)},
			})
			for {
				select {
				case got := <-lines:
					if strings.HasPrefix(got, "error") {
						t.Fatal(got)
					}
					if got == want {
						return true
					}
				default:
					return false
				}
			}
		})
	}
	shows(resource, 1)
	shows(own, 2)
	w.exec(`UPDATE fanfare.role_bindings SET revoked_at = now() WHERE principal_id = $1`, w.here.member)
	waittest.Until(t, "the end of the subscription is shown", func() bool {
		return strings.HasPrefix(receive(t, "a line", lines), "ended "+resource)
	})
	asked := requests.Load()
	shows(own, 3) // the connection goes on
	if got := requests.Load(); got != asked {
		t.Errorf("got %d requests after the end, want none", got-asked)
	}
}
