package devstack

import (
	"io"
	"strings"
	"sync"
)

// tail keeps the end of a server's output and forwards all of it. It is safe for concurrent use.
type tail struct {
	next io.Writer // may be nil

	mu   sync.Mutex
	kept []byte
}

const tailSize = 16 << 10

// Write never fails, so that a failing output does not stop a server.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next != nil {
		_, _ = t.next.Write(p)
	}
	t.kept = append(t.kept, p...)
	if excess := len(t.kept) - tailSize; excess > 0 {
		t.kept = append(t.kept[:0], t.kept[excess:]...)
	}
	return len(p), nil
}

// String returns the kept output, without surrounding space.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}

// reset discards the kept output.
func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = t.kept[:0]
}
