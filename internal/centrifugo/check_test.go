package centrifugo_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

func TestCheckPasses(t *testing.T) {
	t.Parallel()
	client := connect(t, centrifugo.Options{APIURL: server.APIURL() + "/"}) // a trailing slash is ignored
	if got := client.Check(t.Context(), parse(t, centrifugo.Formats{}).Namespaces()...); len(got) != 0 {
		t.Errorf("got %v, want no diagnostic", got)
	}
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

func TestCheckNamespaces(t *testing.T) {
	t.Parallel()
	client := connect(t, centrifugo.Options{})
	// Channels without a namespace keep no history in the server's configuration.
	got := client.Check(t.Context(), "user", "nowhere", "", "resource")
	if len(got) != 2 {
		t.Fatalf("got %v, want two diagnostics", got)
	}
	for i, want := range []string{`no namespace "nowhere": add it`, `set its history_size`} {
		if !strings.Contains(got[i].String(), want) || got[i].Setting != "" {
			t.Errorf("got %+v, want %q and no setting", got[i], want)
		}
	}
}

func TestCheckConnection(t *testing.T) {
	t.Parallel()
	const keyFlag, urlFlag = "--centrifugo-api-key", "--centrifugo-api-url"
	answer := func(status int, body string) string {
		p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}}
		return p.start(t, byHTTP)
	}
	hung := &proxy{answer: func(_ http.ResponseWriter, r *http.Request, _ pipe) bool {
		<-r.Context().Done()
		return true
	}}
	tests := map[string]struct {
		options centrifugo.Options
		setting string
		text    string
	}{
		"wrong key": {
			centrifugo.Options{APIKey: "hidden"},
			keyFlag,
			"rejects the API key: set --centrifugo-api-key",
		},
		"no server": {
			centrifugo.Options{APIURL: "http://u:hidden@" + nettest.Refused(t) + "/api"},
			urlFlag,
			"connection refused): start Centrifugo, or correct --centrifugo-api-url",
		},
		"unknown host": {
			centrifugo.Options{APIURL: "http://nowhere.invalid/api"},
			urlFlag,
			"host of http://nowhere.invalid/api cannot be resolved",
		},
		"wrong path": {
			centrifugo.Options{APIURL: strings.TrimSuffix(server.APIURL(), "api") + "nothing"},
			urlFlag,
			"is not Centrifugo's HTTP API (HTTP 404 Not Found)",
		},
		"clients' port": {centrifugo.Options{APIURL: clientURL() + "/api"}, urlFlag, "internal_port"},
		"TLS": {
			centrifugo.Options{APIURL: strings.Replace(server.APIURL(), "http:", "https:", 1)},
			urlFlag,
			"server gave HTTP response to HTTPS client",
		},
		"failing":  {centrifugo.Options{APIURL: answer(502, "")}, urlFlag, "is failing (HTTP 502 Bad Gateway)"},
		"web page": {centrifugo.Options{APIURL: answer(200, "<html>")}, urlFlag, "not Centrifugo's HTTP API"},
		"other JSON": {
			centrifugo.Options{APIURL: answer(200, `{"ok":true}{}{}`)},
			urlFlag,
			"not Centrifugo's HTTP API",
		},
		"hung": {centrifugo.Options{APIURL: hung.start(t, byHTTP)}, urlFlag, "does not respond within 1s"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			client := connect(t, test.options)
			start := time.Now()
			got := client.Check(t.Context(), "user", "resource")
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %s, want about a second at most", took)
			}
			if len(got) != 1 {
				t.Fatalf("got %v, want one diagnostic", got)
			}
			if got[0].Setting != test.setting || !strings.Contains(got[0].String(), test.text) {
				t.Errorf("got %+v, want %s and %q", got[0], test.setting, test.text)
			}
			if strings.Contains(got[0].String(), "hidden") {
				t.Errorf("%q contains a secret", got[0])
			}
			if title != "hung" {
				if err := client.Ping(t.Context()); err == nil {
					t.Error("ping: got no error")
				}
			}
		})
	}
}
