package centrifugo

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
)

// grpcs:// is gRPC over TLS, with the API key among the headers.
func TestGRPCOverTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc+proto")
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		if r.TLS == nil || r.URL.Path != batchMethod || r.Header.Get("Authorization") != "apikey secret" {
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "16")
		}
		info := message(batchReplies, message(replyInfo, message(infoNodes, message(nodeID, []byte("node")))))
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(info))), info...))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())

	address := &url.URL{Scheme: "grpcs", Host: server.Listener.Addr().String()}
	g := newGRPCTransport(address, Options{APIKey: "secret"}.withDefaults())
	defer g.close()
	g.current.TLSClientConfig = &tls.Config{RootCAs: pool}
	got, err := g.nodes(t.Context())
	if err != nil || !slices.Equal(got, []string{"node"}) {
		t.Errorf("got %q and %v, want the node", got, err)
	}
}
