package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/leaks"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// TestOpen opens a page whose script tells the server that it runs, and leaves no process.
func TestOpen(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			heard <- string(body)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><script>fetch('/', {method: 'POST', body: 'it runs'})</script>`)
	}))
	defer server.Close()
	t.Run("page", func(t *testing.T) {
		Open(t, server.URL)
		select {
		case got := <-heard:
			if got != "it runs" {
				t.Errorf("got %q", got)
			}
		case <-time.After(time.Minute):
			t.Error("the page's script did not run within a minute")
		}
	})
	waittest.Until(t, "no process shows "+server.URL, func() bool {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null; true").Output()
		return err == nil && !strings.Contains(string(out), "\x00"+server.URL)
	})
}

func TestMissingBrowser(t *testing.T) {
	t.Parallel()
	_, err := find(func(string) (string, error) { return "", exec.ErrNotFound })
	if err == nil || !strings.Contains(err.Error(), "make test-tools") {
		t.Errorf("got %v, want what installs one", err)
	}
	got, err := find(func(name string) (string, error) {
		if name == "chromium" {
			return "/usr/bin/chromium", nil
		}
		return "", exec.ErrNotFound
	})
	if got != "/usr/bin/chromium" || err != nil {
		t.Errorf("got %q, %v; want the program that is there", got, err)
	}
}
