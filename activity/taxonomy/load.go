package taxonomy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Load reads what is applied in a database; without anything it is a taxonomy without actions. Its
// error is an *InvalidError if somebody else than Apply wrote what cannot be.
func Load(ctx context.Context, db pg.Querier) (*Taxonomy, error) {
	rows, err := db.Query(ctx, `
		SELECT s.secret_keys, t.action, t.description, t.category, t.severity, t.visibility, t.title, t.summary, t.icon,
		    t.payload_schema::text, t.allowed_keys, t.max_payload_bytes
		FROM fanfare.settings AS s
		LEFT JOIN fanfare.taxonomy AS t ON true
		ORDER BY t.action COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("read the taxonomy: %w", err)
	}
	var (
		r          reader
		compiler   schemas
		entries    = map[string]*entry{}
		secretKeys []string
	)
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		e, schema, most := &entry{}, zeronull.Text(""), zeronull.Int4(0)
		text := func(at *string) *zeronull.Text { return (*zeronull.Text)(at) } // null where there is no action at all
		err := row.Scan(
			&secretKeys,
			text(&e.Name),
			text(&e.Description),
			text(&e.Category),
			text((*string)(&e.Severity)),
			text((*string)(&e.Visibility)),
			text(&e.Title),
			text(&e.Summary),
			text(&e.Icon),
			&schema,
			&e.Keep,
			&most,
		)
		if err != nil || e.Name == "" {
			return struct{}{}, err
		}
		e.MaxPayloadBytes = int(most)
		r.loaded(e, []byte(schema), &compiler)
		entries[e.Name] = e
		return struct{}{}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the taxonomy: %w", err)
	}
	if err := r.err(); err != nil {
		return nil, fmt.Errorf("read the taxonomy: %w", err)
	}
	slices.Sort(secretKeys)
	return newTaxonomy(entries, secretKeys), nil
}

// loaded makes a row an entry.
func (r *reader) loaded(e *entry, schema json.RawMessage, compiler *schemas) {
	r.action = e.Name
	defer func() { r.action = "" }()
	for field, text := range map[string]string{"title": e.Title, "summary": e.Summary} {
		if _, err := activity.ParsePhrase(text); err != nil {
			r.refuse(0, field, "", "is not a phrase: "+err.Error())
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
	for _, w := range e.compile(compiler, value) {
		r.refuse(0, "payload", w.value, w.rule)
	}
}
