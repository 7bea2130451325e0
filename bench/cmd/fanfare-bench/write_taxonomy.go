package main

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/outbox"
)

// siteTaxonomy registers the action that the site records.
const siteTaxonomy = `
version: 1
actions:
  signal.created:
    description: A signal was registered.
    category: research
    title: Signal created
    summary: "{actor} created {resource}"
    payload:
      type: object
      required: [signal_type, title, score]
      properties:
        signal_type: {type: string, enum: [momentum, value, carry]}
        title: {type: string, minLength: 1, maxLength: 200}
        score: {type: number, minimum: 0, maximum: 1}
        tags: {type: array, items: {type: string}, maxItems: 20}
`

// enforce registers the action and enforces it strictly: its whole schema in Go, the rules for all
// writers in the database.
func (s *site) enforce(ctx context.Context) error {
	t, err := taxonomy.Parse(strings.NewReader(siteTaxonomy))
	if err != nil {
		return err
	}
	if _, err := taxonomy.Apply(ctx, s.db.Pool, t, taxonomy.ApplyOptions{}); err != nil {
		return err
	}
	if err := taxonomy.SetMode(ctx, s.db.Pool, uuid.Nil, taxonomy.Strict); err != nil {
		return err
	}
	applied, err := taxonomy.Load(ctx, s.db.Pool)
	if err != nil {
		return err
	}
	s.recorder = outbox.Recorder{Hooks: activity.Hooks{Before: []activity.BeforeAppend{applied.Check(taxonomy.Strict)}}}
	s.checks = "strict: the payload's schema in Go; registered actions, required keys and sizes in the database"
	return nil
}
