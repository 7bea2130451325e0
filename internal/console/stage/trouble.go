package stage

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// The operator's troubles. Their activities leave the outbox in the transaction that records them,
// so that no worker has delivered them: a replay delivers them for the first time.
const (
	deadLettersSQL = `
		WITH removed AS (DELETE FROM fanfare.outbox WHERE activity_id = ANY($1) RETURNING *)
		INSERT INTO fanfare.dead_letters (
		    activity_id, lane, seq, tenant_id, resource_id, recorded_at, died_at, attempts, channels, error)
		SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at - interval '2 hours',
		       now() - make_interval(mins => (7 * row_number() OVER (ORDER BY seq))::int), 10, channels, $2
		FROM removed`

	// The first one of the resource waits for its next attempt, the others for the first one.
	parkedSQL = `
		WITH removed AS (DELETE FROM fanfare.outbox WHERE activity_id = ANY($1) RETURNING *)
		INSERT INTO fanfare.parked (
		    lane, seq, activity_id, tenant_id, resource_id, recorded_at, parked_at, attempts, retry_at, channels, error)
		SELECT lane, seq, activity_id, tenant_id, resource_id, recorded_at - interval '10 minutes',
		       now() - interval '9 minutes', CASE WHEN first THEN 4 ELSE 0 END,
		       CASE WHEN first THEN now() + interval '45 seconds' END, channels, CASE WHEN first THEN $2 ELSE '' END
		FROM (SELECT *, row_number() OVER (ORDER BY seq) = 1 AS first FROM removed) AS x`

	// Half of the crowd is notified.
	jobSQL = `
		WITH removed AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
		INSERT INTO fanfare.fan_out_jobs (
		    activity_id, lane, seq, tenant_id, resource_id, recorded_at, started_at, last_principal_id, notified,
		    channels, attempts, retry_at, error)
		SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, now() - interval '40 seconds', half.id,
		       half.n, channels, 2, now() + interval '45 seconds', $2
		FROM removed, LATERAL (
		    SELECT s.principal_id AS id, s.n
		    FROM (
		        SELECT principal_id, row_number() OVER (ORDER BY principal_id) AS n, count(*) OVER () AS total
		        FROM fanfare.subscriptions
		        WHERE tenant_id = removed.tenant_id AND resource_id = removed.resource_id AND revoked_at IS NULL
		    ) AS s
		    WHERE s.n = greatest(s.total / 2, 1)
		) AS half`
)

// causes are the errors of dead letters, with the number of letters.
var causes = []struct {
	on, action, err string
	n               int
}{
	{"webhook", "job.failed", `publish to user:…: Centrifugo refused: 107: bad request`, 6},
	{
		"mirror", "export.completed",
		`resolve the audience: canceling statement due to statement timeout (SQLSTATE 57014)`, 4,
	},
	{"webhook", "resource.updated", `render the summary: <script>globalThis.__owned='error'</script> is no field`, 2},
}

// addTrouble adds dead letters with several errors, a blocked resource, and a fan-out job that
// waits.
func (s *Stage) addTrouble(ctx context.Context, w *World) error {
	for _, cause := range causes {
		var envelopes []Envelope
		for n := range cause.n {
			envelopes = append(envelopes, w.envelope("ci", cause.action, cause.on, map[string]any{
				"error": fmt.Sprintf("delivery %d timed out", n+1), "format": "csv", "rows": 1200 * n,
			}))
		}
		if err := s.recordUndelivered(ctx, w, envelopes, deadAge, deadLettersSQL, cause.err); err != nil {
			return err
		}
	}
	var envelopes []Envelope
	for n := range 3 {
		envelopes = append(envelopes, w.envelope("ci", "resource.updated", "bridge", map[string]any{
			"changed": []int{n},
		}))
	}
	if err := s.recordUndelivered(ctx, w, envelopes, parkedAge, parkedSQL,
		"publish to resource:…: Centrifugo: 100: internal server error"); err != nil {
		return err
	}
	if _, ok := w.Principals["crowd-1"]; !ok {
		return nil
	}
	return s.recordUndelivered(ctx, w, []Envelope{w.envelope("ada", "comment.created", "all-hands", map[string]any{
		"comment_id": uuid.New(), "body": "The office in Rotterdam opens on the 1st. Everybody is invited.",
	})}, jobAge, jobSQL, "publish: Centrifugo did not answer within 5s")
}

// The ages of the newest activities of each trouble. Those before it are each eventInterval older.
const (
	deadAge       = 2 * time.Hour
	parkedAge     = 10 * time.Minute
	jobAge        = 40 * time.Second
	eventInterval = 7 * time.Minute
)

// recordUndelivered records envelopes, the oldest first, and moves them from the outbox by a
// statement.
func (s *Stage) recordUndelivered(
	ctx context.Context, w *World, envelopes []Envelope, age time.Duration, move, cause string,
) error {
	for n, e := range envelopes {
		at := time.Now().Add(-age - time.Duration(len(envelopes)-1-n)*eventInterval)
		e["occurred_at"] = at.UTC().Format(time.RFC3339Nano)
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		ids, err := record(ctx, tx, envelopes, true)
		if err != nil {
			return err
		}
		w.Recorded += len(ids)
		if _, err := tx.Exec(ctx, `INSERT INTO stage.held SELECT $1, unnest($2::uuid[])`, w.TenantID, ids); err != nil {
			return err
		}
		if move == jobSQL {
			_, err = tx.Exec(ctx, move, ids[0], cause)
		} else {
			_, err = tx.Exec(ctx, move, ids, cause)
		}
		return err
	})
}

// holdInterval is less than the time to the next attempt of what is held.
const holdInterval = 10 * time.Second

// hold delays the next attempts of the parked activities and of the fan-out jobs of worlds until
// ctx ends. A worker takes an attempt in the distant future for an error of a clock.
func (s *Stage) hold(ctx context.Context) error {
	for wait.Sleep(ctx, holdInterval) == nil {
		if _, err := s.pool.Exec(ctx, `SELECT stage.hold()`); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// Release lets the worker deliver what the world's troubles hold.
func (s *Stage) Release(ctx context.Context, tenant uuid.UUID) error {
	_, err := s.pool.Exec(ctx, `SELECT stage.release($1)`, tenant)
	return err
}
