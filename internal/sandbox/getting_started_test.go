package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestGettingStarted runs every statement of docs/getting-started.md, in its order and in one
// shell, but for the first block, which names the reader's servers.
func TestGettingStarted(t *testing.T) {
	t.Parallel()
	root, ok := devstack.Checkout()
	if !ok {
		t.Fatal("the test runs in a checkout")
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "getting-started.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := t.TempDir(), t.TempDir()
	buildFanfare(t, bin)
	s := newSession(t, dir)
	blocks := blocksOf(string(page))
	if !strings.Contains(blocks[0].text, "export FANFARE=") {
		t.Fatalf("the first block: got\n%s\nwant the reader's servers", blocks[0].text)
	}
	s.run(readersServers(t, root, bin))
	inbox := ""
	for _, b := range blocks[1:] {
		switch {
		case b.file != "":
			if err := os.WriteFile(filepath.Join(dir, b.file), []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		case b.language == "sql":
			s.run("psql -v ON_ERROR_STOP=1 <<'SQL'\n" + b.text + "SQL\n")
		case strings.Contains(b.text, "/v1/notifications\""):
			inbox = b.text
			waittest.Until(t, "the inbox has three notifications", func() bool {
				out := s.run(inbox)
				return strings.Contains(out, "Renamed from Go") && strings.Contains(out, "Renamed from Python") &&
					strings.Count(out, `"event_id"`) == 3
			})
		default:
			out := s.run(b.text)
			if strings.Contains(b.text, "fanfare explain") && !strings.Contains(out, "yes") {
				t.Errorf("%s\ngot\n%s\nwant Grace notified", b.text, out)
			}
		}
	}
	if inbox == "" {
		t.Error("the page does not read the inbox")
	}
	waittest.Until(t, "the listener prints what Go and Python record", func() bool {
		s.run("true")
		streamed := strings.Join(s.streamed, "\n")
		return strings.Contains(streamed, "Renamed from Go") && strings.Contains(streamed, "Renamed from Python")
	})
}

// buildFanfare builds the program into a directory and returns its path.
func buildFanfare(t *testing.T, dir string) string {
	t.Helper()
	root, ok := devstack.Checkout()
	if !ok {
		t.Fatal("the test runs in a checkout")
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", dir, "./cmd/fanfare")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "fanfare")
}

// block is a code block. file is the name that the page gives it, in a sentence "In `main.go`:".
type block struct{ language, file, text string }

func blocksOf(page string) (blocks []block) {
	open, paragraph := false, ""
	for line := range strings.Lines(page) {
		switch language, fence := strings.CutPrefix(strings.TrimSpace(line), "```"); {
		case fence && !open:
			b := block{language: language}
			if _, after, ok := strings.Cut(paragraph, "In `"); ok {
				b.file, _, _ = strings.Cut(after, "`")
			}
			blocks, open = append(blocks, b), true
		case fence:
			open, paragraph = false, ""
		case open:
			blocks[len(blocks)-1].text += line
		case strings.TrimSpace(line) == "" && !strings.Contains(paragraph, "In `"):
			paragraph = ""
		default:
			paragraph += line
		}
	}
	return blocks
}

// readersServers starts servers and returns the variables that name them.
func readersServers(t *testing.T, root, bin string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	postgres, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, postgres.Stop)
	server, err := devstack.StartCentrifugo(ctx, devstack.CentrifugoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, server.Stop)
	if err := pg.WithConn(ctx, postgres.URL("postgres"), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE shop")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(postgres.URL("shop"))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	return fmt.Sprintf(`export FANFARE='%s' PATH='%s':$PATH
export PGHOST=%s PGPORT=%s PGDATABASE=shop PGUSER=postgres PGPASSWORD=%s
export FANFARE_CENTRIFUGO_API_URL=%s FANFARE_CENTRIFUGO_API_KEY=%s
export FANFARE_CENTRIFUGO_WS_URL=%s FANFARE_CENTRIFUGO_TOKEN_SECRET=%s
export FANFARE_LISTEN=%s
`, root, bin, u.Hostname(), u.Port(), password, server.APIURLs(), server.APIKey(), server.WebSocketURL(),
		server.TokenSecret(), freeAddress(t))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func stopAtEnd(t *testing.T, stop func(ctx context.Context) error) {
	t.Helper()
	t.Cleanup(func() {
		if err := stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// session is a shell that runs blocks one after the other.
type session struct {
	t     *testing.T
	stdin *os.File
	lines chan string

	streamed []string // the data of server-sent events that a block prints in the background
}

func newSession(t *testing.T, dir string) *session {
	t.Helper()
	input, stdin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	output, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("bash", "-eu", "-o", "pipefail")
	shell.Dir, shell.Stdin, shell.Stdout, shell.Stderr = dir, input, stdout, stdout
	ownGroup(shell)
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = input.Close(), stdout.Close()
	s := &session{t: t, stdin: stdin, lines: make(chan string, 10_000)}
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			s.lines <- lines.Text()
		}
		_ = output.Close()
	}()
	t.Cleanup(func() {
		endGroup(shell)
		_ = shell.Wait()
		_ = stdin.Close()
		for range s.lines { // until the end of the output
		}
	})
	return s
}

// run runs a block and returns its output.
func (s *session) run(block string) string {
	s.t.Helper()
	const end = "-- end of the block --"
	if _, err := s.stdin.WriteString(block + "\necho; echo '" + end + "'\n"); err != nil {
		s.t.Fatal(err)
	}
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	var out strings.Builder
	for {
		select {
		case line, ok := <-s.lines:
			switch {
			case !ok:
				s.t.Fatalf("%s\nfailed:\n%s", block, out.String())
			case line == end:
				return out.String()
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				s.streamed = append(s.streamed, data)
				continue
			}
			out.WriteString(line + "\n")
		case <-timeout.C:
			s.t.Fatalf("%s\ndoes not end:\n%s", block, out.String())
		}
	}
}
