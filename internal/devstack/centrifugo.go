package devstack

import (
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

// CentrifugoOptions says what Centrifugo to run. The zero value is the
// production configuration on this machine.
type CentrifugoOptions struct {
	// Binary is Centrifugo v5. When empty it is the one that the environment
	// variable FANFARE_CENTRIFUGO_BIN names, the one beside the running
	// executable, bin/centrifugo of the checkout, or the one on PATH.
	Binary string
	// ExtraNamespaces are further channel namespaces, with the options of
	// "resource".
	ExtraNamespaces []string
	// AllowedOrigins are the web pages that may connect, as patterns. When
	// empty, any page that this machine serves.
	AllowedOrigins []string
	// Settings are added to the configuration and win over everything else in it.
	Settings map[string]any
	// Output gets the server's log. The end of it is in the error when a start
	// fails, with or without Output.
	Output io.Writer
}

// Centrifugo is a server with secrets of its own that keeps channels in
// memory. Its methods are safe for concurrent use.
type Centrifugo struct {
	options     CentrifugoOptions
	binary      string
	port        int // for clients
	apiPort     int
	apiKey      string
	tokenSecret string
	server      *server
}

// StartCentrifugo returns once the server takes commands. ctx bounds the start
// only; the server runs until Stop. When there is no binary the error is
// ErrNoCentrifugo.
func StartCentrifugo(ctx context.Context, options CentrifugoOptions) (*Centrifugo, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	binary, err := FindCentrifugo(options.Binary)
	if err != nil {
		return nil, err
	}
	dir, err := newWorkdir(true)
	if err != nil {
		return nil, fmt.Errorf("start Centrifugo: %w", err)
	}
	c := &Centrifugo{options: options, binary: binary, apiKey: rand.Text(), tokenSecret: rand.Text() + rand.Text()}
	c.server = &server{
		name:        "Centrifugo",
		dir:         dir,
		log:         &tail{next: options.Output},
		command:     c.serve,
		ready:       c.ready,
		stopSignals: []syscall.Signal{syscall.SIGTERM},
		crashSignal: syscall.SIGKILL,
	}
	if err := c.server.startSomewhere(ctx, c.configure); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return c, nil
}

// APIURL returns where the server API is.
func (c *Centrifugo) APIURL() string { return "http://" + local(c.apiPort) + "/api" }

// WebSocketURL returns where clients connect.
func (c *Centrifugo) WebSocketURL() string {
	return "ws://" + local(c.port) + "/connection/websocket"
}

// APIKey returns the secret that the server API asks for.
func (c *Centrifugo) APIKey() string { return c.apiKey }

// TokenSecret returns the HMAC key of connection and subscription tokens.
func (c *Centrifugo) TokenSecret() string { return c.tokenSecret }

// String names the server without its secrets.
func (c *Centrifugo) String() string { return "Centrifugo at " + local(c.port) }

// Kill takes the server down at once. What it kept of channels is lost.
func (c *Centrifugo) Kill(ctx context.Context) error { return c.server.crash(ctx) }

// Restart takes the server down, unless it is down already, and starts it
// again on the same ports with the same secrets. It returns once the server
// takes commands.
func (c *Centrifugo) Restart(ctx context.Context) error { return c.server.restart(ctx) }

// Stop ends the server and removes its files. A second Stop does nothing.
func (c *Centrifugo) Stop(ctx context.Context) error { return c.server.stop(ctx) }

// configure chooses ports and writes the configuration, which only this user
// can read.
func (c *Centrifugo) configure() (err error) {
	if c.port, err = freePort(); err != nil {
		return err
	}
	if c.apiPort, err = freePort(); err != nil {
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
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // no CENTRIFUGO_… of the caller's
	return cmd
}

// ready asks for something that takes the API key, so that no other server on
// the port can pass for this one.
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
