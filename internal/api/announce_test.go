package api

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fanfarehq/fanfare/activity"
)

// TestAnnouncements checks that a change which is announced slowly delays no request, that further
// changes meanwhile are announced once afterwards, and that no announcement outlasts its time.
func TestAnnouncements(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, logged := observer.New(zap.WarnLevel)
		var mu sync.Mutex
		var got []byte
		most, current := 0, 0
		a := newAnnouncer(func(ctx context.Context, p activity.Principal) error {
			mu.Lock()
			got = append(got, p.PrincipalID[0])
			current++
			most = max(most, current)
			mu.Unlock()
			defer func() {
				mu.Lock()
				current--
				mu.Unlock()
			}()
			switch p.PrincipalID[0] {
			case 7:
				panic("the panic of a test")
			case 8:
				return errors.New("the error of a test")
			}
			<-ctx.Done() // Centrifugo does not answer
			return ctx.Err()
		}, zap.New(log))
		began := time.Now()
		for range 5 {
			a.announce(principalNumber(1))
			synctest.Wait()
		}
		for _, n := range []byte{2, 3, 7, 8, 2} {
			a.announce(principalNumber(n))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("announcing: got %v, want no wait", took)
		}
		time.Sleep(5 * announceTimeout)
		synctest.Wait()
		slices.Sort(got)
		if want := []byte{1, 1, 2, 3, 7, 8}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if n := logged.FilterField(zap.Stringer("principal_id", principalNumber(8).PrincipalID)).Len(); n != 1 {
			t.Errorf("got %d logged errors of principal 8 in %v, want 1", n, logged.All())
		}
		if most > announcing {
			t.Errorf("got %d at once, want at most %d", most, announcing)
		}
		a.announce(principalNumber(4))
		a.announce(principalNumber(5))
		a.announce(principalNumber(6))
		synctest.Wait()
		began = time.Now()
		a.close()
		a.announce(principalNumber(9))
		if took := time.Since(began); took > announceTimeout || slices.Contains(got, 6) || slices.Contains(got, 9) {
			t.Errorf("closing: got %v and %v, want at most %v and nothing that waited", took, got, announceTimeout)
		}
	})
}

// TestAnnouncementsAreBounded checks that the announcer forgets changes rather than memory.
func TestAnnouncementsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnnouncer(func(ctx context.Context, _ activity.Principal) error {
			<-ctx.Done()
			return nil
		}, zap.NewNop())
		for n := range 2 * maxAnnounced {
			a.announce(activity.Principal{PrincipalID: uuid.UUID{1, byte(n), byte(n >> 8), byte(n >> 16)}})
		}
		if len(a.known) > maxAnnounced || len(a.queue) > maxAnnounced {
			t.Errorf("got %d known and %d waiting, want at most %d", len(a.known), len(a.queue), maxAnnounced)
		}
		a.close()
	})
}

func principalNumber(n byte) activity.Principal { return activity.Principal{PrincipalID: uuid.UUID{n}} }
