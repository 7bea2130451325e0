package centrifugo_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/leaks"
)

// server is one real Centrifugo for all tests; each test uses channels of a tenant of its own.
var server *devstack.Centrifugo

func TestMain(m *testing.M) {
	var err error
	if server, err = devstack.StartCentrifugo(context.Background(), devstack.CentrifugoOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	if err := leaks.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
