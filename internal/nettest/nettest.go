// Package nettest has addresses for tests.
package nettest

import (
	"fmt"
	"syscall"
	"testing"
)

// Refused returns an address of this machine, as host:port, that refuses connections until the end
// of the test: its port is bound to a socket that does not listen, so that no server can take it.
func Refused(t testing.TB) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open a socket: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatalf("bind a port: %v", err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatalf("read the port: %v", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port)
}
