package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/api"
)

// BenchmarkServe requests pages of 50 activities and of 50 notifications from a server. Its metric
// is what heapReserve of package api is for. The client runs in the same process.
func BenchmarkServe(b *testing.B) {
	w := newWorld(b, func(o *api.Options) { o.Logger = zap.NewNop() })
	w.exec(`
		WITH recorded AS (
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
				delivery_channels, payload)
			SELECT fanfare.uuidv7(), $1, $2, $3, gen_random_uuid(), now(), now(), 'signal', 'signal.created',
				'resource', 'success', 'info', 'signal', '{}', jsonb_build_object('title', repeat('x', 400))
			FROM generate_series(1, 2000)
			RETURNING id
		)
		INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
			party)
		SELECT $1, $4, id, 1, $3, 'r', false FROM recorded`, w.here.id, w.here.owner, w.here.signal, w.here.member)
	w.exec(`ANALYZE`)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.server.Run(ctx, listener) }()
	header := w.here.as(w.here.member).header
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	get := func(path string) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		if err != nil {
			return err
		}
		r.Header, r.Host = header.Clone(), "localhost:8080"
		response, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	for _, list := range []string{"activities", "notifications"} {
		b.Run(list, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := get("/v1/" + list); err != nil {
						b.Error(err)
					}
				}
			})
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(b.N)/float64(max(after.NumGC-before.NumGC, 1)), "requests/gc")
		})
	}
	transport.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}
