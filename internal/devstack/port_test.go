package devstack

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestReservedPortsAreNotGivenTwice(t *testing.T) {
	t.Parallel()
	var mine, other reservations
	port, err := mine.port()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.reserve(port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("reserve a reserved port: got %v, want %v", err, syscall.EADDRINUSE)
	}
	mine.release()
	listener, err := net.Listen("tcp4", local(port))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.reserve(port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("reserve a port with a listener: got %v, want %v", err, syscall.EADDRINUSE)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.reserve(port); err != nil {
		t.Errorf("reserve a port that was given back: %v", err)
	}
	other.release()
}
