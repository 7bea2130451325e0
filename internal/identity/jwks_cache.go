package identity

import (
	"context"
	"slices"
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
// contain, or has a signature that is not of the key it names. At most one fetch is in progress. It
// is safe for concurrent use.
type cache struct {
	fetch   fetcher
	timeout time.Duration // of one fetch
	now     func() time.Time
	skip    func(id, reason string) // called with each key that is skipped

	mu        sync.Mutex
	current   keys
	currentAt time.Time     // when current was fetched
	fetchedAt time.Time     // when the last fetch ended
	fetchErr  error         // of the last fetch
	done      chan struct{} // closed when the fetch in progress ends; nil if there is none
	skipped   []skippedKey  // of the last set
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
			if err := c.waitLocked(ctx); err != nil {
				return nil, err
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

// newer returns the current key set if it is another than these keys, and fetches it before unless
// that was a moment ago: an issuer may give a new key the id of an old one. It returns nil if there
// is no other.
func (c *cache) newer(ctx context.Context, these keys) keys {
	for {
		c.mu.Lock()
		switch {
		case len(c.current) > 0 && &c.current[0] != &these[0]:
			defer c.mu.Unlock()
			return c.current
		case c.done != nil:
			if c.waitLocked(ctx) != nil {
				return nil
			}
		case c.now().Sub(c.fetchedAt) < minFetchInterval:
			c.mu.Unlock()
			return nil
		default:
			_ = c.fetchLocked(context.WithoutCancel(ctx))
		}
	}
}

// waitLocked waits for the end of the fetch in progress. It requires that c.mu is locked, and
// unlocks it.
func (c *cache) waitLocked(ctx context.Context) error {
	done := c.done
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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
	fetched, skipped, err := c.fetchAndParse(ctx)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.reportLocked(skipped)
	c.fetchedAt, c.fetchErr = c.now(), err
	if err == nil {
		c.current, c.currentAt = fetched, c.fetchedAt
	}
	close(c.done)
	c.done = nil
	return err
}

func (c *cache) fetchAndParse(ctx context.Context) (keys, []skippedKey, error) {
	content, err := c.fetch(ctx)
	if err != nil {
		return nil, nil, err
	}
	return parseJWKS(content)
}

// reportLocked reports the skipped keys that were not in the set before, each once.
func (c *cache) reportLocked(skipped []skippedKey) {
	for i, key := range skipped {
		if !slices.Contains(c.skipped, key) && !slices.Contains(skipped[:i], key) {
			c.skip(key.id, key.reason)
		}
	}
	if skipped != nil {
		c.skipped = skipped
	}
}
