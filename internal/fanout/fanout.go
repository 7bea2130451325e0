// Package fanout delivers activities: it finds out who watches, decides who may see and who wants
// to, writes their inboxes, and publishes. It is the outbox's Handler.
//
// One batch is one statement to resolve, pure decisions, and one statement of inbox rows that runs
// while the publications are under way. What is published before a crash is published again after
// it, under the same idempotency key; inbox rows commit with the removal from the outbox.
package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// Publisher sends messages; *centrifugo.Client does.
type Publisher interface {
	Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result
}

// Options of a Fanout. The zero value works.
type Options struct {
	Stream   bool                 // every activity but the private ones also goes to its tenant's activity stream
	NoInbox  bool                 // no notifications are kept
	Wide     int                  // from so many watchers on an activity is told in steps beside the lanes; default 5,000
	Step     int                  // watchers told in one such step; default 5,000
	MaxRows  int                  // watchers resolved at once; a batch with more is delivered in parts; default 50,000
	Phrases  *activity.Phrasebook // what events say; nil leaves it to the actions' names
	Observer Observer
}

// Report tells an Observer of one batch or step that was decided on.
type Report struct {
	Activities   int
	Warned       int   // activities that break the taxonomy, where that is only noted
	Width        []int // for each activity, how many watchers are told
	Publications int   // channels published to
	Inbox        int   // inbox rows
	Dropped      Dropped
}

// Observer is told of every batch, by many goroutines at once. It must not block.
type Observer interface {
	Observe(r Report)
}

// Fanout is an outbox.Handler.
type Fanout struct {
	publisher Publisher
	channels  Channels
	filter    *preferences.Filter
	opts      Options
}

// New makes a Fanout.
func New(publisher Publisher, channels Channels, filter *preferences.Filter, opts Options) *Fanout {
	if opts.Wide <= 0 {
		opts.Wide = 5000
	}
	if opts.Step <= 0 {
		opts.Step = 5000
	}
	if opts.MaxRows <= 0 {
		opts.MaxRows = 50000
	}
	opts.MaxRows = max(opts.MaxRows, opts.Wide+1)
	return &Fanout{publisher: publisher, channels: channels, filter: filter, opts: opts}
}

// Handle delivers a batch, or the first part of it that does not have too many watchers to hold in
// memory.
func (f *Fanout) Handle(ctx context.Context, tx pgx.Tx, batch []outbox.Item) ([]outbox.Outcome, error) {
	var (
		subject []int
		answer  watchers.Answer
		err     error
	)
	for {
		if subject, answer, err = f.resolve(ctx, tx, batch); err != nil {
			return nil, err
		}
		if !answer.Truncated || len(batch) == 1 {
			break
		}
		batch = batch[:(len(batch)+1)/2]
	}
	d := f.decideBatch(batch, subject, answer)
	results, err := f.send(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	for i, result := range results {
		if d.outcomes[d.sent[i]], err = f.outcome(result); err != nil {
			return nil, err
		}
	}
	if f.opts.Observer != nil {
		f.opts.Observer.Observe(d.report)
	}
	return d.outcomes, nil
}

// resolve asks for everyone that any activity of the batch concerns; subject[i] is where the answer
// has item i's candidates.
func (f *Fanout) resolve(
	ctx context.Context,
	tx pgx.Tx,
	batch []outbox.Item,
) (subject []int, answer watchers.Answer, err error) {
	query := watchers.Query{Limit: f.opts.Wide + 1, Rows: f.opts.MaxRows}
	subject = make([]int, len(batch))
	for i := range batch {
		subject[i] = ask(&query, &batch[i].Activity)
	}
	answer, err = watchers.Resolve(ctx, tx, &query)
	return subject, answer, err
}

func ask(query *watchers.Query, a *activity.Activity) int {
	return query.Ask(
		watchers.Subject{TenantID: a.TenantID, ResourceID: a.ResourceID, OwnerID: a.OwnerID, ParentID: a.ParentID},
		rolesFor(a.Visibility),
		a.TargetPrincipalID,
		a.ActorPrincipalID,
	)
}

// decision is what is to be done for a batch.
type decision struct {
	outcomes   []outbox.Outcome
	broadcasts []centrifugo.Broadcast
	sent       []int // broadcast i is item sent[i]'s
	inbox      inbox.Rows
	report     Report
}

func (f *Fanout) decideBatch(batch []outbox.Item, subject []int, answer watchers.Answer) *decision {
	d := &decision{outcomes: make([]outbox.Outcome, len(batch)), report: Report{Activities: len(batch)}}
	filter := f.filter.Batch()
	wide := map[uuid.UUID]bool{} // resources whose later activities wait for a fan-out job
	for i := range batch {
		item := &batch[i]
		candidates := answer.Candidates[subject[i]]
		switch {
		case wide[item.ResourceID]:
			d.outcomes[i].Verdict = outbox.Blocked
			continue
		case len(candidates) > f.opts.Wide:
			wide[item.ResourceID] = true
			d.outcomes[i].Verdict = outbox.FanOutJob
			continue
		}
		channels, err := shared(&item.Activity, f.channels, f.opts.Stream)
		if err != nil {
			d.outcomes[i] = outbox.Outcome{Verdict: outbox.DeadLettered, Err: err}
			continue
		}
		told, dropped := decide(&item.Activity, candidates, filter)
		if item.Warning != "" {
			d.report.Warned++
		}
		f.note(d, &item.Activity, told, dropped)
		channels = only(personal(channels, &item.Activity, told, f.channels), item.Channels)
		if len(channels) == 0 {
			continue
		}
		broadcast := f.render(&item.Activity, answer, channels)
		broadcast.Order = item.ResourceID
		d.broadcasts, d.sent = append(d.broadcasts, broadcast), append(d.sent, i)
		d.report.Publications += len(channels)
	}
	return d
}

func (f *Fanout) note(d *decision, a *activity.Activity, told []Told, dropped Dropped) {
	d.report.Width = append(d.report.Width, len(told))
	d.report.Dropped.add(dropped)
	if f.opts.NoInbox {
		return
	}
	for _, t := range told {
		d.inbox.Add(a.TenantID, t.PrincipalID, a.ID, t.Reasons)
	}
	d.report.Inbox = d.inbox.Len()
}

// render makes the message, the same for everyone.
func (f *Fanout) render(a *activity.Activity, answer watchers.Answer, channels []string) centrifugo.Broadcast {
	actor := answer.Actors[watchers.Principal{TenantID: a.TenantID, PrincipalID: a.ActorPrincipalID}]
	event := f.opts.Phrases.Event(a, actor.Kind, actor.DisplayName)
	data := event.AppendJSON(make([]byte, 0, 1024+len(a.Payload)))
	return centrifugo.Broadcast{Channels: channels, Data: data, IdempotencyKey: a.ID.String()}
}

// send publishes, and writes the inbox meanwhile.
func (f *Fanout) send(ctx context.Context, tx pgx.Tx, d *decision) ([]centrifugo.Result, error) {
	if len(d.broadcasts) == 0 {
		return nil, d.inbox.Write(ctx, tx)
	}
	results := make(chan []centrifugo.Result, 1)
	go func() { results <- f.publisher.Publish(ctx, d.broadcasts) }()
	err := d.inbox.Write(ctx, tx)
	return <-results, err
}

// codeUnknownChannel is Centrifugo's "unknown channel": there is no such namespace
// (https://centrifugal.dev/docs/server/codes).
const codeUnknownChannel = 102

// outcome reads a publication's result. A server that is away is no activity's fault and fails the
// batch; so is one that lacks a namespace that every activity needs. A namespace that only this
// activity's writer named is the activity's own fault.
func (f *Fanout) outcome(r centrifugo.Result) (outbox.Outcome, error) {
	if r.Err == nil {
		return outbox.Outcome{}, nil
	}
	var failed *centrifugo.Error
	if !errors.As(r.Err, &failed) {
		return outbox.Outcome{}, fmt.Errorf("publish: %w", r.Err)
	}
	ours := failed.Code == codeUnknownChannel && slices.ContainsFunc(r.Failed, f.channels.Own)
	switch {
	case failed.Class == centrifugo.Permanent && !ours:
		return outbox.Outcome{Verdict: outbox.DeadLettered, Err: r.Err, Channels: r.Failed}, nil
	case failed.Class == centrifugo.Transient:
		return outbox.Outcome{Verdict: outbox.Retry, Err: r.Err, Channels: r.Failed}, nil
	default:
		return outbox.Outcome{}, fmt.Errorf("publish: %w: %w", outbox.ErrUnavailable, r.Err)
	}
}
