package stage

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/fanfarehq/fanfare/internal/console"
)

const readHeaderTimeout = 5 * time.Second

// serveFront serves the API, and the console's files beside it, so that both have one origin.
func (s *Stage) serveFront(apiURL string) {
	target, err := url.Parse(apiURL)
	if err != nil {
		panic(err) // the daemon's own address
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		Transport:     transport,
		FlushInterval: -1, // streams
		// A client that disconnects is no error, and a client sees that the API does not answer.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	if s.options.Dist != nil {
		mux.Handle(configPath, proxy)
		mux.Handle(console.Path, consoleFiles(console.Options{Files: s.options.Dist, RealtimeURL: s.WebSocketURL}))
	}
	s.serve(s.front, mux)
	s.serveEmbedding(proxy)
	s.onStop(func(context.Context) error { transport.CloseIdleConnections(); return nil })
}

// serve serves a handler until Stop, which does not wait for streams.
func (s *Stage) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: readHeaderTimeout}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	s.onStop(func(context.Context) error {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}
