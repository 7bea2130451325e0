// Package memlog keeps the log of activities in memory, for the tests of services.
package memlog

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Options configure a Log. The zero value works.
type Options struct {
	Hooks         activity.Hooks
	MaxActivities int // the maximum number of activities kept, the oldest being removed first; 0 keeps all
	MaxPayload    int // bytes of a payload as it is stored; activity.DefaultMaxPayload if not positive
	ScanBudget    int // activities that List reads before the filter; activity.ScanBudget if not positive
	CountBudget   int // activities that Count reads before the filter; activity.CountBudget if not positive

	// Clock is the source of RecordedAt and of the ids; nil means time.Now. A time that is earlier
	// than the previous one is replaced by it.
	Clock func() time.Time
}

// Log is an activity.Log in memory. It is safe for concurrent use.
//
// It follows the rules of the log in PostgreSQL that need no database: it refuses the same
// envelopes, cuts texts, redacts secrets, fills in defaults and normalizes payloads alike, keeps IP
// addresses as keyed hashes (of a key of its own), returns the existing activity for an idempotency
// key that was recorded before, and bounds and ends pages alike. It has no directory, so that
// owner, parent and name are only the envelope's, and no taxonomy unless a hook enforces one. An
// activity that is removed because of MaxActivities releases its idempotency key.
type Log struct {
	options Options
	ipKey   [sha256.Size]byte

	mu      sync.RWMutex
	rows    []activity.Activity // by id, oldest first
	byKey   map[idempotencyKey]uuid.UUID
	ids     uuidv7.Generator
	lastNow time.Time
}

type idempotencyKey struct {
	tenant, correlation, resource uuid.UUID
	action                        string
}

func keyOf(a *activity.Activity) idempotencyKey {
	return idempotencyKey{a.TenantID, a.CorrelationID, a.ResourceID, a.Action}
}

// New returns an empty log.
func New(o Options) *Log {
	for _, option := range []struct {
		value    *int
		fallback int
	}{
		{&o.MaxPayload, activity.DefaultMaxPayload},
		{&o.ScanBudget, activity.ScanBudget},
		{&o.CountBudget, activity.CountBudget},
	} {
		if *option.value <= 0 {
			*option.value = option.fallback
		}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	l := &Log{options: o, byKey: map[idempotencyKey]uuid.UUID{}}
	_, _ = rand.Read(l.ipKey[:]) // never fails
	return l
}

// Append records envelopes in their order, all of them or none. An *invalid.Error names the fields
// of every refused envelope as "envelopes[3].action", those of one that is alone as "action".
func (l *Log) Append(ctx context.Context, envelopes ...activity.Envelope) ([]activity.Recorded, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	drafts, err := l.options.Hooks.Drafts(ctx, l.options.MaxPayload, envelopes)
	if err != nil {
		return nil, err
	}
	recorded := l.add(drafts)
	l.options.Hooks.Announce(ctx, recorded...)
	return recorded, nil
}

func (l *Log) add(drafts []activity.Draft) (recorded []activity.Recorded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, draft := range drafts {
		a, now := draft.Activity, l.now()
		a.ID = l.ids.New(now)
		if a.CorrelationID == uuid.Nil {
			a.CorrelationID = a.ID
		}
		if id, exists := l.byKey[keyOf(&a)]; exists {
			recorded = append(recorded, activity.Recorded{Activity: l.rows[l.indexOf(id)].Clone()})
			continue
		}
		a.RecordedAt = now
		if a.OccurredAt.IsZero() {
			a.OccurredAt = now
		}
		a.IPKeyID, a.IPHash = l.hash(draft.IP)
		l.byKey[keyOf(&a)] = a.ID
		l.rows = append(l.rows, a)
		recorded = append(recorded, activity.Recorded{Activity: a.Clone(), Created: true})
	}
	l.removeOldest()
	return recorded
}

func (l *Log) removeOldest() {
	excess := len(l.rows) - l.options.MaxActivities
	if l.options.MaxActivities <= 0 || excess <= 0 {
		return
	}
	for i := range l.rows[:excess] {
		delete(l.byKey, keyOf(&l.rows[i]))
	}
	clear(l.rows[:excess])
	l.rows = l.rows[excess:]
}

// now returns the time, to the microsecond as in the database, and never an earlier one than
// before.
func (l *Log) now() time.Time {
	if now := l.options.Clock().UTC().Truncate(time.Microsecond); now.After(l.lastNow) {
		l.lastNow = now
	}
	return l.lastNow
}

// hash returns the keyed hash of an IP address.
func (l *Log) hash(ip string) (keyID int16, hash []byte) {
	if ip == "" {
		return 0, nil
	}
	h := hmac.New(sha256.New, l.ipKey[:])
	h.Write([]byte(netip.MustParseAddr(ip).Unmap().String()))
	return 1, h.Sum(nil)
}

// Records returns all activities of all tenants, oldest first.
func (l *Log) Records() []activity.Activity {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]activity.Activity, len(l.rows))
	for i := range l.rows {
		all[i] = l.rows[i].Clone()
	}
	return all
}

// Get returns one activity of the tenant, or activity.ErrNotFound.
func (l *Log) Get(ctx context.Context, tenant, id uuid.UUID) (activity.Activity, error) {
	if err := ctx.Err(); err != nil {
		return activity.Activity{}, fmt.Errorf("read activity %s: %w", id, err)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if i := l.indexOf(id); i < len(l.rows) && l.rows[i].ID == id && l.rows[i].TenantID == tenant {
		return l.rows[i].Clone(), nil
	}
	return activity.Activity{}, fmt.Errorf("activity %s: %w", id, activity.ErrNotFound)
}

// List returns a page of the tenant's activities that pass the filter, newest first, as
// pglog.Log.List does. It reads Options.ScanBudget activities at most.
func (l *Log) List(
	ctx context.Context, tenant uuid.UUID, f activity.Filter, p activity.Page,
) (found []activity.Activity, next uuid.UUID, err error) {
	if err := f.Validate(); err != nil {
		return nil, uuid.Nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the log: %w", err)
	}
	limit, scanned := p.EffectiveLimit(), 0
	found = []activity.Activity{}
	matches := f.Matcher()
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.scan(tenant, f, p.Before, func(a *activity.Activity) bool {
		if matches(a) {
			if len(found) == limit {
				next = found[limit-1].ID
				return false
			}
			found = append(found, a.Clone())
		}
		if scanned++; scanned == l.options.ScanBudget {
			next = a.ID
			return false
		}
		return true
	})
	return found, next, nil
}

// Count returns the number of the tenant's activities that pass the filter, as pglog.Log.Count
// does. It reads Options.CountBudget activities at most.
func (l *Log) Count(
	ctx context.Context, tenant uuid.UUID, f activity.Filter, limit int,
) (n int, exact bool, err error) {
	if err := f.Validate(); err != nil {
		return 0, false, err
	}
	if err := ctx.Err(); err != nil {
		return 0, false, fmt.Errorf("count the log: %w", err)
	}
	matches, scanned := f.Matcher(), 0
	exact = true
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.scan(tenant, f, uuid.Nil, func(a *activity.Activity) bool {
		scanned++
		switch {
		case scanned > l.options.CountBudget:
			exact = false
		case !matches(a):
		case n == limit:
			exact = false
		default:
			n++
		}
		return exact
	})
	return n, exact, nil
}

// scan visits the activities that the index of a pglog reading would yield, newest first, until
// visit returns false.
func (l *Log) scan(tenant uuid.UUID, f activity.Filter, before uuid.UUID, visit func(a *activity.Activity) bool) {
	from, to := 0, len(l.rows)
	if !f.Since.IsZero() {
		from = l.indexOf(uuidv7.Floor(f.Since))
	}
	if !f.Until.IsZero() {
		to = l.indexOf(uuidv7.Floor(f.Until.Add(time.Millisecond)))
	}
	if before != uuid.Nil {
		to = min(to, l.indexOf(before))
	}
	for i := to - 1; i >= from; i-- {
		if a := &l.rows[i]; a.TenantID == tenant && inIndex(f, a) && !visit(a) {
			return
		}
	}
}

// inIndex reports whether an activity is in the range of the index that pglog selects for a filter.
func inIndex(f activity.Filter, a *activity.Activity) bool {
	switch {
	case f.CorrelationID != uuid.Nil:
		return f.CorrelationID == a.CorrelationID
	case f.Resource != uuid.Nil:
		return f.Resource == a.ResourceID
	case f.Actor != uuid.Nil:
		return f.Actor == a.ActorPrincipalID
	case f.Owner != uuid.Nil:
		return f.Owner == a.OwnerID
	}
	return true
}

// indexOf returns the index of the first activity whose id is not below id.
func (l *Log) indexOf(id uuid.UUID) int {
	i, _ := slices.BinarySearchFunc(l.rows, id, func(a activity.Activity, id uuid.UUID) int {
		return bytes.Compare(a.ID[:], id[:])
	})
	return i
}
