package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeIssuer publishes one key or fails, and collects the reported errors.
type fakeIssuer struct {
	mu       sync.Mutex
	kid      string
	failure  error
	fetches  int
	reported []error
}

func (f *fakeIssuer) read(context.Context) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fetches++
	return fmt.Appendf(nil,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":%q,"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		f.kid), f.failure
}

func (f *fakeIssuer) report(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reported = append(f.reported, err)
}

// become changes the key or the failure, and waits until the next fetch has ended.
func (f *fakeIssuer) become(kid string, failure error) {
	f.mu.Lock()
	f.kid, f.failure = kid, failure
	f.mu.Unlock()
	time.Sleep(10 * time.Minute) // of the synthetic clock
	synctest.Wait()
}

func (f *fakeIssuer) want(t *testing.T, fetches int, reported error) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fetches != fetches {
		t.Errorf("got %d fetches, want %d", f.fetches, fetches)
	}
	if err := errors.Join(f.reported...); !errors.Is(err, reported) {
		t.Errorf("got the reports %v, want %v", err, reported)
	}
}

// wantKey requires that the current set contains only one key.
func (c *cache) wantKey(t *testing.T, want string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.current) != 1 || c.current[0].id != want {
		t.Errorf("got the keys %v, want %q", c.current, want)
	}
}

// Run fetches the key set immediately and then periodically. A failed fetch is reported and keeps
// the current keys.
func TestRunRefreshesKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := &fakeIssuer{kid: "a"}
		keys := &cache{fetch: issuer.read, timeout: time.Second, now: time.Now}
		a := &Authenticator{keys: keys, refresh: 10 * time.Minute, report: issuer.report}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		synctest.Wait()
		issuer.want(t, 1, nil)
		keys.wantKey(t, "a")

		down := errors.New("down")
		issuer.become("a", down)
		issuer.want(t, 2, down)
		keys.wantKey(t, "a")

		issuer.become("b", nil)
		issuer.want(t, 3, down)
		keys.wantKey(t, "b")

		cancel()
		if err := <-done; err != nil {
			t.Errorf("got %v, want nil when the context ends", err)
		}
	})
}

func TestRunWithoutTasks(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := new(Authenticator).Run(ctx); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
