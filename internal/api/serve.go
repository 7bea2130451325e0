package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/connlimit"
)

// connectionKey is the key of a request's connection in its context.
type connectionKey struct{}

// limitWriteBuffer bounds what the operating system buffers for the client of a request. A write
// returns when a part of that buffer is free, so that a large buffer hides the progress of a slow
// client from a deadline. It does nothing in requests that Run does not serve.
func limitWriteBuffer(ctx context.Context, bytes int) {
	if c, ok := ctx.Value(connectionKey{}).(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = c.SetWriteBuffer(bytes) // the default serves faster clients as well
	}
}

// The limits of a connection. Limits has those of a request.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10 // above it, net/http rejects the request
	shutdownTimeout   = 10 * time.Second
)

// heapReserve is the size of a part of the heap that is allocated while a server runs, and not
// used. The garbage collector starts when the heap has doubled, and the heap of a server is small:
// with the reserve, it starts every 180 pages of activities instead of every 38, and a page takes
// some 8 % less CPU time (BenchmarkServe). A higher GC percentage does the same, but multiplies the
// memory of a worker in the same process, too. The system provides no pages for what is not used.
const heapReserve = 32 << 20

// Run serves requests on the listener until ctx ends. It then waits up to 10 seconds for requests
// in progress and returns nil. It closes the listener.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	if err := serve(ctx, listener, s.handler, s.limits.Connections, s.log); err != nil {
		return err
	}
	s.announcer.close()
	return nil
}

// serve serves requests as Server.Run does.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, connections int, log *zap.Logger) error {
	reserve := make([]byte, heapReserve)
	defer runtime.KeepAlive(&reserve[0])
	errorLog, err := zap.NewStdLogAt(log, zap.WarnLevel)
	if err != nil {
		return fmt.Errorf("serve the API: %w", err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
	}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c)
	}
	warned := time.Time{}
	listener = connlimit.Limit(server, listener, connections, func() {
		if now := time.Now(); now.Sub(warned) > time.Minute { // called by one goroutine
			warned = now
			log.Warn("the maximum number of connections is reached; the oldest idle ones are closed",
				zap.Int("connections", connections))
		}
	})
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		closed <- server.Shutdown(ctx)
	})
	err = server.Serve(listener)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the API: %w", err)
	}
	if err := <-closed; err != nil {
		log.Warn("requests in progress were aborted", zap.Error(err))
		_ = server.Close()
	}
	return nil
}
