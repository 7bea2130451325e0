package activity

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

	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// DefaultMaxPayload is how many bytes of payload an installation takes unless it is set otherwise.
const DefaultMaxPayload = 64 << 10

// MemoryOptions are a MemoryLog's. The zero value works.
type MemoryOptions struct {
	Hooks         Hooks
	MaxActivities int              // how many it keeps, the newest; 0 keeps all
	MaxPayload    int              // bytes of a payload as it is stored; DefaultMaxPayload if it is not positive
	ScanBudget    int              // activities that List looks at; ScanBudget if it is not positive
	CountBudget   int              // activities that Count looks at; CountBudget if it is not positive
	Clock         func() time.Time // what RecordedAt and ids are taken from; nil means time.Now. What it says earlier counts as no time passed
}

// MemoryLog is a log in memory, for the tests of services. Many goroutines may use it at once.
//
// It keeps the rules of the log in PostgreSQL as far as they need no database: the same envelopes
// are refused, texts are cut, secrets redacted and defaults filled in alike, payloads are kept as
// jsonb writes them, IP addresses as keyed hashes (of a key of its own), recording a key again
// returns what stands, and pages are bounded and end alike. It has no directory, so that owner,
// parent and name are the envelope's alone, and no taxonomy but what a hook checks. An activity
// that it keeps no longer because it is full frees its key.
type MemoryLog struct {
	options MemoryOptions
	ipKey   [32]byte

	mu      sync.RWMutex
	rows    []Activity // by id, oldest first
	byKey   map[memoryKey]uuid.UUID
	ids     uuidv7.Generator
	lastNow time.Time
}

// memoryKey names one activity.
type memoryKey struct {
	tenant, correlation, resource uuid.UUID
	action                        string
}

func (a *Activity) memoryKey() memoryKey {
	return memoryKey{a.TenantID, a.CorrelationID, a.ResourceID, a.Action}
}

// NewMemoryLog makes an empty log.
func NewMemoryLog(o MemoryOptions) *MemoryLog {
	for _, option := range []struct {
		value    *int
		standard int
	}{{&o.MaxPayload, DefaultMaxPayload}, {&o.ScanBudget, ScanBudget}, {&o.CountBudget, CountBudget}} {
		if *option.value <= 0 {
			*option.value = option.standard
		}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	l := &MemoryLog{options: o, byKey: map[memoryKey]uuid.UUID{}}
	_, _ = rand.Read(l.ipKey[:]) // never fails
	return l
}

// Append records envelopes in their order, all of them or none. An *invalid.Error names the fields
// of each one refused as "envelopes[3].action", and those of an envelope alone as "action".
func (l *MemoryLog) Append(ctx context.Context, envelopes ...Envelope) ([]Recorded, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	wanted, err := prepareAll(ctx, l.options.Hooks, l.options.MaxPayload, envelopes)
	if err != nil {
		return nil, err
	}
	recorded := l.add(wanted)
	l.options.Hooks.Announce(ctx, recorded...)
	return recorded, nil
}

func (l *MemoryLog) add(wanted []prepared) (recorded []Recorded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range wanted {
		a := p.activity
		now := l.now()
		a.ID = l.ids.New(now)
		if a.CorrelationID == uuid.Nil {
			a.CorrelationID = a.ID
		}
		if id, stands := l.byKey[a.memoryKey()]; stands {
			recorded = append(recorded, Recorded{Activity: l.rows[l.from(id)].clone()})
			continue
		}
		a.RecordedAt = now
		if a.OccurredAt.IsZero() {
			a.OccurredAt = now
		}
		a.IPKeyID, a.IPHash = l.hash(p.ip)
		l.byKey[a.memoryKey()] = a.ID
		l.rows = append(l.rows, a)
		recorded = append(recorded, Recorded{Activity: a.clone(), Created: true})
	}
	if most := l.options.MaxActivities; most > 0 && len(l.rows) > most {
		old := l.rows[:len(l.rows)-most]
		for i := range old {
			delete(l.byKey, old[i].memoryKey())
		}
		clear(old)
		l.rows = l.rows[len(old):]
	}
	return recorded
}

// now returns the time, to the microsecond as the database has it, and never an earlier one than
// before.
func (l *MemoryLog) now() time.Time {
	if now := l.options.Clock().UTC().Truncate(time.Microsecond); now.After(l.lastNow) {
		l.lastNow = now
	}
	return l.lastNow
}

// hash returns what is kept of an IP address.
func (l *MemoryLog) hash(ip string) (key int16, hash []byte) {
	if ip == "" {
		return 0, nil
	}
	h := hmac.New(sha256.New, l.ipKey[:])
	h.Write([]byte(netip.MustParseAddr(ip).Unmap().String()))
	return 1, h.Sum(nil)
}

// Records returns all activities of all tenants, oldest first.
func (l *MemoryLog) Records() []Activity {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]Activity, len(l.rows))
	for i := range l.rows {
		all[i] = l.rows[i].clone()
	}
	return all
}

// Get returns one activity of the tenant, or ErrNotFound.
func (l *MemoryLog) Get(ctx context.Context, tenant, id uuid.UUID) (Activity, error) {
	if err := ctx.Err(); err != nil {
		return Activity{}, fmt.Errorf("read activity %s: %w", id, err)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if i := l.from(id); i < len(l.rows) && l.rows[i].ID == id && l.rows[i].TenantID == tenant {
		return l.rows[i].clone(), nil
	}
	return Activity{}, ErrNotFound
}

// List returns the tenant's activities that pass the filter, newest first, as PostgresLog.List
// does. It looks at as many as MemoryOptions.ScanBudget says.
func (l *MemoryLog) List(
	ctx context.Context,
	tenant uuid.UUID,
	f Filter,
	p Page,
) (found []Activity, next uuid.UUID, err error) {
	if err := f.Validate(); err != nil {
		return nil, uuid.Nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the log: %w", err)
	}
	limit, scanned := p.limit(), 0
	found = []Activity{}
	matches := f.Matcher()
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.scan(tenant, f, p.Before, func(a *Activity) bool {
		if matches(a) {
			if len(found) == limit {
				next = found[limit-1].ID
				return false
			}
			found = append(found, a.clone())
		}
		if scanned++; scanned == l.options.ScanBudget {
			next = a.ID
			return false
		}
		return true
	})
	return found, next, nil
}

// Count returns how many of the tenant's activities pass the filter, as PostgresLog.Count does. It
// looks at as many as MemoryOptions.CountBudget says.
func (l *MemoryLog) Count(ctx context.Context, tenant uuid.UUID, f Filter, limit int) (n int, exact bool, err error) {
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
	l.scan(tenant, f, uuid.Nil, func(a *Activity) bool {
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

// scan calls look for what the index that newLogQuery chooses would bring of the tenant's
// activities, newest first, until look returns false.
func (l *MemoryLog) scan(tenant uuid.UUID, f Filter, before uuid.UUID, look func(a *Activity) bool) {
	from, to := 0, len(l.rows)
	if !f.Since.IsZero() {
		from = l.from(uuidv7.Floor(f.Since))
	}
	if !f.Until.IsZero() {
		to = l.from(uuidv7.Floor(f.Until.Add(time.Millisecond)))
	}
	if before != uuid.Nil {
		to = min(to, l.from(before))
	}
	for i := to - 1; i >= from; i-- {
		if a := &l.rows[i]; a.TenantID == tenant && f.narrowest(a) && !look(a) {
			return
		}
	}
}

// narrowest tests what newLogQuery.bound would choose the index by.
func (f Filter) narrowest(a *Activity) bool {
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

// from returns the place of the first activity whose id is not below id.
func (l *MemoryLog) from(id uuid.UUID) int {
	i, _ := slices.BinarySearchFunc(
		l.rows,
		id,
		func(a Activity, id uuid.UUID) int { return bytes.Compare(a.ID[:], id[:]) },
	)
	return i
}

// clone shares nothing with the activity.
func (a *Activity) clone() Activity {
	c := *a
	c.DeliveryChannels, c.IPHash, c.Payload = slices.Clone(
		a.DeliveryChannels,
	), bytes.Clone(
		a.IPHash,
	), bytes.Clone(
		a.Payload,
	)
	return c
}
