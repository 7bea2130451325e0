package console_test

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/browsertest"
	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/console/stage"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

const (
	// browserFiles is the number of files that run at the same time, each with a Chromium.
	browserFiles = 2
	// distVariable names the directory of a build; "" selects the one of the binary.
	distVariable = "FANFARE_CONSOLE_DIST"
	// spareTime is what stopping takes at most, before the test's deadline.
	spareTime = 30 * time.Second
)

// TestBrowser runs the files of web/test in Chromium, against one stage. A file that is named
// *.alone.test.ts runs after the others, since it interrupts servers.
func TestBrowser(t *testing.T) {
	node := findNode(t)
	if _, err := browsertest.Find(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("web/test/*.test.ts")
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %q, %v; want those of web/test", files, err)
	}
	// A long file that starts last would run while nothing else does.
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(sizeOf(t, b), sizeOf(t, a)) })
	environ := startStage(t)
	t.Run("files", func(t *testing.T) {
		next := make(chan string)
		var runners sync.WaitGroup
		for range browserFiles {
			runners.Go(func() {
				for file := range next {
					t.Run(nameOf(file), func(t *testing.T) { runFile(t, node, file, environ) })
				}
			})
		}
		for _, file := range files {
			if !isAlone(file) {
				next <- file
			}
		}
		close(next)
		runners.Wait()
	})
	t.Run("alone", func(t *testing.T) {
		for _, file := range files {
			if isAlone(file) {
				t.Run(nameOf(file), func(t *testing.T) { runFile(t, node, file, environ) })
			}
		}
	})
}

func isAlone(file string) bool { return strings.HasSuffix(file, ".alone.test.ts") }

func nameOf(file string) string { return strings.TrimSuffix(filepath.Base(file), ".test.ts") }

func sizeOf(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// findNode returns the path of Node, if it can run the tests.
func findNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("the browser tests need Node 20.19 or newer: make test-tools installs it: %v", err)
	}
	for _, name := range []string{"tsx", "playwright-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join("web/node_modules", name)); err != nil {
			t.Fatalf("the package %s is not installed: make test-tools installs it: %v", name, err)
		}
	}
	return node
}

// consoleFiles returns the files of FANFARE_CONSOLE_DIST, or nil for those of the binary.
func consoleFiles(t *testing.T) fs.FS {
	t.Helper()
	dir := os.Getenv(distVariable)
	if dir == "" {
		if _, err := fs.Stat(console.Files("console"), "index.html"); err != nil {
			t.Fatalf("the console is not built: make console builds it: %v", err)
		}
		return nil
	}
	files, err := stage.DistOf(dir)
	if err != nil {
		t.Fatalf("%s: %v", distVariable, err)
	}
	return files
}

// startStage starts a stage until the test ends, and returns the variables of its address.
func startStage(t *testing.T) []string {
	t.Helper()
	log := &lockedBuffer{}
	options := stage.Options{Log: log, Dist: consoleFiles(t)}
	if dir := os.Getenv(distVariable); dir != "" {
		options.Examples = stage.ExamplesOf(dir)
	}
	s, err := stage.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the daemon logged\n%s", log)
		}
	})
	return s.Environ()
}

// summaryLine matches a line at the end of TAP's output.
var summaryLine = regexp.MustCompile(`(?m)^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$`)

// runFile runs the tests of a file, and fails if one fails, is skipped, or if there is none.
func runFile(t *testing.T, node, file string, environ []string) {
	t.Helper()
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-spareTime))
		defer cancel()
	}
	summary := filepath.Join(t.TempDir(), "tap")
	cmd := exec.Command(node, "--import", "tsx", "--conditions", "fanfare-source",
		"--test-reporter=spec", "--test-reporter-destination=stdout",
		"--test-reporter=tap", "--test-reporter-destination="+summary,
		strings.TrimPrefix(file, "web/"))
	cmd.Dir = "web"
	cmd.Env = append(append(os.Environ(), environ...), "NO_COLOR=1", "FORCE_COLOR=0")
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	process, err := devstack.StartProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		t.Error("the tests did not end in time")
		_ = syscall.Kill(-process.PID(), syscall.SIGTERM) // Playwright closes its browser
		select {
		case <-process.Done():
		case <-time.After(spareTime / 3):
		}
	}
	if err := process.Kill(); err != nil {
		t.Error(err)
	}
	tap, _ := os.ReadFile(summary)
	counts := map[string]int{}
	for _, m := range summaryLine.FindAllStringSubmatch(string(tap), -1) {
		counts[m[1]], _ = strconv.Atoi(m[2])
	}
	if counts["tests"] == 0 || counts["pass"] != counts["tests"] || counts["skipped"]+counts["todo"] > 0 ||
		cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d, got %v; want every test to pass", cmd.ProcessState.ExitCode(), counts)
	}
	t.Logf("%s\n%s", file, out)
}

// lockedBuffer is a buffer that several goroutines write to.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
