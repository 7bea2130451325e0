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

// An issuerFake publishes one key or fails, and gets the reports about that.
type issuerFake struct {
	mu       sync.Mutex
	kid      string
	failure  error
	looks    int
	reported []error
}

func (f *issuerFake) read(context.Context) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	return fmt.Appendf(
		nil,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":%q,"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		f.kid,
	), f.failure
}

func (f *issuerFake) report(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reported = append(f.reported, err)
}

// become waits until the next look is over, with another key or a failure.
func (f *issuerFake) become(kid string, failure error) {
	f.mu.Lock()
	f.kid, f.failure = kid, failure
	f.mu.Unlock()
	time.Sleep(10 * time.Minute) // of the bubble's clock
	synctest.Wait()
}

func (f *issuerFake) want(t *testing.T, looks int, reported error) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.looks != looks {
		t.Errorf("got %d looks, want %d", f.looks, looks)
	}
	if err := errors.Join(f.reported...); !errors.Is(err, reported) {
		t.Errorf("got the reports %v, want %v", err, reported)
	}
}

// wantKey wants one key to be known, and no other.
func (c *cache) wantKey(t *testing.T, want string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.held) != 1 || c.held[0].id != want {
		t.Errorf("got the keys %v, want %q", c.held, want)
	}
}

// Run looks at the key set at once and then again and again, so that a key that the issuer withdrew
// is soon forgotten. A look that fails is reported, and forgets nothing.
func TestRunKeepsKeysFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuerFake{kid: "a"}
		keys := &cache{read: issuer.read, timeout: time.Second, now: time.Now}
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

func TestRunWithNothingToDo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := new(Authenticator).Run(ctx); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
