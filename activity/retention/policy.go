package retention

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

// Installation stands for the installation in place of a tenant.
var Installation = uuid.Nil

// Field names a bound of a policy.
type Field string

// The bounds. Days are 24 hours. 0 is "without bound"; of MinDays, that nothing is too young.
const (
	MaxDays         Field = "max_days"         // activities older than that go
	MaxEntries      Field = "max_entries"      // so many of the newest activities stay
	MinDays         Field = "min_days"         // no activity younger than that goes, whatever the other bounds say
	InboxDays       Field = "inbox_days"       // notifications older than that go, read or not
	IdempotencyDays Field = "idempotency_days" // recording the same again later than that records it anew
	DeadLetterDays  Field = "dead_letter_days" // dead letters go so long after they died
	ParkedDays      Field = "parked_days"      // an activity that has been parked for so long becomes a dead letter
	TokenDays       Field = "token_days"       // service tokens go so long after they expired or were revoked
)

// What a bound may be at most. Before 1970 there are no ids.
const (
	MaxDaysBound    = 50 * 365
	MaxEntriesBound = 1_000_000_000
)

// Fields returns the bounds in the order in which they are shown.
func Fields() []Field {
	return []Field{MaxDays, MaxEntries, MinDays, InboxDays, IdempotencyDays, DeadLetterDays, ParkedDays, TokenDays}
}

// Where a bound comes from.
const (
	FromTenant       = "tenant"
	FromInstallation = "installation"
)

// Bound is a bound and where it comes from.
type Bound struct {
	Value int64  `json:"value"`
	From  string `json:"from"`
}

// Policy is what applies to a tenant, or to those tenants that say nothing else.
type Policy struct {
	TenantID        uuid.UUID  `json:"tenant_id,omitzero"` // Installation: none
	MaxDays         Bound      `json:"max_days"`
	MaxEntries      Bound      `json:"max_entries"`
	MinDays         Bound      `json:"min_days"`
	InboxDays       Bound      `json:"inbox_days"`
	IdempotencyDays Bound      `json:"idempotency_days"`
	DeadLetterDays  Bound      `json:"dead_letter_days"`
	ParkedDays      Bound      `json:"parked_days"`
	TokenDays       Bound      `json:"token_days"`
	UpdatedBy       *uuid.UUID `json:"updated_by"` // of the tenant's own bounds; nil: it has none
	UpdatedAt       *time.Time `json:"updated_at"`
}

// At returns a bound.
func (p *Policy) At(f Field) *Bound {
	switch f {
	case MaxDays:
		return &p.MaxDays
	case MaxEntries:
		return &p.MaxEntries
	case MinDays:
		return &p.MinDays
	case InboxDays:
		return &p.InboxDays
	case IdempotencyDays:
		return &p.IdempotencyDays
	case DeadLetterDays:
		return &p.DeadLetterDays
	case ParkedDays:
		return &p.ParkedDays
	case TokenDays:
		return &p.TokenDays
	}
	panic("retention: no bound " + string(f))
}

func (p *Policy) values() map[string]int {
	values := map[string]int{}
	for _, f := range Fields() {
		values[string(f)] = int(p.At(f).Value)
	}
	return values
}

// Change says which bounds are to be others. Nil gives a bound back to the installation.
type Change map[Field]*int64

// Validate returns an *invalid.Error that names every bound which breaks a rule by itself,
// or nil.
func (c Change) Validate(tenant uuid.UUID) error {
	refused := invalid.Error{Subject: "retention"}
	for _, f := range slices.Sorted(maps.Keys(c)) {
		refuse := func(value, rule string) {
			refused.Fields = append(refused.Fields, invalid.Field{Name: string(f), Value: value, Rule: rule})
		}
		most := int64(MaxDaysBound)
		if f == MaxEntries {
			most = MaxEntriesBound
		}
		switch value := c[f]; {
		case !slices.Contains(Fields(), f):
			refuse("", "is not a bound of retention")
		case value == nil && tenant == Installation:
			refuse("", "must be a number: the installation has nothing to take it from")
		case value != nil && (*value < 0 || *value > most):
			refuse(fmt.Sprint(*value), fmt.Sprintf("must be from 0 to %d", most))
		}
	}
	if len(c) == 0 {
		refused.Fields = append(
			refused.Fields,
			invalid.Field{Name: "retention", Rule: "must change at least one bound"},
		)
	}
	if len(refused.Fields) > 0 {
		return &refused
	}
	return nil
}

// Get returns the policy of a tenant or of the installation.
func Get(ctx context.Context, db pg.Querier, tenant uuid.UUID) (Policy, error) {
	rows, err := db.Query(ctx, `
		SELECT r.tenant_id = $1, r.updated_by, r.updated_at,
		       r.max_days, r.max_entries, r.min_days, r.inbox_days, r.idempotency_days, r.dead_letter_days, r.parked_days, r.token_days
		FROM fanfare.retention AS r
		WHERE r.tenant_id IN ($1, $2)
		ORDER BY r.tenant_id <> $2`, tenant, Installation)
	if err != nil {
		return Policy{}, fmt.Errorf("read the retention policy: %w", err)
	}
	p := Policy{TenantID: tenant}
	var (
		own    bool
		by     *uuid.UUID
		at     time.Time
		values = make([]*int64, len(Fields()))
	)
	into := []any{&own, &by, &at}
	for i := range values {
		into = append(into, &values[i])
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		from := FromInstallation
		if own {
			p.UpdatedBy, p.UpdatedAt = by, new(time.Time)
			*p.UpdatedAt = at.UTC()
			if tenant != Installation {
				from = FromTenant
			}
		}
		for i, f := range Fields() {
			if values[i] != nil {
				*p.At(f) = Bound{*values[i], from}
			}
			values[i] = nil
		}
		return nil
	})
	if err != nil {
		return Policy{}, fmt.Errorf("read the retention policy: %w", err)
	}
	return p, nil
}

// Set changes the policy of a tenant or of the installation and returns what applies then. What
// breaks a rule is refused with an *invalid.Error. A tenant's change is recorded in its log
// as retention.changed; one of the installation is in no tenant's log. It waits for a step of a run
// that is under way.
func Set(ctx context.Context, db pg.Beginner, tenant, actor uuid.UUID, c Change) (Policy, error) {
	if err := c.Validate(tenant); err != nil {
		return Policy{}, err
	}
	var after Policy
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE fanfare.retention IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		before, err := Get(ctx, tx, tenant)
		if err != nil {
			return err
		}
		args := []any{tenant, actor}
		for _, f := range Fields() {
			own := (*int64)(nil)
			if b := *before.At(f); tenant == Installation || b.From == FromTenant {
				own = &b.Value
			}
			if value, given := c[f]; given {
				own = value
			}
			args = append(args, own)
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO fanfare.retention (tenant_id, updated_by, max_days, max_entries, min_days, inbox_days, idempotency_days, dead_letter_days, parked_days, token_days)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (tenant_id) DO UPDATE
			SET updated_by = excluded.updated_by, updated_at = now(), max_days = excluded.max_days, max_entries = excluded.max_entries,
			    min_days = excluded.min_days, inbox_days = excluded.inbox_days, idempotency_days = excluded.idempotency_days,
			    dead_letter_days = excluded.dead_letter_days, parked_days = excluded.parked_days, token_days = excluded.token_days`, args...); err != nil {
			return err
		}
		if after, err = Get(ctx, tx, tenant); err != nil {
			return err
		}
		if err := fits(ctx, tx, after, c); err != nil || tenant == Installation {
			return err
		}
		return recordChange(ctx, tx, actor, before, after)
	})
	if err != nil {
		return Policy{}, fmt.Errorf("change the retention policy: %w", err)
	}
	return after, nil
}

// fits refuses a policy whose bounds contradict each other, for a tenant or, by what it takes from
// the installation, for any.
func fits(ctx context.Context, tx pgx.Tx, p Policy, c Change) error {
	blame := MaxDays
	if _, given := c[MaxDays]; !given {
		blame = MinDays
	}
	refuse := func(tenant string, low, high int64) error {
		f := invalid.Field{
			Name:  string(blame),
			Value: fmt.Sprint(high),
			Rule:  fmt.Sprintf("must be at least min_days (%d), or 0", low),
		}
		if blame == MinDays {
			f = invalid.Field{
				Name:  string(blame),
				Value: fmt.Sprint(low),
				Rule:  fmt.Sprintf("must be at most max_days (%d)", high),
			}
		}
		if tenant != "" {
			f.Rule += ", also for tenant " + tenant
		}
		return &invalid.Error{Subject: "retention", Fields: []invalid.Field{f}}
	}
	if p.MaxDays.Value > 0 && p.MinDays.Value > p.MaxDays.Value {
		return refuse("", p.MinDays.Value, p.MaxDays.Value)
	}
	if p.TenantID != Installation {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT t.tenant_id::text, coalesce(t.min_days, $2::int), coalesce(t.max_days, $3::int)
		FROM fanfare.retention AS t
		WHERE t.tenant_id <> $1 AND coalesce(t.max_days, $3::int) > 0 AND coalesce(t.min_days, $2::int) > coalesce(t.max_days, $3::int)
		ORDER BY t.tenant_id LIMIT 1`, Installation, p.MinDays.Value, p.MaxDays.Value)
	if err != nil {
		return err
	}
	var (
		tenant    string
		low, high int64
	)
	if _, err := pgx.ForEachRow(rows, []any{&tenant, &low, &high}, func() error { return refuse(tenant, low, high) }); err != nil {
		return err
	}
	return nil
}

func recordChange(ctx context.Context, tx pgx.Tx, actor uuid.UUID, before, after Policy) error {
	changed := builtin.RetentionChanged{Changed: []string{}, From: map[string]any{}, To: map[string]any{}}
	for _, f := range Fields() {
		if previous, current := *before.At(f), *after.At(f); previous != current {
			name := string(f)
			changed.Changed = append(changed.Changed, name)
			changed.From[name], changed.To[name] = previous, current
		}
	}
	return record(ctx, tx, actor, changed.On(after.TenantID, after.TenantID))
}

// record records an activity about a tenant's retention in the tenant's log.
func record(ctx context.Context, tx pgx.Tx, actor uuid.UUID, e activity.Envelope) error {
	e.ActorPrincipalID = actor
	_, err := outbox.Record(ctx, tx, e)
	return err
}
