package pgtest

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Network is a TCP proxy before PostgreSQL that can forget its connections, as a NAT does: they
// stay open and carry nothing any more.
type Network struct {
	target string
	URL    string       // of the database, through the network
	era    atomic.Int64 // connections of an earlier era are forgotten
	blind  atomic.Bool  // new connections are forgotten, too
}

// NewNetwork starts a network before the server of a URL, until the test ends.
func NewNetwork(t testing.TB, databaseURL string) *Network {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{target: u.Host}
	u.Host = listener.Addr().String()
	n.URL = u.String()
	var open sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	open.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", n.target)
			if err != nil {
				_ = client.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, client, server)
			mu.Unlock()
			era := n.era.Load()
			open.Go(func() { n.carry(server, client, era) })
			open.Go(func() { n.carry(client, server, era) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		open.Wait()
	})
	return n
}

// carry copies until the connection is closed. Once it is forgotten, it swallows everything, even
// the close.
func (n *Network) carry(to, from net.Conn, era int64) {
	buffer := make([]byte, 64<<10)
	for {
		size, err := from.Read(buffer)
		forgotten := n.blind.Load() || n.era.Load() > era
		if err != nil {
			if !forgotten {
				_ = to.Close()
			}
			return
		}
		if !forgotten {
			if _, err := to.Write(buffer[:size]); err != nil {
				return
			}
		}
	}
}

// Forget makes the connections so far silent. New ones work.
func (n *Network) Forget() { n.era.Add(1) }

// Blind makes all connections silent, new ones too.
func (n *Network) Blind() { n.blind.Store(true) }
