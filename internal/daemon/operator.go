package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/connlimit"
)

// operatorHandler serves the operator's endpoints: metrics and health.
func operatorHandler(registry *prometheus.Registry, h *health) http.Handler {
	mux := http.NewServeMux()
	options := promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, options))
	mux.HandleFunc("GET /healthz", h.live)
	mux.HandleFunc("GET /readyz", h.ready)
	return mux
}

// listen listens on the address of a setting, which an error names.
func listen(ctx context.Context, setting, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return listener, nil
}

// serveOperator serves the operator's endpoints until ctx ends, and then finishes requests in
// progress.
func serveOperator(ctx context.Context, listener net.Listener, handler http.Handler, log *zap.Logger) error {
	const shutdownTimeout = 2 * time.Second
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          zap.NewStdLog(log),
	}
	log.Info("serving metrics and health", zap.Stringer("address", listener.Addr()))
	listener = connlimit.Limit(server, listener, operatorConnections, nil)
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		closed <- server.Shutdown(ctx)
	})
	err := server.Serve(listener)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	if err := <-closed; err != nil {
		return server.Close()
	}
	return nil
}
