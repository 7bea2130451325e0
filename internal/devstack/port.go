package devstack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
)

// The ports are below those that systems use for outgoing connections, so that no connection takes
// the port of a server that is down.
const (
	firstPort = 20000
	lastPort  = 32000
)

// reservations keep TCP ports of 127.0.0.1 for the servers of this process, also while they are
// down. A reservation is a socket on the UDP port of the same number, which the system closes when
// the process ends.
type reservations []net.PacketConn

// port reserves a TCP port without a listener. Only a process that reserves none may take it before
// the caller does.
func (r *reservations) port() (int, error) {
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		err := r.reserve(port)
		if err == nil {
			return port, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
	}
	return 0, fmt.Errorf("find a free port: none from %d to %d", firstPort, lastPort)
}

// reserve fails with EADDRINUSE if the port is reserved or has a listener.
func (r *reservations) reserve(port int) error {
	reserved, err := net.ListenPacket("udp4", local(port))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", local(port))
	if err != nil {
		return errors.Join(err, reserved.Close())
	}
	*r = append(*r, reserved)
	return listener.Close()
}

// release gives all ports back.
func (r *reservations) release() {
	for _, reserved := range *r {
		_ = reserved.Close()
	}
	*r = nil
}

// local returns the address of a port of this machine.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
