package packages_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// starts migrates an empty database with a program and runs its daemon, until it is ready and a
// signal has ended it. The environment of the program is the settings alone.
func starts(t *testing.T, program ...string) {
	t.Helper()
	db, server := pgtest.NewEmpty(t), centrifugotest.Start(t, devstack.CentrifugoOptions{})
	args := append(slices.Clone(program[1:]), "migrate", "up")
	migrate := exec.CommandContext(t.Context(), program[0], args...)
	migrate.Env = []string{"FANFARE_DATABASE_URL=" + db.URL}
	if text, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate up: %v\n%s", err, text)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	daemon, err := devstack.StartDaemon(t.Context(), devstack.DaemonOptions{
		Program: program, Command: "run", Output: log, Env: map[string]string{
			"FANFARE_DATABASE_URL":            db.URL,
			"FANFARE_CENTRIFUGO_API_URL":      server.APIURLs(),
			"FANFARE_CENTRIFUGO_API_KEY":      server.APIKey(),
			"FANFARE_CENTRIFUGO_TOKEN_SECRET": server.TokenSecret(),
			"FANFARE_CENTRIFUGO_WS_URL":       server.WebSocketURL(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := read(t, log.Name()); !strings.Contains(text, `"msg":"stopped"`) {
		t.Errorf("the daemon has not ended by itself after SIGTERM:\n%s", text)
	}
}

// lines returns the lines of a text without the empty ones.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
