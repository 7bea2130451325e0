package devstack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
)

// The ports are below those that systems use for outgoing connections, so that the port of a server
// that is down stays free.
const (
	firstPort = 20000
	lastPort  = 32000
)

// freePort returns a TCP port of 127.0.0.1 without a listener. Another process may take it before
// the caller does.
func freePort() (int, error) {
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		listener, err := net.Listen("tcp4", local(port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		return port, listener.Close()
	}
	return 0, fmt.Errorf("find a free port: none from %d to %d", firstPort, lastPort)
}

// local returns the address of a port of this machine.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
