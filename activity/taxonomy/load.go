package taxonomy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity/taxonomy/template"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Load reads the applied taxonomy. If none is applied, the taxonomy has no actions. The error is an
// *InvalidError if the stored taxonomy is invalid, which Apply does not write.
func Load(ctx context.Context, db pg.Querier) (*Taxonomy, error) {
	t, err := load(ctx, db)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// load is Load, and returns the taxonomy together with an *InvalidError.
func load(ctx context.Context, db pg.Querier) (*Taxonomy, error) {
	rows, err := db.Query(ctx, `
		SELECT s.secret_keys, t.action, t.description, t.category, t.severity, t.visibility,
		    t.notify, t.title, t.summary, t.icon, t.payload_schema::text, t.allowed_keys, t.max_payload_bytes
		FROM fanfare.settings AS s
		LEFT JOIN fanfare.taxonomy AS t ON true
		ORDER BY t.action COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("read the taxonomy: %w", err)
	}
	var (
		r          reader
		c          compiler
		entries    = map[string]*entry{}
		secretKeys []string
	)
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		e, schema, maxBytes := &entry{}, zeronull.Text(""), zeronull.Int4(0)
		// Every column of a settings row without actions is null.
		text := func(at *string) *zeronull.Text { return (*zeronull.Text)(at) }
		err := row.Scan(
			&secretKeys,
			text(&e.Name),
			text(&e.Description),
			text(&e.Category),
			text((*string)(&e.Severity)),
			text((*string)(&e.Visibility)),
			text((*string)(&e.Notify)),
			text(&e.Title),
			text(&e.Summary),
			text(&e.Icon),
			&schema,
			&e.Keep,
			&maxBytes,
		)
		if err != nil || e.Name == "" {
			return struct{}{}, err
		}
		e.MaxPayloadBytes = int(maxBytes)
		r.stored(e, []byte(schema), &c)
		entries[e.Name] = e
		return struct{}{}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the taxonomy: %w", err)
	}
	slices.Sort(secretKeys)
	t := newTaxonomy(entries, secretKeys)
	if err := r.err(); err != nil {
		return t, fmt.Errorf("read the taxonomy: %w", err)
	}
	return t, nil
}

// stored completes an entry that was read from the database, and reports what is invalid in it.
func (r *reader) stored(e *entry, schema json.RawMessage, c *compiler) {
	r.action = e.Name
	defer func() { r.action = "" }()
	for field, text := range map[string]string{"title": e.Title, "summary": e.Summary} {
		if _, err := template.Parse(text); err != nil {
			r.refuse(0, field, "", "is not a template: "+err.Error())
		}
	}
	e.prepare()
	if len(schema) == 0 {
		return
	}
	value, err := decode(schema)
	if err != nil {
		r.refuse(0, "payload", "", notSchema)
		return
	}
	for _, f := range e.compile(c, value) {
		r.refuse(0, "payload", f.value, f.rule)
	}
}
