package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestBrowserExample runs the JavaScript of docs/api.md with the client library of Centrifugo: it
// shows events, says when a subscription has ended, and then asks no more. Without Node and a
// WebSocket, the test checks only that the example is there; make test installs both.
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
	const socket = `globalThis.WebSocket ??= require('ws')` // Node has its own since version 22
	if err := exec.CommandContext(t.Context(), "node", "--eval", socket).Run(); err != nil {
		t.Logf("the example was not run, since Node or its package ws is missing: %v", err)
		return
	}
	library, err := os.ReadFile("testdata/centrifuge.js")
	if err != nil {
		t.Fatal(err)
	}
	w, server := newLiveWorld(t, func(o *api.Options, secret string) { o.Tokens = shortTokens(t, secret) })
	var requests atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.server.Handler().ServeHTTP(rw, r)
	}))
	t.Cleanup(front.Close)
	headers, err := json.Marshal(map[string]string{
		"X-Tenant-Id": w.here.id.String(), "X-Principal-Id": w.here.member.String(),
	})
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`%s;
%s;
(async () => {
	const headers = %s
	const fetch = (path, options) => globalThis.fetch(%q + path, options)
	const show = (channel, data) => console.log('show', channel, data.n)
	const ended = (channel, reason) => console.log('ended', channel, reason)
	%s
})()`, socket, library, headers, front.URL, example)
	command := exec.CommandContext(t.Context(), "node", "--no-warnings", "-")
	command.Stdin, command.Stderr = strings.NewReader(script), os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1_000)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		for range lines { // until the process has ended
		}
		_ = command.Wait()
	})

	publisher, err := centrifugo.New(centrifugo.Options{APIURL: server.APIURL(), APIKey: server.APIKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(publisher.Close)
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
