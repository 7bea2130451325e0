package identity

import (
	"context"
	"sync"
	"time"
)

const (
	// retryAfter is the least time between two looks that tokens cause, so that tokens naming keys
	// that nobody has make no storm of them.
	retryAfter = 10 * time.Second
	// maxKeySetAge is how long a key set counts that cannot be looked at again. It bounds how long
	// an issuer may be out of reach, and for as long is a key believed that it withdrew meanwhile.
	maxKeySetAge = 24 * time.Hour
)

// A cache holds a key set that changes, and looks at it again when a token names a key that is not
// in it. There is one look at a time. It is safe for concurrent use.
type cache struct {
	read    reader
	timeout time.Duration // of one look
	now     func() time.Time

	mu     sync.Mutex
	held   keys
	heldAt time.Time     // when held was read
	looked time.Time     // when the last look ended
	failed error         // of the last look
	done   chan struct{} // closed when the look under way ends; nil when there is none
}

// keys returns the key set, with the named key in it if the issuer has it. A token whose key is
// there waits for nobody. The error means that this cannot be known now.
func (c *cache) keys(ctx context.Context, id string) (keys, error) {
	for {
		c.mu.Lock()
		switch now := c.now(); {
		case now.Sub(c.heldAt) < maxKeySetAge && c.held.know(id):
			defer c.mu.Unlock()
			return c.held, nil
		case c.done != nil:
			done := c.done
			c.mu.Unlock()
			select {
			case <-done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case !c.looked.IsZero() && now.Sub(c.looked) < retryAfter:
			defer c.mu.Unlock()
			return c.held, c.failed
		default:
			// Were the look the request's own, a client could prevent it by hanging up.
			_ = c.lookLocked(context.WithoutCancel(ctx))
		}
	}
}

// refresh looks at the key set now, unless somebody does already.
func (c *cache) refresh(ctx context.Context) error {
	c.mu.Lock()
	if c.done != nil {
		c.mu.Unlock()
		return nil
	}
	return c.lookLocked(ctx)
}

// lookLocked looks at the key set. It is called with the lock held and no look under way, and
// releases the lock.
func (c *cache) lookLocked(ctx context.Context) error {
	c.done = make(chan struct{})
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	read, err := c.parse(ctx)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.looked, c.failed = c.now(), err
	if err == nil {
		c.held, c.heldAt = read, c.looked
	}
	close(c.done)
	c.done = nil
	return err
}

func (c *cache) parse(ctx context.Context) (keys, error) {
	content, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	return parseJWKS(content)
}
