package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/golang-jwt/jwt/v5"

	"github.com/fanfarehq/fanfare/deploy"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

func TestCentrifugoChannels(t *testing.T) {
	t.Parallel()
	c := startCentrifugo(t, CentrifugoOptions{ExtraNamespaces: []string{"chat"}})
	const me, own = "tenant-1.principal-1", "user:#tenant-1.principal-1"

	t.Run("a client has its own channel from the start", func(t *testing.T) {
		client := newClient(t, c, me)
		subscribed := awaitEvent(t, "subscribed by the server", client.subscribed)
		if subscribed.Channel != own {
			t.Errorf("channel: got %q, want %q", subscribed.Channel, own)
		}
		if !subscribed.Recoverable {
			t.Error("the channel is not recoverable")
		}
		publish(t, c, own, `{"n":1}`)
		published := awaitEvent(t, "publication", client.published)
		if published.Channel != own || string(published.Data) != `{"n":1}` {
			t.Errorf("publication: got %s on %q", published.Data, published.Channel)
		}
	})

	for name, attempt := range map[string]struct {
		channel, token string
		want           uint32 // the server's code: 103 permission denied, 3500 invalid token, 0 success
	}{
		"another's channel":                  {"user:#tenant-1.principal-2", "", 103},
		"another tenant's channel":           {"user:#tenant-2.principal-1", "", 103},
		"a channel with both names":          {"user:#tenant-1.principal-2,tenant-1.principal-1", "", 103},
		"a resource without a token":         {"resource:tenant-1.r", "", 103},
		"the tenant without a token":         {"tenant:tenant-1", "", 103},
		"an extra namespace without a token": {"chat:tenant-1.room", "", 103},
		"an unknown namespace":               {"other:x", "", 102},
		"a resource with its token":          {"resource:tenant-1.r", token(t, c, me, "resource:tenant-1.r"), 0},
		"an extra namespace with its token":  {"chat:tenant-1.room", token(t, c, me, "chat:tenant-1.room"), 0},
		"a resource with another's token": {
			"resource:tenant-1.r", token(t, c, "tenant-1.principal-2", "resource:tenant-1.r"), 3500,
		},
		"a resource with another channel's token": {
			"resource:tenant-1.r", token(t, c, me, "resource:tenant-1.other"), 3500,
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, c, me)
			if got := subscribe(t, client, attempt.channel, attempt.token); got != attempt.want {
				t.Errorf("code: got %d, want %d", got, attempt.want)
			}
		})
	}

	t.Run("a connection requires a token", func(t *testing.T) {
		client := connectWith(t, c, "")
		if disconnected := awaitEvent(t, "disconnected", client.disconnected); disconnected.Code == 0 {
			t.Errorf("got %+v, want a rejection", disconnected)
		}
	})
}

func TestCentrifugoRestartsOnItsPorts(t *testing.T) {
	t.Parallel()
	c := startCentrifugo(t, CentrifugoOptions{})
	api, socket := c.APIURL(), c.WebSocketURL()
	if err := c.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.ready(t.Context(), 0) {
		t.Error("the server outlived Kill")
	}
	for range 2 { // from down, and from up
		if err := c.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.APIURL() != api || c.WebSocketURL() != socket {
			t.Errorf("URLs: got %s and %s, want %s and %s", c.APIURL(), c.WebSocketURL(), api, socket)
		}
		publish(t, c, "tenant:t", `{}`)
	}
	stop(t, c)
	if exists(c.server.dir.path) {
		t.Error("the directory outlived Stop")
	}
}

func TestCentrifugoKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	c := startCentrifugo(t, CentrifugoOptions{})
	info, err := os.Stat(c.configFile())
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode of the configuration: got %o, want 600", got)
	}
	shown := fmt.Sprintf("%v %+v %s %q", c, c, c, c.server.child.cmd.Args)
	for _, secret := range []string{c.apiKey, c.tokenSecret} {
		if strings.Contains(shown, secret) {
			t.Error("printing the server or its command shows a secret")
		}
	}
}

func TestCentrifugoStartError(t *testing.T) {
	t.Parallel()
	_, err := StartCentrifugo(t.Context(), CentrifugoOptions{ExtraNamespaces: []string{"no spaces"}})
	if err == nil || !strings.Contains(err.Error(), "namespace") {
		t.Errorf("got %v, want the server's error", err)
	}
}

// TestCentrifugoAcceptsTheConfiguration checks every option of the production configuration, and of
// the one that a server gets. In v5 the command does not report unknown options.
func TestCentrifugoAcceptsTheConfiguration(t *testing.T) {
	t.Parallel()
	c := startCentrifugo(t, CentrifugoOptions{Settings: map[string]any{"http_api.insecure": false}})
	shipped := filepath.Join(t.TempDir(), "centrifugo.json")
	content := map[int]string{5: deploy.CentrifugoV5, 6: deploy.CentrifugoV6}[c.version.Major]
	if err := os.WriteFile(shipped, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{shipped, c.configFile()} {
		args := []string{"checkconfig", "--config", path}
		if c.version.Major > 5 {
			args = append(args, "--strict")
		}
		if out, err := exec.CommandContext(t.Context(), c.binary, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
}

// TestCentrifugoConfigurations lays the same settings over the configuration of each major version.
func TestCentrifugoConfigurations(t *testing.T) {
	t.Parallel()
	for major, want := range map[int]map[string]any{
		5: {"port": 7001.0, "internal_port": "7002", "api_key": "key", "client_insecure": true},
		6: {
			"http_server.port": 7001.0, "http_server.internal_port": "7002", "http_api.key": "key",
			"client.insecure": true, "client.subscribe_to_user_personal_channel.enabled": true,
		},
	} {
		c := &Centrifugo{
			version: Version{Major: major}, port: 7001, apiPort: 7002, apiKey: "key",
			options: CentrifugoOptions{Settings: map[string]any{"client.insecure": true}},
		}
		content, err := c.config()
		if err != nil {
			t.Fatal(err)
		}
		for option, value := range want {
			if got := lookUp(t, content, option); got != value {
				t.Errorf("v%d, %s: got %v, want %v", major, option, got, value)
			}
		}
	}
	for major, setting := range map[int]string{4: "client.insecure", 5: "unknown.option"} {
		c := &Centrifugo{
			version: Version{Major: major}, options: CentrifugoOptions{Settings: map[string]any{setting: true}},
		}
		if _, err := c.config(); err == nil {
			t.Errorf("v%d with %s: got no error", major, setting)
		}
	}
}

// lookUp returns an option, whose name has dots between the sections.
func lookUp(t testing.TB, content []byte, option string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(option, ".") {
		section, _ := value.(map[string]any)
		value = section[name]
	}
	return value
}

// TestCentrifugoVersions is not parallel: a program that is being written cannot be executed, and
// a process that another test starts may hold its file open for a moment.
func TestCentrifugoVersions(t *testing.T) {
	for printed, want := range map[string]Version{
		"Centrifugo v6.9.1 (Go version: go1.26.0)": {6, "v6.9.1"},
		"Centrifugo PRO v5.4.9 (Go version: go1)":  {5, "v5.4.9"},
		"Centrifugo v4.1.5 (Go version: go1.20)":   {},
		"Centrifugo v7.0.0 (Go version: go1.30)":   {},
		"another program":                          {},
	} {
		got, err := CentrifugoVersion(fakeCentrifugo(t, t.TempDir(), printed))
		if got != want || (err == nil) != (want.Major != 0) {
			t.Errorf("%q: got %v, %v; want %v", printed, got, err, want)
		}
	}
	for version, want := range map[string]Version{"v6.9.1": {6, "v6.9.1"}, "(devel)": {6, "v6"}} {
		if got := moduleVersion("github.com/centrifugal/centrifugo/v6", version); got != want {
			t.Errorf("module version %s: got %v, want %v", version, got, want)
		}
	}
	if got := moduleVersion("github.com/centrifugal/another/v6", "v6.0.0"); got != (Version{}) {
		t.Errorf("another module: got %v, want none", got)
	}
}

// TestInstalledCentrifugo checks that an installed Centrifugo is preferred to a built one, unless
// its version is not supported.
func TestInstalledCentrifugo(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	if err := os.WriteFile("go.mod", []byte("module github.com/fanfarehq/fanfare\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	built := fakeCentrifugo(t, filepath.Join(root, "bin"), "Centrifugo v6.9.1")
	t.Setenv(centrifugoVariable, "")
	for version, installed := range map[string]bool{"v6.0.0": true, "v5.4.9": true, "v4.1.5": false} {
		onPath := fakeCentrifugo(t, filepath.Join(root, version), "Centrifugo "+version)
		t.Setenv("PATH", filepath.Dir(onPath))
		want := built
		if installed {
			want = onPath
		}
		if got, err := FindCentrifugo(""); got != want || err != nil {
			t.Errorf("%s on PATH: got %s, %v; want %s", version, got, err, want)
		}
		if _, err := InstalledCentrifugo(); (err == nil) != installed {
			t.Errorf("%s on PATH is installed: got %v, want %t", version, err, installed)
		}
	}
}

// fakeCentrifugo creates a program that prints a version, and returns its path.
func fakeCentrifugo(t testing.TB, dir, version string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "centrifugo")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+version+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCentrifugoNotFound(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("PATH", dir)
	t.Setenv(centrifugoVariable, "")
	if _, err := FindCentrifugo(""); !errors.Is(err, ErrNoCentrifugo) {
		t.Errorf("got %v, want ErrNoCentrifugo", err)
	}
	t.Setenv(centrifugoVariable, filepath.Join(dir, "absent"))
	if _, err := FindCentrifugo(""); err == nil || errors.Is(err, ErrNoCentrifugo) {
		t.Errorf("a named binary that is absent: got %v, want an error that names it", err)
	}
}

// client is a connection with channels of its events.
type client struct {
	*centrifuge.Client
	subscribed   chan centrifuge.ServerSubscribedEvent
	published    chan centrifuge.ServerPublicationEvent
	disconnected chan centrifuge.DisconnectedEvent
}

func newClient(t testing.TB, c *Centrifugo, user string) *client {
	t.Helper()
	return connectWith(t, c, token(t, c, user, ""))
}

func connectWith(t testing.TB, c *Centrifugo, token string) *client {
	t.Helper()
	got := &client{
		Client:       centrifuge.NewJsonClient(c.WebSocketURL(), centrifuge.Config{Token: token}),
		subscribed:   make(chan centrifuge.ServerSubscribedEvent, 1),
		published:    make(chan centrifuge.ServerPublicationEvent, 1),
		disconnected: make(chan centrifuge.DisconnectedEvent, 1),
	}
	got.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) { offer(got.subscribed, e) })
	got.OnPublication(func(e centrifuge.ServerPublicationEvent) { offer(got.published, e) })
	got.OnDisconnected(func(e centrifuge.DisconnectedEvent) { offer(got.disconnected, e) })
	t.Cleanup(got.Close)
	if err := got.Connect(); err != nil {
		t.Fatal(err)
	}
	return got
}

// subscribe returns the code of the server's rejection or disconnect, or 0 if it subscribed.
func subscribe(t testing.TB, c *client, channel, token string) uint32 {
	t.Helper()
	subscription, err := c.NewSubscription(channel, centrifuge.SubscriptionConfig{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan uint32, 1)
	subscription.OnSubscribed(func(centrifuge.SubscribedEvent) { offer(answer, 0) })
	subscription.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { offer(answer, e.Code) })
	if err := subscription.Subscribe(); err != nil {
		t.Fatal(err)
	}
	select {
	case disconnected := <-c.disconnected:
		return disconnected.Code
	case code := <-answer:
		return code
	case <-time.After(timeout):
		t.Fatalf("answer to the subscription: nothing within %v", timeout)
		panic("unreachable")
	}
}

// token returns a connection token, or for a channel a subscription token.
func token(t testing.TB, c *Centrifugo, user, channel string) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": user, "exp": time.Now().Add(time.Minute).Unix()}
	if channel != "" {
		claims["channel"] = channel
	}
	return jwttest.Sign(t, c.TokenSecret(), claims)
}

func publish(t testing.TB, c *Centrifugo, channel, data string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"channel": channel, "data": json.RawMessage(data)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		c.APIURL()+"/publish",
		strings.NewReader(string(body)),
	)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("X-API-Key", c.APIKey())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var reply struct{ Error json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil || reply.Error != nil {
		t.Fatalf("publish: status %d, error %s, %v", response.StatusCode, reply.Error, err)
	}
}

// offer keeps the first event.
func offer[E any](events chan E, event E) {
	select {
	case events <- event:
	default:
	}
}

func awaitEvent[E any](t testing.TB, what string, events <-chan E) E {
	t.Helper()
	select {
	case event := <-events:
		return event
	case <-time.After(timeout):
		t.Fatalf("%s: nothing within %v", what, timeout)
		panic("unreachable")
	}
}
