// Package browsertest opens pages in a real browser, without a window.
package browsertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// names are the programs that can open a page without a window, the preferred one first.
var names = []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"}

// endTimeout is the time that the browser has to end its processes before it is killed.
const endTimeout = 10 * time.Second

// Open opens a page of this machine in Chromium until the test ends. The browser has an empty
// profile and runs without its sandbox, which root and containers do not have: a page must be the
// test's own. Without a Chromium, Open fails the test.
func Open(t testing.TB, url string) {
	t.Helper()
	program, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "fanfare-browser-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-breakpad", "--disable-background-networking", "--no-first-run",
		"--user-data-dir="+dir, "--remote-debugging-port=0", // with it, the page stays open
		url)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	browser, err := devstack.StartProcess(cmd)
	_ = log.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end(t, browser)
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s printed\n%s", program, text)
		}
		waittest.Until(t, dir+" is removed", func() bool { return os.RemoveAll(dir) == nil })
	})
}

// Find returns the path of a Chromium. The error names what installs one.
func Find() (string, error) { return find(exec.LookPath) }

// find returns the first program that look finds.
func find(look func(name string) (string, error)) (string, error) {
	for _, name := range names {
		if path, err := look(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is none of %s: make test-tools installs one", strings.Join(names, ", "))
}

// end ends the browser and its processes, which are one group.
func end(t testing.TB, browser *devstack.Process) {
	t.Helper()
	_ = syscall.Kill(-browser.PID(), syscall.SIGTERM)
	select {
	case <-browser.Done():
	case <-time.After(endTimeout):
	}
	_ = syscall.Kill(-browser.PID(), syscall.SIGKILL) // fails if none is left
	if err := browser.Kill(); err != nil {
		t.Error(err)
	}
}
