package connlimit_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/connlimit"
	"github.com/fanfarehq/fanfare/internal/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// TestIdleConnectionsMakeRoom opens many more connections than the limit and leaves them idle, some
// of them without a request, and checks that each further request is answered.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	const limit = 8
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/held" {
				held <- struct{}{}
				<-release
			}
			_, _ = io.WriteString(w, "ok")
		}),
	}
	full := 0
	limited := connlimit.Limit(server, listener, limit, func() { full++ })
	served := make(chan error, 1)
	go func() { served <- server.Serve(limited) }()

	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ask := func(c net.Conn, path string) {
		t.Helper()
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
	}
	answered := func(c net.Conn) {
		t.Helper()
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != "ok" {
			t.Fatalf("got %q, %v", body, err)
		}
	}
	busy := dial()
	ask(busy, "/held")
	<-held
	for i := range 10 * limit {
		c := dial()
		if i%2 == 0 {
			ask(c, "/")
			answered(c)
		}
	}
	close(release)
	answered(busy) // its request kept it open
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("got %v, want ErrServerClosed", err)
	}
	if full == 0 {
		t.Error("the limit was not reported")
	}
}
