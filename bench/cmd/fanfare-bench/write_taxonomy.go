package main

import "context"

// signalSchema is what the payload of signal.created must be.
const signalSchema = `{
	"type": "object",
	"required": ["signal_type", "title", "score"],
	"properties": {
		"signal_type": {"type": "string", "enum": ["momentum", "value", "carry"]},
		"title": {"type": "string", "minLength": 1, "maxLength": 200},
		"score": {"type": "number", "minimum": 0, "maximum": 1},
		"tags": {"type": "array", "items": {"type": "string"}, "maxItems": 20}
	}
}`

// enforce registers the action and refuses what breaks its rules.
func (s *site) enforce(ctx context.Context) error {
	if _, err := s.db.Pool.Exec(ctx, `
		INSERT INTO fanfare.taxonomy (action, description, category, title, summary, payload_schema, required_keys)
		VALUES ('signal.created', 'A signal was registered.', 'research', 'Signal created', '{actor} created {resource}', $1, '{signal_type,title,score}')`,
		signalSchema); err != nil {
		return err
	}
	s.checks = "strictly by the database: registered actions, required keys, sizes"
	return s.db.Exec(ctx, "UPDATE fanfare.settings SET enforcement = 'strict'")
}
