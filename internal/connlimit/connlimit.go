// Package connlimit bounds the connections of an HTTP server, so that idle ones do not use up the
// file descriptors of the process.
package connlimit

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// Listener accepts at most a number of connections at a time. At the limit it closes the connection
// that has been without a request for the longest, and accepts the next one in its place. While
// every connection has a request, it accepts none.
type Listener struct {
	net.Listener

	full   func()        // called when the limit is reached
	slots  chan struct{} // one element for each open connection
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	quiet *list.List // of *conn, without a request; the oldest first
}

// Limit limits the connections of a server that will serve the listener, by its ConnState. full is
// called when the limit is reached; it may be nil.
func Limit(server *http.Server, listener net.Listener, limit int, full func()) *Listener {
	if full == nil {
		full = func() {}
	}
	l := &Listener{
		Listener: listener, full: full, slots: make(chan struct{}, max(1, limit)), closed: make(chan struct{}),
		quiet: list.New(),
	}
	next := server.ConnState
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if limited, ok := c.(*conn); ok {
			l.mark(limited, state == http.StateNew || state == http.StateIdle)
		}
		if next != nil {
			next(c, state)
		}
	}
	return l
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	default:
		l.full()
		l.evict()
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	accepted, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &conn{Conn: accepted, of: l}, nil
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// mark sets whether a connection is without a request.
func (l *Listener) mark(c *conn, quiet bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.quiet != nil {
		l.quiet.Remove(c.quiet)
		c.quiet = nil
	}
	if quiet && !c.gone {
		c.quiet = l.quiet.PushBack(c)
	}
}

// evict closes the connection that has been without a request for the longest, if there is one.
func (l *Listener) evict() {
	l.mu.Lock()
	oldest := l.quiet.Front()
	l.mu.Unlock()
	if oldest != nil {
		_ = oldest.Value.(*conn).Close()
	}
}

// conn is an accepted connection.
type conn struct {
	net.Conn

	of    *Listener
	once  sync.Once
	quiet *list.Element // in Listener.quiet; guarded by Listener.mu
	gone  bool          // closed; guarded by Listener.mu
}

// Close implements net.Conn. It frees the slot of the connection.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.of.mu.Lock()
		c.gone = true
		c.of.mu.Unlock()
		c.of.mark(c, false)
		<-c.of.slots
	})
	return err
}

// SetWriteBuffer sets the size of the operating system's buffer for writes, if the connection has
// one.
func (c *conn) SetWriteBuffer(bytes int) error {
	if buffered, ok := c.Conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		return buffered.SetWriteBuffer(bytes)
	}
	return nil
}
