package daemon

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// The way of publications is logged once, with the reason if it is not gRPC.
func TestCentrifugoDependencyLogsTheRoute(t *testing.T) {
	t.Parallel()
	byGRPC, byHTTP := "grpc://"+nettest.Refused(t), "http://"+nettest.Refused(t)+"/api"
	for urls, level := range map[string]string{byGRPC + "," + byHTTP: "warn", byHTTP: "info"} {
		client, err := centrifugo.New(centrifugo.Options{APIURL: urls})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		core, logs := observer.New(zap.DebugLevel)
		d := centrifugoDependency(client, []string{"user"}, zap.New(core))
		for range 2 {
			if problems := d.check(t.Context(), false); len(problems) != 1 {
				t.Errorf("%s: got %q, want that Centrifugo is unreachable", urls, problems)
			}
		}
		entries := logs.TakeAll()
		if len(entries) != 1 {
			t.Fatalf("%s: got %d entries, want one", urls, len(entries))
		}
		got := entries[0].ContextMap()
		_, reason := got["error"]
		if entries[0].Level.String() != level || got["protocol"] != "HTTP" || got["address"] != byHTTP ||
			reason != (level == "warn") {
			t.Errorf("%s: got %s %q %v, want %s", urls, entries[0].Level, entries[0].Message, got, level)
		}
	}
}
