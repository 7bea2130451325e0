package identity

import (
	"context"
	"sync"
	"time"
)

const (
	// minFetchInterval is the minimum time between two fetches that tokens cause, so that tokens
	// with unknown keys do not flood the issuer.
	minFetchInterval = 10 * time.Second
	// maxKeySetAge is the maximum age of a key set that is used while the issuer is unavailable. A
	// key that the issuer withdraws meanwhile is accepted until then.
	maxKeySetAge = 24 * time.Hour
)

// cache is a key set that changes. It is fetched again when a token names a key that it does not
// contain. At most one fetch is in progress. It is safe for concurrent use.
type cache struct {
	fetch   fetcher
	timeout time.Duration // of one fetch
	now     func() time.Time

	mu        sync.Mutex
	current   keys
	currentAt time.Time     // when current was fetched
	fetchedAt time.Time     // when the last fetch ended
	fetchErr  error         // of the last fetch
	done      chan struct{} // closed when the fetch in progress ends; nil if there is none
}

// keys returns the key set. It contains the key with this id if the issuer has published it. A key
// that is in the current set causes no wait. The error means that the key set is unavailable.
func (c *cache) keys(ctx context.Context, id string) (keys, error) {
	for {
		c.mu.Lock()
		switch now := c.now(); {
		case now.Sub(c.currentAt) < maxKeySetAge && c.current.has(id):
			defer c.mu.Unlock()
			return c.current, nil
		case c.done != nil:
			done := c.done
			c.mu.Unlock()
			select {
			case <-done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case !c.fetchedAt.IsZero() && now.Sub(c.fetchedAt) < minFetchInterval:
			defer c.mu.Unlock()
			return c.current, c.fetchErr
		default:
			// The fetch does not depend on the request, which its client may cancel.
			_ = c.fetchLocked(context.WithoutCancel(ctx))
		}
	}
}

// refresh fetches the key set, unless a fetch is in progress.
func (c *cache) refresh(ctx context.Context) error {
	c.mu.Lock()
	if c.done != nil {
		c.mu.Unlock()
		return nil
	}
	return c.fetchLocked(ctx)
}

// fetchLocked fetches the key set. It requires that c.mu is locked and that no fetch is in
// progress, and returns with c.mu unlocked.
func (c *cache) fetchLocked(ctx context.Context) error {
	c.done = make(chan struct{})
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	fetched, err := c.fetchAndParse(ctx)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetchedAt, c.fetchErr = c.now(), err
	if err == nil {
		c.current, c.currentAt = fetched, c.fetchedAt
	}
	close(c.done)
	c.done = nil
	return err
}

func (c *cache) fetchAndParse(ctx context.Context) (keys, error) {
	content, err := c.fetch(ctx)
	if err != nil {
		return nil, err
	}
	return parseJWKS(content)
}
