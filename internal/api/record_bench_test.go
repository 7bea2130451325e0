package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
)

// BenchmarkRecord records 1,000 envelopes a time with outbox.RecordMany, and with a request.
func BenchmarkRecord(b *testing.B) {
	w := newWorld(b, nil)
	envelopes := make([]activity.Envelope, 1000)
	for i := range envelopes {
		envelopes[i] = activity.Envelope{
			TenantID: w.here.id, ActorPrincipalID: w.here.member, ResourceID: uuid.New(), ResourceType: "order",
			Action: "order.placed", Payload: map[string]any{
				"title": "Momentum 12", "total": "49.90", "tags": []string{"equity", "daily"}, "version": 17,
				"note": "rebalanced after the review of the second quarter",
			},
		}
	}
	body, err := json.Marshal(map[string]any{"activities": envelopes})
	if err != nil {
		b.Fatal(err)
	}
	c := w.here.as(w.here.member, identity.ScopeWrite)
	report := func(b *testing.B) {
		b.ReportMetric(float64(len(envelopes)*b.N)/b.Elapsed().Seconds(), "activities/s")
	}
	b.Run("RecordMany", func(b *testing.B) {
		for b.Loop() {
			err := pgx.BeginFunc(b.Context(), w.db.Pool, func(tx pgx.Tx) error {
				_, err := outbox.RecordMany(b.Context(), tx, envelopes)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		report(b)
	})
	b.Run("POST", func(b *testing.B) {
		for b.Loop() {
			c.do("POST", "/v1/activities", string(body)).want(http.StatusAccepted)
		}
		report(b)
	})
}
