package fanout

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
)

// audience is how many channels one message of a wide audience goes to: about what Centrifugo
// handles best.
const audience = 1000

// Step tells the next part of a wide audience, by principal id. The shared channels go with the
// first part.
func (f *Fanout) Step(ctx context.Context, tx pgx.Tx, job outbox.Job) (outbox.Step, error) {
	query := watchers.Query{After: job.LastPrincipalID, Limit: f.opts.Step, Rows: f.opts.Step}
	ask(&query, &job.Activity)
	answer, err := watchers.Resolve(ctx, tx, &query)
	if err != nil {
		return outbox.Step{}, err
	}
	candidates := answer.Candidates[0]
	step := outbox.Step{LastPrincipalID: job.LastPrincipalID, Done: len(candidates) < f.opts.Step}
	if len(candidates) > 0 {
		step.LastPrincipalID = candidates[len(candidates)-1].PrincipalID
	}
	d, err := f.decideStep(&job, candidates, answer)
	if err != nil {
		return outbox.Step{}, err
	}
	results, err := f.send(ctx, tx, d)
	if err != nil {
		return outbox.Step{}, err
	}
	for _, result := range results {
		o, err := f.outcome(result)
		if err = cmp.Or(err, o.Err); err != nil {
			return outbox.Step{}, err
		}
	}
	step.Notified = d.report.Width[0]
	if f.opts.Observer != nil {
		f.opts.Observer.Observe(d.report)
	}
	return step, nil
}

func (f *Fanout) decideStep(
	job *outbox.Job,
	candidates []watchers.Candidate,
	answer watchers.Answer,
) (*decision, error) {
	d := &decision{}
	var channels []string
	if job.LastPrincipalID == uuid.Nil {
		var err error
		if channels, err = shared(&job.Activity, f.channels, f.opts.Stream); err != nil {
			return nil, err
		}
		d.report.Activities = 1
	}
	told, dropped := decide(&job.Activity, candidates, f.filter.Batch())
	f.note(d, &job.Activity, told, dropped)
	channels = personal(channels, &job.Activity, told, f.channels)
	f.split(d, &job.Activity, answer, channels)
	return d, nil
}

// split makes one message of about a thousand channels after the other.
func (f *Fanout) split(d *decision, a *activity.Activity, answer watchers.Answer, channels []string) {
	if len(channels) == 0 {
		return
	}
	message := f.render(a, answer, nil)
	for part := range slices.Chunk(channels, audience) {
		d.broadcasts = append(
			d.broadcasts,
			centrifugo.Broadcast{Channels: part, Data: message.Data, IdempotencyKey: message.IdempotencyKey},
		)
	}
	d.report.Publications = len(channels)
}
