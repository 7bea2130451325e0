package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"

	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/migrations"
)

// fleet are the daemons of several versions on one database. Its methods are safe for concurrent
// use.
type fleet struct {
	issuer apiclient.Issuer
	env    map[string]string // the settings of the daemons

	mu      sync.Mutex
	running []fleetMember
	turn    int // of the servers
}

type fleetMember struct {
	program string
	command string // worker or serve
	daemon  *devstack.Daemon
}

func newFleet(databaseURL string, server Nodes) *fleet {
	issuer := apiclient.NewIssuer()
	jwt := issuer.JWT()
	return &fleet{issuer: issuer, env: map[string]string{
		"FANFARE_DATABASE_URL":            databaseURL,
		"FANFARE_CENTRIFUGO_API_URL":      server.APIURLs(),
		"FANFARE_CENTRIFUGO_API_KEY":      server.APIKey(),
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": server.TokenSecret(),
		"FANFARE_CENTRIFUGO_WS_URL":       server.WebSocketURL(),
		"FANFARE_JWT_SECRET":              issuer.Secret,
		"FANFARE_JWT_ISSUER":              jwt.Issuer,
		"FANFARE_JWT_AUDIENCE":            jwt.Audience,
		"FANFARE_RATE_LIMIT":              "10000",
		"FANFARE_RATE_BURST":              "10000",
		"FANFARE_LOG_LEVEL":               "error",
	}}
}

// start starts two workers and two API servers of a program, and returns when they are ready.
func (f *fleet) start(ctx context.Context, program string) error {
	for _, command := range []string{"worker", "serve", "worker", "serve"} {
		d, err := devstack.StartDaemon(ctx, devstack.DaemonOptions{
			Program: []string{program}, Command: command, Env: f.env,
		})
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.running = append(f.running, fleetMember{program, command, d})
		f.mu.Unlock()
	}
	return nil
}

// members returns the running daemons of a program.
func (f *fleet) members(program string) (found []fleetMember) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.running {
		if m.program == program {
			found = append(found, m)
		}
	}
	return found
}

// address returns the address of the next API server in turn.
func (f *fleet) address() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range f.running {
		f.turn++
		if m := f.running[f.turn%len(f.running)]; m.command == "serve" {
			return m.daemon.Address()
		}
	}
	return "127.0.0.1:1" // refuses connections
}

// retire sends no more requests to a daemon, and stops it.
func (f *fleet) retire(ctx context.Context, m fleetMember) error {
	f.mu.Lock()
	f.running = slices.DeleteFunc(f.running, func(other fleetMember) bool { return other.daemon == m.daemon })
	f.mu.Unlock()
	return m.daemon.Stop(ctx)
}

// stop stops all daemons.
func (f *fleet) stop(ctx context.Context) (err error) {
	f.mu.Lock()
	running := slices.Clone(f.running)
	f.mu.Unlock()
	for _, m := range running {
		err = errors.Join(err, f.retire(ctx, m))
	}
	return err
}

// run runs a command of a program and returns what it prints. An error contains that, too.
func (f *fleet) run(ctx context.Context, program string, args ...string) (text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "FANFARE_DATABASE_URL=" + f.env["FANFARE_DATABASE_URL"]}
	out, err := cmd.CombinedOutput()
	text = string(bytes.TrimSpace(out))
	if err != nil {
		err = fmt.Errorf("%s %v: %w\n%s", program, args, err, text)
	}
	return text, err
}

// status returns what a program states about the schema.
func (f *fleet) status(ctx context.Context, program string) (s migrations.Status, err error) {
	text, err := f.run(ctx, program, "migrate", "status", "--json")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// migrateDown reverts the migrations after one.
func (f *fleet) migrateDown(ctx context.Context, program string, to int) (text string, err error) {
	return f.run(ctx, program, "migrate", "down", "--to", strconv.Itoa(to))
}
