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

// Installation selects the policy of the installation in place of a tenant's.
var Installation = uuid.Nil

// Field names a limit of a policy.
type Field string

// The limits. Days are 24 hours. 0 means no limit; for MinDays it means no minimum.
const (
	MaxDays         Field = "max_days"         // age at which activities expire
	MaxEntries      Field = "max_entries"      // maximum number of a tenant's activities; the oldest expire first
	MinDays         Field = "min_days"         // age below which activities are kept; the installation's is a floor
	InboxDays       Field = "inbox_days"       // age at which notifications expire, read or not
	IdempotencyDays Field = "idempotency_days" // age at which idempotency keys expire, so that they record anew
	DeadLetterDays  Field = "dead_letter_days" // time after which dead letters expire
	ParkedDays      Field = "parked_days"      // time after which a parked activity becomes a dead letter
	TokenDays       Field = "token_days"       // time after which service tokens that ended or were revoked expire
)

// The bounds of the limits. There are no ids of times before 1970.
const (
	MaxDaysBound    = 50 * 365
	MaxEntriesBound = 1_000_000_000
)

// Fields returns the names of the limits in the order of their presentation.
func Fields() []Field {
	return []Field{MaxDays, MaxEntries, MinDays, InboxDays, IdempotencyDays, DeadLetterDays, ParkedDays, TokenDays}
}

// The origins of a limit.
const (
	FromTenant       = "tenant"
	FromInstallation = "installation"
)

// Limit is the value of a limit with its origin.
type Limit struct {
	Value int64  `json:"value"`
	From  string `json:"from"` // FromTenant or FromInstallation
}

// Policy holds the limits that apply to a tenant, or by default to every tenant.
type Policy struct {
	TenantID        uuid.UUID  `json:"tenant_id,omitzero"` // Installation for the default
	MaxDays         Limit      `json:"max_days"`
	MaxEntries      Limit      `json:"max_entries"`
	MinDays         Limit      `json:"min_days"`
	InboxDays       Limit      `json:"inbox_days"`
	IdempotencyDays Limit      `json:"idempotency_days"`
	DeadLetterDays  Limit      `json:"dead_letter_days"`
	ParkedDays      Limit      `json:"parked_days"`
	TokenDays       Limit      `json:"token_days"`
	MinDaysFloor    int64      `json:"min_days_floor"` // the installation's MinDays, below which a tenant cannot go
	UpdatedBy       *uuid.UUID `json:"updated_by"`     // who set the tenant's own limits; nil if it has none
	UpdatedAt       *time.Time `json:"updated_at"`
}

// Limit returns the limit with the name. It panics if there is none.
func (p *Policy) Limit(f Field) *Limit {
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
	panic("retention: no limit " + string(f))
}

func (p *Policy) values() map[string]int {
	values := map[string]int{}
	for _, f := range Fields() {
		values[string(f)] = int(p.Limit(f).Value)
	}
	return values
}

// Change sets limits. nil removes a tenant's own limit, so that the installation's applies.
type Change map[Field]*int64

// Validate returns an *invalid.Error that names every limit which violates a rule by itself, or
// nil.
func (c Change) Validate(tenant uuid.UUID) error {
	var fields []invalid.Field
	for _, f := range slices.Sorted(maps.Keys(c)) {
		refuse := func(value, rule string) {
			fields = append(fields, invalid.Field{Name: string(f), Value: value, Rule: rule})
		}
		bound := int64(MaxDaysBound)
		if f == MaxEntries {
			bound = MaxEntriesBound
		}
		switch value := c[f]; {
		case !slices.Contains(Fields(), f):
			refuse("", "is not a limit of retention")
		case value == nil && tenant == Installation:
			refuse("", "must be a number: the installation has no other policy to fall back on")
		case value != nil && (*value < 0 || *value > bound):
			refuse(fmt.Sprint(*value), fmt.Sprintf("must be from 0 to %d", bound))
		}
	}
	if len(c) == 0 {
		fields = append(fields, invalid.Field{Name: "retention", Rule: "must change at least one limit"})
	}
	if len(fields) > 0 {
		return &invalid.Error{Subject: "retention", Fields: fields}
	}
	return nil
}

// Get returns the policy of a tenant or of the installation. A tenant's own MinDays below the
// installation's has no effect.
func Get(ctx context.Context, db pg.Querier, tenant uuid.UUID) (Policy, error) {
	rows, err := db.Query(ctx, `
		SELECT r.tenant_id = $1, r.updated_by, r.updated_at, r.max_days, r.max_entries, r.min_days, r.inbox_days,
			r.idempotency_days, r.dead_letter_days, r.parked_days, r.token_days
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
			updatedAt := at.UTC()
			p.UpdatedBy, p.UpdatedAt = by, &updatedAt
			if tenant != Installation {
				from = FromTenant
			}
		}
		for i, f := range Fields() {
			// The installation's row is the first one. Its min_days is a floor.
			if v := values[i]; v != nil && (f != MinDays || *v >= p.MinDays.Value) {
				*p.Limit(f) = Limit{*v, from}
			}
			values[i] = nil
		}
		if from == FromInstallation {
			p.MinDaysFloor = p.MinDays.Value
		}
		return nil
	})
	if err != nil {
		return Policy{}, fmt.Errorf("read the retention policy: %w", err)
	}
	return p, nil
}

// Set changes the policy of a tenant or of the installation and returns the resulting policy. It
// waits for the current step of a run that is in progress. A tenant's change is recorded in its log
// as retention.changed; a change of the installation's policy is recorded in no log. The error is
// an *invalid.Error if the policy would violate a rule.
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
		if err := checkFloor(ctx, tx, tenant, c); err != nil {
			return err
		}
		args := []any{tenant, actor}
		for _, f := range Fields() {
			own := (*int64)(nil)
			if b := *before.Limit(f); tenant == Installation || b.From == FromTenant {
				own = &b.Value
			}
			if value, given := c[f]; given {
				own = value
			}
			args = append(args, own)
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO fanfare.retention (tenant_id, updated_by, max_days, max_entries, min_days, inbox_days,
				idempotency_days, dead_letter_days, parked_days, token_days)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (tenant_id) DO UPDATE
			SET updated_by = excluded.updated_by,
				updated_at = now(),
				max_days = excluded.max_days,
				max_entries = excluded.max_entries,
				min_days = excluded.min_days,
				inbox_days = excluded.inbox_days,
				idempotency_days = excluded.idempotency_days,
				dead_letter_days = excluded.dead_letter_days,
				parked_days = excluded.parked_days,
				token_days = excluded.token_days`, args...); err != nil {
			return err
		}
		if after, err = Get(ctx, tx, tenant); err != nil {
			return err
		}
		if err := checkConsistency(ctx, tx, after, c); err != nil || tenant == Installation {
			return err
		}
		return recordChange(ctx, tx, actor, before, after)
	})
	if err != nil {
		return Policy{}, fmt.Errorf("change the retention policy: %w", err)
	}
	return after, nil
}

// checkFloor refuses a tenant's minimum age below that of the installation, which otherwise would
// let a tenant erase its log.
func checkFloor(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, c Change) error {
	own := c[MinDays]
	if own == nil || tenant == Installation {
		return nil
	}
	installation, err := Get(ctx, tx, Installation)
	if err != nil || *own >= installation.MinDays.Value {
		return err
	}
	return &invalid.Error{Subject: "retention", Fields: []invalid.Field{{
		Name:  string(MinDays),
		Value: fmt.Sprint(*own),
		Rule:  fmt.Sprintf("must be at least that of the installation (%d)", installation.MinDays.Value),
	}}}
}

// checkConsistency refuses a policy whose min_days exceed its max_days. The installation's policy
// is also refused if it contradicts a tenant's own limits.
func checkConsistency(ctx context.Context, tx pgx.Tx, p Policy, c Change) error {
	if p.MaxDays.Value > 0 && p.MinDays.Value > p.MaxDays.Value {
		return contradiction(c, "", p.MinDays.Value, p.MaxDays.Value)
	}
	if p.TenantID != Installation {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT t.tenant_id::text, greatest(t.min_days, $2::int), coalesce(t.max_days, $3::int)
		FROM fanfare.retention AS t
		WHERE t.tenant_id <> $1
			AND coalesce(t.max_days, $3::int) > 0
			AND greatest(t.min_days, $2::int) > coalesce(t.max_days, $3::int)
		ORDER BY t.tenant_id
		LIMIT 1`, Installation, p.MinDays.Value, p.MaxDays.Value)
	if err != nil {
		return err
	}
	var (
		tenant           string
		minDays, maxDays int64
	)
	_, err = pgx.ForEachRow(rows, []any{&tenant, &minDays, &maxDays}, func() error {
		return contradiction(c, tenant, minDays, maxDays)
	})
	return err
}

// contradiction refuses the limit of the two that the change sets.
func contradiction(c Change, tenant string, minDays, maxDays int64) error {
	f := invalid.Field{
		Name:  string(MinDays),
		Value: fmt.Sprint(minDays),
		Rule:  fmt.Sprintf("must be at most max_days (%d)", maxDays),
	}
	if _, changed := c[MaxDays]; changed {
		f = invalid.Field{
			Name:  string(MaxDays),
			Value: fmt.Sprint(maxDays),
			Rule:  fmt.Sprintf("must be at least min_days (%d), or 0", minDays),
		}
	}
	if tenant != "" {
		f.Rule += ", also for tenant " + tenant
	}
	return &invalid.Error{Subject: "retention", Fields: []invalid.Field{f}}
}

func recordChange(ctx context.Context, tx pgx.Tx, actor uuid.UUID, before, after Policy) error {
	changed := builtin.RetentionChanged{Changed: []string{}, From: map[string]any{}, To: map[string]any{}}
	for _, f := range Fields() {
		if previous, current := *before.Limit(f), *after.Limit(f); previous != current {
			name := string(f)
			changed.Changed = append(changed.Changed, name)
			changed.From[name], changed.To[name] = previous, current
		}
	}
	return record(ctx, tx, actor, changed.On(after.TenantID, after.TenantID))
}

// record records an activity in the log of its tenant.
func record(ctx context.Context, tx pgx.Tx, actor uuid.UUID, e activity.Envelope) error {
	e.ActorPrincipalID = actor
	_, err := outbox.Record(ctx, tx, e)
	return err
}
