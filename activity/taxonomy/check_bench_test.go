package taxonomy_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

// BenchmarkCheck checks an ordinary payload with a complete schema.
func BenchmarkCheck(b *testing.B) {
	parsed := parse(b, `
version: 1
actions:
  signal.created:
    description: A signal was created.
    category: research
    keep: [signal_type, score, run_id, tags, note]
    max_payload_bytes: 4096
    payload:
      type: object
      required: [signal_type, run_id]
      additionalProperties: false
      properties:
        signal_type: {enum: [momentum, value, carry]}
        score: {type: number, minimum: 0, maximum: 1}
        run_id: {type: string, format: uuid}
        tags: {type: array, maxItems: 10, items: {type: string, pattern: "^[a-z]+$"}}
        note: {type: string, maxLength: 500}
`)
	type payload struct {
		SignalType string    `json:"signal_type"`
		Score      float64   `json:"score"`
		RunID      uuid.UUID `json:"run_id"`
		Tags       []string  `json:"tags"`
		Note       string    `json:"note"`
	}
	given := activity.Envelope{
		TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
		Action:  "signal.created",
		Payload: payload{"momentum", 0.75, uuid.New(), []string{"equities", "daily"}, "from the nightly run"},
	}
	for _, mode := range []taxonomy.Mode{taxonomy.Strict, taxonomy.Off} {
		check := parsed.Check(mode)
		b.Run(string(mode), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e := given
				if err := check(b.Context(), &e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("strict, then encoding", func(b *testing.B) {
		check := parsed.Check(taxonomy.Strict)
		b.ReportAllocs()
		for b.Loop() {
			e := given
			if err := check(b.Context(), &e); err != nil {
				b.Fatal(err)
			}
			if _, err := e.Encode(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("without a check, encoding", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := given.Encode(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
