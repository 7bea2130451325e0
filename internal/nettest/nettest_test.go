package nettest_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/fanfarehq/fanfare/internal/nettest"
)

func TestRefused(t *testing.T) {
	t.Parallel()
	address := nettest.Refused(t)
	for range 3 {
		if _, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial %s: got %v, want a refusal", address, err)
		}
	}
	if _, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listen on %s: got %v, want it in use", address, err)
	}
}
