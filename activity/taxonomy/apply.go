package taxonomy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// DefaultSearchTimeout is how long Apply looks for activities that use a removed action.
const DefaultSearchTimeout = 30 * time.Second

// ApplyOptions says how Apply goes about it. The zero value changes what is to be changed and
// removes nothing that is in use.
type ApplyOptions struct {
	Force    bool          // remove actions without looking for activities that use them
	DryRun   bool          // do everything, and then undo it
	SearchTimeout time.Duration // how long to look for such activities; DefaultSearchTimeout if it is not positive
	Show     func(Changes) // unless it is nil, is told what will change before anything does
}

// InUseError refuses to remove actions, for recorded activities have them. Nothing was changed.
type InUseError struct {
	Actions []string // those found in the newest part of the log that has any; there may be more
}

func (e *InUseError) Error() string {
	return fmt.Sprintf(
		"removing %s refused: recorded activities have what would be gone; --force removes it nonetheless, and leaves them as they are",
		strings.Join(e.Actions, ", "),
	)
}

// SearchTimeoutError refuses to remove actions, for the log is too large to be looked through in the time
// given. Nothing was changed.
type SearchTimeoutError struct {
	Actions  []string
	SearchTimeout time.Duration
}

func (e *SearchTimeoutError) Error() string {
	return fmt.Sprintf(
		"removing %s refused: whether recorded activities have it could not be found out within %s; --force removes it without looking",
		strings.Join(e.Actions, ", "),
		e.SearchTimeout,
	)
}

// Apply makes the database's taxonomy this one, in one transaction, one at a time, and returns what
// that changes. Recording goes on meanwhile, by the old taxonomy until this commits. Fanfare's own
// actions are always in it (WithBuiltins), and the installation's secret keys (fanfare.settings) become
// those of the taxonomy.
//
// An action that recorded activities have is removed only with Force: they would read worse and
// could not be recorded again. No index leads from an action to its activities, so the log is
// looked through, its newest partition first, for as long as SearchTimeout; what is in use is mostly
// found at once, and what never was costs a look at everything.
func Apply(ctx context.Context, db pg.Beginner, t *Taxonomy, o ApplyOptions) (Changes, error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return Changes{}, fmt.Errorf("apply the taxonomy: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	changes, err := apply(ctx, tx, t, o)
	if err != nil {
		return Changes{}, err
	}
	if o.DryRun {
		return changes, nil
	}
	if err := tx.Commit(ctx); err != nil {
		return Changes{}, fmt.Errorf("apply the taxonomy: %w", err)
	}
	return changes, nil
}

func apply(ctx context.Context, tx pgx.Tx, t *Taxonomy, o ApplyOptions) (Changes, error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('fanfare.taxonomy', 0))`); err != nil {
		return Changes{}, fmt.Errorf("apply the taxonomy: %w", err)
	}
	applied, err := Load(ctx, tx)
	if invalid := (*InvalidError)(nil); errors.As(err, &invalid) {
		return Changes{}, fmt.Errorf("what is applied cannot be compared: %w", err)
	}
	if err != nil {
		return Changes{}, err
	}
	t = t.WithBuiltins()
	changes := Diff(applied, t)
	if o.Show != nil {
		o.Show(changes)
	}
	removed := make([]string, len(changes.Removed))
	for i, a := range changes.Removed {
		removed[i] = a.Name
	}
	if len(removed) > 0 && !o.Force {
		timeout := o.SearchTimeout
		if timeout <= 0 {
			timeout = DefaultSearchTimeout
		}
		if err := refuseUsed(ctx, tx, removed, timeout); err != nil {
			return Changes{}, err
		}
	}
	if err := write(ctx, tx, changed(t, changes), removed); err != nil {
		return Changes{}, fmt.Errorf("apply the taxonomy: %w", err)
	}
	if changes.SecretKeys != nil {
		if _, err := tx.Exec(ctx, `UPDATE fanfare.settings SET secret_keys = $1`, append([]string{}, t.secretKeys...)); err != nil {
			return Changes{}, fmt.Errorf("apply the taxonomy's secret keys: %w", err)
		}
	}
	return changes, nil
}

// changed returns the actions to write.
func changed(t *Taxonomy, c Changes) []Action {
	actions := slices.Clone(c.Added)
	for _, change := range c.Changed {
		actions = append(actions, t.byName[change.Action].Action)
	}
	return actions
}

// row is an action as its row.
type row struct {
	Action          string              `json:"action"`
	Description     string              `json:"description"`
	Category        string              `json:"category"`
	Severity        activity.Severity   `json:"severity"`
	Visibility      activity.Visibility `json:"visibility"`
	Title           string              `json:"title"`
	Summary         string              `json:"summary"`
	Icon            string              `json:"icon"`
	PayloadSchema   json.RawMessage     `json:"payload_schema,omitzero"`
	RequiredKeys    []string            `json:"required_keys"`
	AllowedKeys     []string            `json:"allowed_keys"` // null keeps all
	MaxPayloadBytes *int                `json:"max_payload_bytes"`
}

func write(ctx context.Context, tx pgx.Tx, actions []Action, removed []string) error {
	rows := make([]row, len(actions))
	for i, a := range actions {
		rows[i] = row{
			Action: a.Name, Description: a.Description, Category: a.Category, Severity: a.Severity, Visibility: a.Visibility,
			Title: a.Title, Summary: a.Summary, Icon: a.Icon, PayloadSchema: a.Schema,
			RequiredKeys: append([]string{}, a.Required...), AllowedKeys: a.Keep,
		}
		if a.MaxPayloadBytes > 0 {
			rows[i].MaxPayloadBytes = &a.MaxPayloadBytes
		}
	}
	written, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO fanfare.taxonomy (action, description, category, severity, visibility, title, summary, icon,
		    payload_schema, required_keys, allowed_keys, max_payload_bytes)
		SELECT r.action, r.description, r.category, r.severity, r.visibility, r.title, r.summary, r.icon,
		    r.payload_schema, r.required_keys, r.allowed_keys, r.max_payload_bytes
		FROM jsonb_to_recordset($1::text::jsonb) AS r(action text, description text, category text, severity text, visibility text,
		    title text, summary text, icon text, payload_schema jsonb, required_keys text[], allowed_keys text[], max_payload_bytes int)
		ON CONFLICT (action) DO UPDATE SET
		    (description, category, severity, visibility, title, summary, icon, payload_schema, required_keys, allowed_keys, max_payload_bytes, updated_at)
		    = (excluded.description, excluded.category, excluded.severity, excluded.visibility, excluded.title, excluded.summary, excluded.icon,
		       excluded.payload_schema, excluded.required_keys, excluded.allowed_keys, excluded.max_payload_bytes, now())`, string(written))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM fanfare.taxonomy WHERE action = ANY ($1)`, removed)
	return err
}

// refuseUsed looks for activities that have one of the actions, partition by partition, and for no
// longer than it may.
func refuseUsed(ctx context.Context, tx pgx.Tx, actions []string, timeout time.Duration) error {
	// What is set in a savepoint ends with it.
	look, err := tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("look for activities of removed actions: %w", err)
	}
	defer func() { _ = look.Rollback(context.WithoutCancel(ctx)) }()
	partitions, err := readPartitions(ctx, look)
	if err != nil {
		return fmt.Errorf("look for activities of removed actions: %w", err)
	}
	deadline := time.Now().Add(timeout)
	for _, partition := range partitions {
		left := time.Until(deadline).Milliseconds()
		if left <= 0 {
			return &SearchTimeoutError{Actions: actions, SearchTimeout: timeout}
		}
		used, err := usedIn(ctx, look, partition, actions, left)
		if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == "57014" &&
			ctx.Err() == nil { // query_canceled
			return &SearchTimeoutError{Actions: actions, SearchTimeout: timeout}
		}
		if err != nil {
			return fmt.Errorf("look for activities of removed actions in %s: %w", partition, err)
		}
		if len(used) > 0 {
			return &InUseError{Actions: used}
		}
	}
	return nil
}

// readPartitions returns the log's partitions by name, from the newest month to the oldest and then
// the one for all others.
func readPartitions(ctx context.Context, tx pgx.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.relname
		FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'fanfare.activities'::regclass
		ORDER BY c.relname COLLATE "C" DESC`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// usedIn returns which of the actions are among the first thousand of their activities in a
// partition: one of them is enough to know, and the others help who reads it.
func usedIn(ctx context.Context, tx pgx.Tx, partition string, actions []string, milliseconds int64) ([]string, error) {
	if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, strconv.FormatInt(milliseconds, 10)); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT found.action
		FROM (SELECT a.action FROM `+pgx.Identifier{"fanfare", partition}.Sanitize()+` AS a WHERE a.action = ANY ($1) LIMIT 1000) AS found
		ORDER BY found.action`, actions)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
