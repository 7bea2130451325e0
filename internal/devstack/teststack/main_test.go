package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// selfVariable makes the test binary behave as teststack.
const selfVariable = "FANFARE_TESTSTACK"

func TestMain(m *testing.M) {
	if os.Getenv(selfVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestServerEndsWithTheCommand(t *testing.T) {
	t.Parallel()
	out, err := teststack(
		t,
		"--",
		"sh",
		"-c",
		`echo "$FANFARE_TEST_DATABASE_URL"; test -x "$FANFARE_CENTRIFUGO_BIN"; exit $((42 + $?))`,
	).Output()
	if got := code(t, err); got != 42 {
		t.Errorf("exit code: got %d, want the command's 42", got)
	}
	assertStopped(t, string(out))
}

func TestExistingServerIsUsed(t *testing.T) {
	t.Parallel()
	cmd := teststack(t, "sh", "-c", `echo "$FANFARE_TEST_DATABASE_URL"`)
	cmd.Env = append(cmd.Env, databaseVariable+"=postgres://existing")
	out, err := cmd.Output()
	if err != nil || string(out) != "postgres://existing\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestSignalEndsEverything(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			// The grandchild keeps the pipe open while it runs.
			cmd := teststack(t, "sh", "-c", `echo "$FANFARE_TEST_DATABASE_URL"; sleep 600 & wait`)
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			out := bufio.NewReader(pipe)
			line, err := out.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(out); err != nil {
				t.Fatal(err)
			}
			if got, want := code(t, cmd.Wait()), 128+int(sig); got != want {
				t.Errorf("exit code: got %d, want %d", got, want)
			}
			assertStopped(t, line)
		})
	}
}

func TestSignalDuringTheStart(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGTERM
	var log bytes.Buffer
	got, err := run([]string{"true"}, []string{centrifugoVariable + "=unused"}, signals, &log)
	if got == 0 || err == nil {
		t.Errorf("got %d, %v; want a failure", got, err)
	}
}

func TestUnknownCommand(t *testing.T) {
	t.Parallel()
	environment := []string{centrifugoVariable + "=unused", databaseVariable + "=unused"}
	for want, args := range map[int][]string{2: nil, 127: {"/no/such/command"}} {
		got, err := run(args, environment, nil, io.Discard)
		if got != want || err == nil {
			t.Errorf("%q: got %d, %v; want %d and an error", args, got, err, want)
		}
	}
}

// teststack returns a command of this program, without a server from the environment.
func teststack(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable, args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, databaseVariable+"=") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, selfVariable+"=1")
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Minute
	return cmd
}

func code(t testing.TB, ended error) int {
	t.Helper()
	got, err := exitCode(ended)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// assertStopped fails the test if a server listens at the URL.
func assertStopped(t testing.TB, databaseURL string) {
	t.Helper()
	u, err := url.Parse(strings.TrimSpace(databaseURL))
	if err != nil || u.Port() == "" {
		t.Fatal(fmt.Errorf("%s is no URL of a server: %w", databaseVariable, err))
	}
	if conn, err := net.Dial("tcp4", u.Host); err == nil {
		_ = conn.Close()
		t.Errorf("the server at %s outlived the command", u.Host)
	}
}
