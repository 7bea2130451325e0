package fanout

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
)

// maxChannels is the maximum number of channels of a broadcast of a fan-out job. Centrifugo
// broadcasts most efficiently to about a thousand.
const maxChannels = 1000

// A short step has a fiftieth of the candidates of a step: 100 with the default of Options.Step.
// Its broadcasts have few channels each, since Centrifugo works on all channels of a broadcast at
// the same time, and others' publications wait.
const (
	shortStep     = 50
	shortChannels = 50
)

// Step implements outbox.Handler. It delivers the activity of a fan-out job to the next candidates,
// ordered by principal id. The first step also publishes on the shared channels.
func (f *Fanout) Step(ctx context.Context, tx pgx.Tx, job outbox.Job) (outbox.Step, error) {
	limit := f.opts.Step
	if job.Short {
		limit = max(limit/shortStep, 1)
	}
	query := watchers.Query{After: job.LastPrincipalID, Limit: limit, MaxRows: limit, Paged: true}
	subject := query.Add(&job.Activity)
	resolved, err := watchers.Resolve(ctx, tx, &query)
	if err != nil {
		return outbox.Step{}, err
	}
	candidates := resolved.Candidates[subject]
	step := outbox.Step{LastPrincipalID: job.LastPrincipalID, Done: len(candidates) < limit}
	if len(candidates) > 0 {
		step.LastPrincipalID = candidates[len(candidates)-1].PrincipalID
	}
	d, err := f.decideStep(&job, candidates, resolved)
	if err != nil {
		return outbox.Step{}, err
	}
	results, err := f.send(ctx, tx, d)
	if err != nil {
		return outbox.Step{}, err
	}
	failed := map[string]bool{}
	var reason error
	for _, result := range results {
		o, err := f.outcome(result)
		if o.Err != nil {
			return outbox.Step{}, o.Err
		}
		reason = cmp.Or(reason, err)
		for _, channel := range result.Failed {
			failed[channel] = true
		}
	}
	if reason != nil {
		last, ok := f.reached(&job, candidates, failed)
		if !ok {
			return outbox.Step{}, reason
		}
		step.LastPrincipalID, step.Done = last, false
	}
	step.Notified = d.report.Recipients[0]
	f.observe(d)
	return step, nil
}

// reached returns the last candidate before the first one whose channel failed: up to there,
// Centrifugo has answered. It reports false if that is none, or if a shared channel failed.
func (f *Fanout) reached(
	job *outbox.Job,
	candidates []watchers.Candidate,
	failed map[string]bool,
) (last uuid.UUID, ok bool) {
	personal := 0
	for i, c := range candidates {
		channel := f.channels.User(activity.Principal{TenantID: job.TenantID, PrincipalID: c.PrincipalID})
		if !failed[channel] {
			continue
		}
		if personal++; personal == 1 && i > 0 {
			last, ok = candidates[i-1].PrincipalID, true
		}
	}
	return last, ok && personal == len(failed)
}

func (f *Fanout) decideStep(
	job *outbox.Job,
	candidates []watchers.Candidate,
	resolved watchers.Result,
) (*delivery, error) {
	d := &delivery{}
	var channels []string
	if job.LastPrincipalID == uuid.Nil {
		var err error
		if channels, err = SharedChannels(&job.Activity, f.channels, f.opts.Stream); err != nil {
			return nil, err
		}
		d.report.Activities, d.report.TooDeep = 1, len(resolved.TooDeep)
	}
	recipients, dropped := selectRecipients(&job.Activity, candidates, resolved.Tenants[job.TenantID], f.filter.Batch())
	f.notify(d, &job.Activity, recipients, dropped)
	channels = intersect(appendPersonal(channels, &job.Activity, recipients, f.channels), job.Channels)
	f.split(d, job, resolved, channels)
	return d, nil
}

// split adds broadcasts of a part of the channels each to a delivery. Those of a short step are
// sent one after the other.
func (f *Fanout) split(d *delivery, job *outbox.Job, resolved watchers.Result, channels []string) {
	if len(channels) == 0 {
		return
	}
	message, size := f.render(&job.Activity, resolved, nil), maxChannels
	if job.Short {
		message.Order, size = job.ID, shortChannels
	}
	for chunk := range slices.Chunk(channels, size) {
		broadcast := message
		broadcast.Channels = chunk
		d.broadcasts = append(d.broadcasts, broadcast)
	}
	d.report.Publications = len(channels)
}
