package devstack

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// CentrifugoOptions describe a server. The zero value selects the production configuration.
type CentrifugoOptions struct {
	// Binary is the path of Centrifugo v6 or v5. If it is empty, FindCentrifugo searches for it.
	Binary string
	// ExtraNamespaces are additional channel namespaces, with the options of "resource".
	ExtraNamespaces []string
	// AllowedOrigins are patterns of the origins that are permitted to connect; default the
	// origins on this machine.
	AllowedOrigins []string
	// RefreshURL is the URL of Fanfare's API, /v1/realtime/refresh, that decides whether a
	// subscription goes on when its token has expired. Without one, every subscription ends.
	RefreshURL string
	// APIKey and TokenSecret are the secrets that several nodes share; by default they are random.
	APIKey, TokenSecret string
	// Environment is added to the server's environment: "NAME=value".
	Environment []string
	// Settings are added to the configuration and override everything else in it. Their names are
	// those of v6 with dots between the sections, such as "client.insecure", for v5 too.
	Settings map[string]any
	// Output receives the server's log. The error of a failed start contains the end of the log
	// in any case.
	Output io.Writer
}

// Centrifugo is a server that keeps channels in memory, unless the options select another engine.
// Its methods are safe for concurrent use.
type Centrifugo struct {
	options     CentrifugoOptions
	binary      string
	version     Version
	port        int // for clients
	apiPort     int
	grpcPort    int
	apiKey      string
	tokenSecret string
	server      *server
	refuser     *refuser // nil with a RefreshURL
}

// StartCentrifugo returns when the server accepts commands. ctx limits the start only; the server
// runs until Stop. If no binary is found, the error is ErrNoCentrifugo.
func StartCentrifugo(ctx context.Context, options CentrifugoOptions) (*Centrifugo, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	binary, err := FindCentrifugo(options.Binary)
	if err != nil {
		return nil, err
	}
	version, err := CentrifugoVersion(binary)
	if err != nil {
		return nil, fmt.Errorf("start Centrifugo: %w", err)
	}
	dir, err := newWorkdir(true)
	if err != nil {
		return nil, fmt.Errorf("start Centrifugo: %w", err)
	}
	c := &Centrifugo{
		options: options, binary: binary, version: version,
		apiKey:      cmp.Or(options.APIKey, rand.Text()),
		tokenSecret: cmp.Or(options.TokenSecret, rand.Text()+rand.Text()),
	}
	c.server = &server{
		name:        "Centrifugo",
		dir:         dir,
		log:         &tail{next: options.Output},
		command:     c.serve,
		ready:       c.ready,
		stopSignals: []syscall.Signal{syscall.SIGTERM},
		crashSignal: syscall.SIGKILL,
	}
	if options.RefreshURL == "" {
		if c.refuser, err = startRefuser(ctx); err != nil {
			return nil, errors.Join(err, dir.remove())
		}
		c.options.RefreshURL = c.refuser.url
	}
	if err := c.server.startOnFreePorts(ctx, c.configure); err != nil {
		c.refuser.stop()
		return nil, errors.Join(err, dir.remove())
	}
	return c, nil
}

// APIURL returns the URL of the server API by HTTP.
func (c *Centrifugo) APIURL() string { return "http://" + local(c.apiPort) + "/api" }

// GRPCURL returns the URL of the server API by gRPC.
func (c *Centrifugo) GRPCURL() string { return "grpc://" + local(c.grpcPort) }

// APIURLs returns both URLs, separated by a comma.
func (c *Centrifugo) APIURLs() string { return c.GRPCURL() + "," + c.APIURL() }

// WebSocketURL returns the URL that clients connect to.
func (c *Centrifugo) WebSocketURL() string {
	return "ws://" + local(c.port) + "/connection/websocket"
}

// APIKey returns the key of the server API.
func (c *Centrifugo) APIKey() string { return c.apiKey }

// TokenSecret returns the HMAC key of connection and subscription tokens.
func (c *Centrifugo) TokenSecret() string { return c.tokenSecret }

// Version returns the version of the server's binary.
func (c *Centrifugo) Version() Version { return c.version }

// ClientAddress returns the host and port that clients connect to.
func (c *Centrifugo) ClientAddress() string { return local(c.port) }

// HealthURL returns the URL that answers while the server can.
func (c *Centrifugo) HealthURL() string { return "http://" + local(c.apiPort) + "/health" }

// String returns the server's address, without secrets.
func (c *Centrifugo) String() string { return "Centrifugo at " + local(c.port) }

// Kill ends the server by SIGKILL. The contents of its channels are lost.
func (c *Centrifugo) Kill(ctx context.Context) error { return c.server.crash(ctx) }

// Restart stops the server, if it runs, and starts it on the same ports with the same secrets. It
// returns when the server accepts commands.
func (c *Centrifugo) Restart(ctx context.Context) error { return c.server.restart(ctx) }

// Stop stops the server and removes its files. Further calls do nothing.
func (c *Centrifugo) Stop(ctx context.Context) error {
	c.refuser.stop()
	return c.server.stop(ctx)
}

// configure selects ports and writes the configuration, which only this user can read.
func (c *Centrifugo) configure() (err error) {
	if c.port, err = c.server.ports.port(); err != nil {
		return err
	}
	if c.apiPort, err = c.server.ports.port(); err != nil {
		return err
	}
	if c.grpcPort, err = c.server.ports.port(); err != nil {
		return err
	}
	config, err := c.config()
	if err != nil {
		return fmt.Errorf("configure Centrifugo: %w", err)
	}
	return os.WriteFile(c.configFile(), config, 0o600)
}

func (c *Centrifugo) configFile() string { return c.server.dir.join("centrifugo.json") }

func (c *Centrifugo) serve() *exec.Cmd {
	cmd := exec.Command(c.binary, "--config", c.configFile())
	cmd.Dir = c.server.dir.path
	// Without the CENTRIFUGO_… variables of this process.
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, c.options.Environment...)
	return cmd
}

// ready sends a command that requires the API key, so that another server on the port is not
// confused with this one.
func (c *Centrifugo) ready(ctx context.Context, _ int) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.APIURL()+"/info", strings.NewReader("{}"))
	if err != nil {
		return false
	}
	request.Close = true
	request.Header.Set("X-API-Key", c.apiKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
