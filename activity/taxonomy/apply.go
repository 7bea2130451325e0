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

// DefaultSearchTimeout limits Apply's search for activities that have a removed action.
const DefaultSearchTimeout = 30 * time.Second

// ApplyOptions configure Apply. The zero value removes no action that recorded activities have.
type ApplyOptions struct {
	// Force removes actions without a search for activities that have them.
	Force bool
	// DryRun rolls the changes back.
	DryRun bool
	// SearchTimeout limits the search for activities that have a removed action. It is
	// DefaultSearchTimeout if it is not positive.
	SearchTimeout time.Duration
	// Show is called with the changes before they are made. nil disables it.
	Show func(Changes)
}

// InUseError is returned by Apply if recorded activities have a removed action. The taxonomy is not
// changed.
type InUseError struct {
	Actions []string // of the newest partition that has any; other removed actions may be in use too
}

func (e *InUseError) Error() string {
	return fmt.Sprintf(
		"cannot remove %s: recorded activities have it; --force removes it and does not change those activities",
		strings.Join(e.Actions, ", "),
	)
}

// SearchTimeoutError is returned by Apply if the search for activities that have a removed action
// takes longer than the timeout. The taxonomy is not changed.
type SearchTimeoutError struct {
	Actions []string // all removed actions
	Timeout time.Duration
}

func (e *SearchTimeoutError) Error() string {
	return fmt.Sprintf(
		"cannot remove %s: the search for activities that have it did not complete within %s;"+
			" --force removes it without a search",
		strings.Join(e.Actions, ", "), e.Timeout,
	)
}

// Apply replaces the applied taxonomy by t in one transaction and returns the changes. The applied
// taxonomy always includes the built-in actions (WithBuiltins), and the secret keys of t become
// those of the installation (fanfare.settings). Recording continues meanwhile; it uses the previous
// taxonomy until Apply commits. Concurrent calls wait for each other.
//
// Without Force, Apply does not remove an action that recorded activities have, because their texts
// would be lost. The log has no index on actions alone, so Apply searches its partitions from the
// newest to the oldest: the search for an action in use ends early, and that for an unused action
// reads the whole log. The error is an *InUseError, or a *SearchTimeoutError after SearchTimeout.
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
	if errors.As(err, new(*InvalidError)) {
		return Changes{}, fmt.Errorf("compare with the applied taxonomy: %w", err)
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
		keys := append([]string{}, t.secretKeys...) // not null
		if _, err := tx.Exec(ctx, `UPDATE fanfare.settings SET secret_keys = $1`, keys); err != nil {
			return Changes{}, fmt.Errorf("apply the secret keys of the taxonomy: %w", err)
		}
	}
	return changes, nil
}

// changed returns the added and the changed actions.
func changed(t *Taxonomy, c Changes) []Action {
	actions := slices.Clone(c.Added)
	for _, change := range c.Changed {
		actions = append(actions, t.byName[change.Action].Action)
	}
	return actions
}

// row is a row of fanfare.taxonomy.
type row struct {
	Action          string              `json:"action"`
	Description     string              `json:"description"`
	Category        string              `json:"category"`
	Severity        activity.Severity   `json:"severity"`
	Visibility      activity.Visibility `json:"visibility"`
	Notify          activity.Notify     `json:"notify"` // "" leaves it to the patterns
	Title           string              `json:"title"`
	Summary         string              `json:"summary"`
	Icon            string              `json:"icon"`
	PayloadSchema   json.RawMessage     `json:"payload_schema,omitzero"`
	RequiredKeys    []string            `json:"required_keys"`
	AllowedKeys     []string            `json:"allowed_keys"` // null allows every key
	MaxPayloadBytes *int                `json:"max_payload_bytes"`
}

func write(ctx context.Context, tx pgx.Tx, actions []Action, removed []string) error {
	rows := make([]row, len(actions))
	for i, a := range actions {
		rows[i] = row{
			Action: a.Name, Description: a.Description, Category: a.Category,
			Severity: a.Severity, Visibility: a.Visibility, Notify: a.Notify,
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
		INSERT INTO fanfare.taxonomy (action, description, category, severity, visibility, notify, title, summary, icon,
		    payload_schema, required_keys, allowed_keys, max_payload_bytes)
		SELECT r.action, r.description, r.category, r.severity, r.visibility, nullif(r.notify, ''),
		    r.title, r.summary, r.icon, r.payload_schema, r.required_keys, r.allowed_keys, r.max_payload_bytes
		FROM jsonb_to_recordset($1::text::jsonb) AS r(
		    action text, description text, category text, severity text, visibility text, notify text,
		    title text, summary text, icon text,
		    payload_schema jsonb, required_keys text[], allowed_keys text[], max_payload_bytes int)
		ON CONFLICT (action) DO UPDATE SET
		    description = excluded.description,
		    category = excluded.category,
		    severity = excluded.severity,
		    visibility = excluded.visibility,
		    notify = excluded.notify,
		    title = excluded.title,
		    summary = excluded.summary,
		    icon = excluded.icon,
		    payload_schema = excluded.payload_schema,
		    required_keys = excluded.required_keys,
		    allowed_keys = excluded.allowed_keys,
		    max_payload_bytes = excluded.max_payload_bytes,
		    updated_at = now()`, string(written))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM fanfare.taxonomy WHERE action = ANY ($1)`, removed)
	return err
}

// refuseUsed searches the partitions for activities that have one of the actions.
func refuseUsed(ctx context.Context, tx pgx.Tx, actions []string, timeout time.Duration) error {
	// The savepoint restores statement_timeout.
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("search for activities of removed actions: %w", err)
	}
	defer func() { _ = savepoint.Rollback(context.WithoutCancel(ctx)) }()
	partitions, err := readPartitions(ctx, savepoint)
	if err != nil {
		return fmt.Errorf("search for activities of removed actions: %w", err)
	}
	deadline := time.Now().Add(timeout)
	for _, partition := range partitions {
		left := time.Until(deadline).Milliseconds()
		if left <= 0 {
			return &SearchTimeoutError{Actions: actions, Timeout: timeout}
		}
		used, err := usedIn(ctx, savepoint, partition, actions, left)
		if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == "57014" &&
			ctx.Err() == nil { // query_canceled
			return &SearchTimeoutError{Actions: actions, Timeout: timeout}
		}
		if err != nil {
			return fmt.Errorf("search for activities of removed actions in %s: %w", partition, err)
		}
		if len(used) > 0 {
			return &InUseError{Actions: used}
		}
	}
	return nil
}

// readPartitions returns the names of the log's partitions, from the newest month to the oldest,
// followed by the default partition.
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

// usedIn returns the actions of the first thousand activities of a partition that have one of the
// actions. A single one prevents the removal; the others make the error more useful.
func usedIn(ctx context.Context, tx pgx.Tx, partition string, actions []string, milliseconds int64) ([]string, error) {
	timeout := strconv.FormatInt(milliseconds, 10)
	if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, timeout); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT found.action
		FROM (
		    SELECT a.action FROM `+pgx.Identifier{"fanfare", partition}.Sanitize()+` AS a
		    WHERE a.action = ANY ($1) LIMIT 1000) AS found
		ORDER BY found.action`, actions)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
