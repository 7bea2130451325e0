package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

// DeadLetter is an activity that could not be delivered.
type DeadLetter struct {
	ActivityID   uuid.UUID `json:"activity_id"`
	TenantID     uuid.UUID `json:"tenant_id"`
	ResourceID   uuid.UUID `json:"resource_id"`
	Action       string    `json:"action"` // "" if the log no longer contains the activity
	RecordedAt   time.Time `json:"recorded_at"`
	DiedAt       time.Time `json:"died_at"`
	Attempts     int       `json:"attempts"`
	Channels     []string  `json:"channels"` // the channels not reached; null means all
	Error        string    `json:"error"`
	ResourceType string    `json:"resource_type"` // "" as Action
	ResourceName string    `json:"resource_name"` // "" if it is unknown
}

// DeadFilter selects the dead letters that match every given field. A field that has its zero value
// matches every dead letter.
type DeadFilter struct {
	ActivityID   uuid.UUID
	Error        string // a text in the error, in any case
	ErrorKind    string // an error that differs in ids and numbers alone; see DeadGroup
	Action       string // a pattern, as in activity.Filter
	ResourceType string
	Resource     uuid.UUID
	Since        time.Time // died at this time or later
	Until        time.Time // died before this time
}

// MaxErrorFilter is the maximum length of DeadFilter.Error and ErrorKind, in characters.
const MaxErrorFilter = 500

// Validate returns an *invalid.Error that names every field which violates a rule, or nil.
func (f DeadFilter) Validate() error {
	refused := &invalid.Error{Subject: "filter"}
	shared := activity.Filter{Action: f.Action, ResourceType: f.ResourceType, Since: f.Since, Until: f.Until}
	if err := shared.Validate(); err != nil && !errors.As(err, &refused) {
		return err
	}
	for _, text := range []struct{ name, value string }{{"error", f.Error}, {"error_kind", f.ErrorKind}} {
		rule := ""
		switch {
		case !utf8.ValidString(text.value) || strings.IndexByte(text.value, 0) >= 0:
			rule = "must be valid UTF-8 without NUL"
		case utf8.RuneCountInString(text.value) > MaxErrorFilter:
			rule = fmt.Sprintf("must be at most %d characters", MaxErrorFilter)
		default:
			continue
		}
		refused.Fields = append(refused.Fields, invalid.Field{Name: text.name, Rule: rule})
	}
	if len(refused.Fields) > 0 {
		return refused
	}
	return nil
}

// deadSelection is a filter as SQL, on the tables dead_letters AS d and activities AS a.
type deadSelection struct {
	args  []any
	tests []string
}

// deadLetters are the tables that a deadSelection refers to.
var deadLetters = `fanfare.dead_letters AS d
	LEFT JOIN ` + pglog.ByID("d.activity_id", "d.tenant_id") + ` ON true`

// selectDead returns the selection of a tenant's dead letters that pass the filter; uuid.Nil
// selects every tenant.
func selectDead(tenant uuid.UUID, f DeadFilter) *deadSelection {
	s := &deadSelection{tests: []string{"true"}}
	for _, id := range []struct {
		column string
		value  uuid.UUID
	}{{"d.tenant_id", tenant}, {"d.activity_id", f.ActivityID}, {"d.resource_id", f.Resource}} {
		if id.value != uuid.Nil {
			s.test(id.column+" = %s", id.value)
		}
	}
	if f.Error != "" {
		s.test("d.error ILIKE %s", "%"+escapeLike.Replace(f.Error)+"%")
	}
	if f.ErrorKind != "" {
		s.test(errorKind("d.error")+" = "+errorKind("%[1]s::text"), f.ErrorKind)
	}
	if f.Action != "" {
		s.test(`a.action COLLATE "C" ~ %s`, activity.Filter{Action: f.Action}.ActionRegexp())
	}
	if f.ResourceType != "" {
		s.test("a.resource_type = %s", f.ResourceType)
	}
	if !f.Since.IsZero() {
		s.test("d.died_at >= %s", f.Since)
	}
	if !f.Until.IsZero() {
		s.test("d.died_at < %s", f.Until)
	}
	return s
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// test adds a condition on a value.
func (s *deadSelection) test(condition string, value any) {
	s.tests = append(s.tests, fmt.Sprintf(condition, s.arg(value)))
}

// arg adds an argument and returns its placeholder.
func (s *deadSelection) arg(value any) string {
	s.args = append(s.args, value)
	return fmt.Sprintf("$%d", len(s.args))
}

// where returns the conditions.
func (s *deadSelection) where() string { return strings.Join(s.tests, " AND ") }

// DeadPosition is the position of a dead letter in a list.
type DeadPosition struct {
	DiedAt     time.Time
	ActivityID uuid.UUID
}

// DeadQuery selects a part of a list of dead letters.
type DeadQuery struct {
	DeadFilter
	Limit int
	After DeadPosition // only dead letters after this one; the zero value begins with the newest
}

// DeadLetters lists dead letters of a tenant, the newest first; uuid.Nil selects every tenant.
func (b *Backlog) DeadLetters(ctx context.Context, tenant uuid.UUID, q DeadQuery) ([]DeadLetter, error) {
	s := selectDead(tenant, q.DeadFilter)
	if q.After != (DeadPosition{}) {
		s.tests = append(s.tests,
			fmt.Sprintf("(d.died_at, d.activity_id) < (%s, %s)", s.arg(q.After.DiedAt), s.arg(q.After.ActivityID)))
	}
	rows, err := b.pool.Query(ctx, `
		SELECT d.activity_id, d.tenant_id, d.resource_id, coalesce(a.action, ''), d.recorded_at, d.died_at,
		       d.attempts, d.channels, d.error, coalesce(a.resource_type, ''), coalesce(a.resource_name, '')
		FROM `+deadLetters+`
		WHERE `+s.where()+`
		ORDER BY d.died_at DESC, d.activity_id DESC
		LIMIT `+s.arg(q.Limit), s.args...)
	if err != nil {
		return nil, fmt.Errorf("list the dead letters: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetter])
}

// DeadGroup counts the dead letters of an action whose errors differ in ids and numbers alone.
type DeadGroup struct {
	ErrorKind string    `json:"error_kind"` // the error, with <id> and <n> in place of ids and numbers
	Action    string    `json:"action"`
	Count     int64     `json:"count"`
	OldestAt  time.Time `json:"oldest_at"` // when the first of them died
	NewestAt  time.Time `json:"newest_at"`
	SampleID  uuid.UUID `json:"sample_activity_id"` // the latest recorded activity among them
}

// The bounds of groups of dead letters.
const (
	maxDeadGroups  = 200
	maxGroupedDead = 50_000 // the newest ones
)

// DeadGroups groups the dead letters of a tenant, the largest group first; uuid.Nil selects every
// tenant. At most the newest 50,000 are grouped, into at most 200 groups; exact reports that these
// are all.
func (b *Backlog) DeadGroups(ctx context.Context, tenant uuid.UUID, f DeadFilter) (
	groups []DeadGroup, exact bool, err error,
) {
	s := selectDead(tenant, f)
	rows, err := b.pool.Query(ctx, `
		WITH letter AS (
		    SELECT `+errorKind("d.error")+` AS kind, coalesce(a.action, '') AS action, d.died_at, d.activity_id
		    FROM `+deadLetters+`
		    WHERE `+s.where()+`
		    ORDER BY d.died_at DESC
		    LIMIT `+s.arg(maxGroupedDead)+`
		)
		SELECT kind, action, count(*), min(died_at), max(died_at), max(activity_id::text)::uuid,
		       (sum(count(*)) OVER ())::bigint
		FROM letter
		GROUP BY kind, action
		ORDER BY 3 DESC, 5 DESC, kind, action
		LIMIT `+s.arg(maxDeadGroups+1), s.args...)
	if err != nil {
		return nil, false, fmt.Errorf("group the dead letters: %w", err)
	}
	var letters int64
	groups, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (DeadGroup, error) {
		var g DeadGroup
		err := row.Scan(&g.ErrorKind, &g.Action, &g.Count, &g.OldestAt, &g.NewestAt, &g.SampleID, &letters)
		return g, err
	})
	if err != nil {
		return nil, false, fmt.Errorf("group the dead letters: %w", err)
	}
	exact = len(groups) <= maxDeadGroups && letters < maxGroupedDead
	return groups[:min(len(groups), maxDeadGroups)], exact, nil
}

// errorKind returns an expression for an error, with <id> and <n> in place of ids and numbers, so
// that errors of one cause are alike. It is idempotent.
func errorKind(text string) string {
	return `regexp_replace(regexp_replace(left(` + text + `, 500),
		'[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}', '<id>', 'g'), '[0-9]+', '<n>', 'g')`
}
