package doctor_test

import (
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// namespaces returns the setting channel.namespaces of a production configuration, with changes by
// name; nil removes a namespace.
func namespaces(changes map[string]map[string]any) map[string]any {
	var all []any
	for _, name := range []string{"user", "resource", "tenant"} {
		change, changed := changes[name]
		if changed && change == nil {
			continue
		}
		namespace := map[string]any{
			"name": name, "history_size": 100, "history_ttl": "10m", "force_recovery": true,
			"sub_refresh_proxy_enabled": true,
		}
		maps.Copy(namespace, change)
		all = append(all, namespace)
	}
	return map[string]any{"channel.namespaces": all}
}

// TestCentrifugoConfiguration changes one option of Centrifugo's configuration at a time.
func TestCentrifugoConfiguration(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	type change = map[string]map[string]any
	for name, c := range map[string]struct {
		settings map[string]any
		check    string
		status   doctor.Status
		texts    []string
	}{
		"no namespace": {
			namespaces(change{"resource": nil}),
			"centrifugo-namespaces", doctor.Fail,
			[]string{`no namespace "resource"`, "channel.namespaces"},
		},
		"no history": {
			namespaces(change{"tenant": {"history_size": 0, "history_ttl": "0s", "force_recovery": false}}),
			"centrifugo-namespaces", doctor.Fail,
			[]string{`"tenant"`, "keeps no history", "history_size, history_ttl and force_recovery"},
		},
		"no recovery": {
			namespaces(change{"user": {"force_recovery": false}}),
			"centrifugo-recovery", doctor.Fail,
			[]string{
				"misses the messages sent meanwhile on user channels",
				"force_recovery of the namespace user in channel.namespaces (v5: namespaces)",
			},
		},
		"short history": {
			namespaces(change{"resource": {"history_size": 3}}),
			"centrifugo-recovery", doctor.Warn,
			[]string{"resource channels does not keep 10", "history_size and history_ttl of the namespace resource"},
		},
		"no personal channel": {
			map[string]any{"client.subscribe_to_user_personal_channel.enabled": false},
			"centrifugo-own-channel", doctor.Fail,
			[]string{"client.subscribe_to_user_personal_channel.enabled (v5: user_subscribe_to_personal)", `"user"`},
		},
		"another namespace for personal channels": {
			map[string]any{"client.subscribe_to_user_personal_channel.personal_channel_namespace": "resource"},
			"centrifugo-own-channel", doctor.Fail,
			[]string{
				"subscribes a connection to resource:#", "(v5: user_personal_channel_namespace)",
				"--channel-user to user:#{tenant}.{principal}",
			},
		},
		"clients subscribe without a token": {
			namespaces(change{"tenant": {"allow_subscribe_for_client": true}}),
			"centrifugo-subscribing", doctor.Fail,
			[]string{"any channel of the namespace tenant", "allow_subscribe_for_client"},
		},
		"clients prolong their subscriptions": {
			namespaces(change{"resource": {"sub_refresh_proxy_enabled": false}}),
			"centrifugo-expiry", doctor.Fail,
			[]string{
				"for ever", "channel.proxy.sub_refresh.endpoint (v5:",
				"sub_refresh_proxy_enabled (v5: proxy_sub_refresh)",
			},
		},
		"subscriptions outlive their tokens": {
			map[string]any{"client.presence_update_interval": "27s"},
			"centrifugo-expiry", doctor.Warn,
			[]string{"for more than 5s", "client.presence_update_interval (v5: client_presence_update_interval) to 2s"},
		},
		"Fanfare cannot be asked": {
			map[string]any{"channel.proxy.sub_refresh.endpoint": "http://" + refused + "/v1/realtime/refresh"},
			"centrifugo-expiry", doctor.Warn,
			[]string{"for more than 5s", "start the API", "/v1/realtime/refresh"},
		},
		"clients publish": {
			namespaces(change{"user": {"allow_publish_for_subscriber": true}}),
			"centrifugo-publishing", doctor.Fail,
			[]string{"publish to the namespace user", "allow_publish_for_subscriber"},
		},
		"clients connect without a token": {
			map[string]any{"client.allow_anonymous_connect_without_token": true},
			"centrifugo-bad-tokens", doctor.Fail,
			[]string{"without a token", "client.allow_anonymous_connect_without_token (v5: allow"},
		},
		"signatures are not verified": {
			map[string]any{"client.insecure_skip_token_signature_verify": true},
			"centrifugo-bad-tokens", doctor.Fail,
			[]string{"with a token of another secret", "client.insecure_skip_token_signature_verify (v5:"},
		},
		"another secret": {
			map[string]any{"client.token.hmac_secret_key": strings.Repeat("x", 40)},
			"centrifugo-token", doctor.Fail,
			[]string{
				"rejects the token", "FANFARE_CENTRIFUGO_TOKEN_SECRET",
				"client.token.hmac_secret_key (v5: token_hmac_secret_key)",
			},
		},
		"another secret for subscriptions": {
			map[string]any{
				"client.subscription_token.enabled":         true,
				"client.subscription_token.hmac_secret_key": strings.Repeat("x", 40),
			},
			"centrifugo-token", doctor.Fail,
			[]string{
				"rejects those of subscriptions",
				"client.subscription_token.enabled (v5: separate_subscription_token_config)",
			},
		},
		"any origin": {
			map[string]any{"client.allowed_origins": []string{"*"}},
			"centrifugo-origins", doctor.Warn,
			[]string{"from any origin", "client.allowed_origins (v5: allowed_origins)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			examine(t, onCentrifugo(t, startCentrifugo(t, c.settings))).wantOnly(t, c.check, c.status, c.texts...)
		})
	}
}

// TestInsecureCentrifugo checks that the option that disables authentication is reported.
func TestInsecureCentrifugo(t *testing.T) {
	t.Parallel()
	report := examine(t, onCentrifugo(t, startCentrifugo(t, map[string]any{"client.insecure": true})))
	if got := report.diagnostic(t, "centrifugo-bad-tokens"); got.Status != doctor.Fail ||
		!strings.Contains(got.Remedy, "client.insecure (v5: client_insecure)") {
		t.Errorf("got\n%s", report.text)
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	o := onCentrifugo(t, startCentrifugo(t, map[string]any{"client.allowed_origins": []string{"https://app.example"}}))
	o.Origins = []string{"https://app.example"}
	examine(t, o).wantOnly(t, "centrifugo-origins", doctor.OK, "from https://app.example")
	o.Origins = append(o.Origins, "https://other.example")
	examine(t, o).wantOnly(
		t, "centrifugo-origins", doctor.Fail, "cannot connect from https://other.example",
		"client.allowed_origins (v5: allowed_origins)",
	)
}

// TestSettings changes one setting of Fanfare at a time.
func TestSettings(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t, nil)
	other := startCentrifugo(t, map[string]any{"client.token.hmac_secret_key": server.TokenSecret()})
	for name, c := range map[string]struct {
		change func(o *doctor.Options)
		check  string
		status doctor.Status
		texts  []string
	}{
		"API key": {
			func(o *doctor.Options) { o.API.APIKey = "hunter2" },
			"centrifugo-api", doctor.Fail,
			[]string{"rejects the API key", "--centrifugo-api-key", "http_api.key (v5: api_key)"},
		},
		"API URL": {
			func(o *doctor.Options) { o.API.APIURL += "/v2" },
			"centrifugo-api", doctor.Fail,
			[]string{"--centrifugo-api-url"},
		},
		"port of clients as API": {
			func(o *doctor.Options) {
				o.API.APIURL = strings.Replace(
					strings.Replace(server.WebSocketURL(), "ws:", "http:", 1), "/connection/websocket", "/api", 1,
				)
			},
			"centrifugo-api", doctor.Fail,
			[]string{"--centrifugo-api-url", "internal_port"},
		},
		"no token secret": {
			func(o *doctor.Options) { o.Tokens.Secret = "" },
			"centrifugo-token", doctor.Skipped,
			[]string{"FANFARE_CENTRIFUGO_TOKEN_SECRET"},
		},
		"token secret": {
			func(o *doctor.Options) { o.Tokens.Secret = strings.Repeat("hunter2", 6) },
			"centrifugo-token", doctor.Fail,
			[]string{"rejects the token", "--centrifugo-token-secret-file"},
		},
		"path of the socket": {
			func(o *doctor.Options) { o.SocketURL = strings.TrimSuffix(o.SocketURL, "websocket") },
			"centrifugo-socket", doctor.Fail,
			[]string{"HTTP 404", "--centrifugo-ws-url"},
		},
		"channel format": {
			func(o *doctor.Options) { o.Formats.Resource = "things:{tenant}.{resource}" },
			"centrifugo-namespaces", doctor.Fail,
			[]string{`no namespace "things"`, "channel format"},
		},
		"channel format of principals": {
			func(o *doctor.Options) { o.Formats.User = "user:#{principal}.{tenant}" },
			"centrifugo-own-channel", doctor.Fail,
			[]string{"instead of", "--channel-user"},
		},
		"socket of another Centrifugo": {
			func(o *doctor.Options) { o.SocketURL = other.WebSocketURL() },
			"centrifugo-delivery", doctor.Fail,
			[]string{"did not arrive", "same Centrifugo", "engine.type (v5: engine)"},
		},
		"clock": {
			func(o *doctor.Options) { o.Tokens.Now = func() time.Time { return time.Now().Add(-time.Hour) } },
			"centrifugo-token", doctor.Fail,
			[]string{"expired", "NTP"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := onCentrifugo(t, server)
			c.change(&o)
			examine(t, o).wantOnly(t, c.check, c.status, c.texts...)
		})
	}
}

func TestCentrifugoUnreachable(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t, nil)
	if err := server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	examine(t, onCentrifugo(t, server)).wantOnly(
		t, "centrifugo-api", doctor.Fail, "is unreachable", "start Centrifugo, or correct --centrifugo-api-url",
	)
}

func TestTokenSecretTooShort(t *testing.T) {
	t.Parallel()
	o := onCentrifugo(t, startCentrifugo(t, nil))
	o.Tokens.Secret = "hunter2"
	_, err := doctor.Examine(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "at least 32") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want the rule", err)
	}
}

// TestSilentServers checks that servers that accept connections and never respond do not delay the
// examination beyond its timeout.
func TestSilentServers(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	at := silent.Addr().String()
	o := onCentrifugo(t, startCentrifugo(t, nil))
	o.Pool = openPool(t, "postgres://test@"+at+"/none?sslmode=disable", nil)
	o.SocketURL = "ws://" + at + "/connection/websocket"
	o.Timeout = 4 * time.Second
	start := time.Now()
	report := examine(t, o)
	if took := time.Since(start); took > 2*o.Timeout {
		t.Errorf("took %s, want at most about %s", took, o.Timeout)
	}
	report.wantOnly(t, "postgres-reachable", doctor.Fail, "no response in time")
	if got := report.diagnostic(t, "centrifugo-socket"); got.Status != doctor.Fail ||
		!strings.Contains(got.Detail, "no response in time") {
		t.Errorf("got\n%s", report.text)
	}
}

// TestListOfAddresses lists addresses of the API: each of them is checked.
func TestListOfAddresses(t *testing.T) {
	t.Parallel()
	server, other := startCentrifugo(t, nil), startCentrifugo(t, nil)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + closed.Addr().String() + "/api"
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	apart := startCentrifugo(t, map[string]any{"http_api.insecure": true})
	for name, c := range map[string]struct {
		list   string
		check  string
		status doctor.Status
		texts  []string
	}{
		"the same node twice": {server.APIURL() + ", " + server.APIURL() + "/", "centrifugo-api", doctor.OK, nil},
		"one is unreachable": {
			refused + "," + server.APIURL(), "centrifugo-api", doctor.Warn, []string{refused, "is unreachable"},
		},
		"the last is unreachable": {
			server.APIURL() + "," + refused, "centrifugo-api", doctor.Warn, []string{refused, "is unreachable"},
		},
		"all are unreachable": {refused + "," + refused, "centrifugo-api", doctor.Fail, []string{"is unreachable"}},
		"another key": {
			server.APIURL() + "," + other.APIURL(), "centrifugo-api", doctor.Warn,
			[]string{other.APIURL(), "rejects the API key"},
		},
		"no API": {
			server.APIURL() + "," + server.APIURL() + "/v2", "centrifugo-api", doctor.Warn,
			[]string{"/api/v2", "is not Centrifugo's HTTP API"},
		},
		"two Centrifugos": {
			server.APIURL() + "," + apart.APIURL(), "centrifugo-api", doctor.Fail,
			[]string{server.APIURL(), apart.APIURL(), "do not know each other"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := onCentrifugo(t, server)
			o.API.APIURL = c.list
			examine(t, o).wantOnly(t, c.check, c.status, c.texts...)
		})
	}
}

// TestGRPC has addresses by gRPC.
func TestGRPC(t *testing.T) {
	t.Parallel()
	server := startCentrifugo(t, nil)
	open := startCentrifugo(t, map[string]any{"grpc_api.key": ""})
	apart := startCentrifugo(t, map[string]any{"grpc_api.key": server.APIKey()})
	refused := "grpc://" + nettest.Refused(t)
	for name, c := range map[string]struct {
		at     *devstack.Centrifugo
		list   string
		status doctor.Status
		texts  []string
	}{
		"same node":  {server, server.APIURLs(), doctor.OK, []string{"by gRPC at " + server.GRPCURL()}},
		"no address": {server, server.APIURL(), doctor.OK, []string{"publications go by HTTP", "grpc://"}},
		"one is unreachable": {
			server, refused + ", " + server.APIURLs(), doctor.Warn,
			[]string{
				refused, "is unreachable", "the other addresses",
				"set grpc_api.enabled (v5: grpc_api) and grpc_api.key (v5: grpc_api_key), or correct the address",
			},
		},
		"another key": {
			open, open.APIURL() + "," + server.GRPCURL(), doctor.Warn,
			[]string{
				server.GRPCURL(), "rejects the API key",
				"set grpc_api.key (v5: grpc_api_key) to the key of http_api.key (v5: api_key)",
			},
		},
		"two Centrifugos": {
			server, apart.GRPCURL() + "," + server.APIURL(), doctor.Warn,
			[]string{server.APIURL(), apart.GRPCURL(), "do not know each other"},
		},
		"without a key": {
			open, open.APIURLs(), doctor.Fail,
			[]string{"accepts requests without an API key", "set grpc_api.key (v5: grpc_api_key) to the key of http"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := onCentrifugo(t, c.at)
			o.API.APIURL = c.list
			examine(t, o).wantOnly(t, "centrifugo-grpc", c.status, c.texts...)
		})
	}
}
