package fanout

import (
	"cmp"
	"context"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/guard"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// Options of a Fanout. The zero value works.
type Options struct {
	Stream   bool            // publish every activity that is not private to the stream of its tenant, too
	NoInbox  bool            // write no inbox rows
	Wide     int             // maximum number of candidates of an activity without a fan-out job; default 5,000
	Step     int             // maximum number of candidates of a step of a fan-out job; default 5,000
	MaxRows  int             // maximum number of candidates in memory; a larger batch is split; default 50,000
	Catalog  *render.Catalog // renders the events; nil renders the defaults
	Observer Observer        // nil disables reports
	Logger   *zap.Logger     // default none
}

// Report describes a batch or a step after its delivery.
type Report struct {
	Activities   int
	Violations   int   // activities that violate the taxonomy, recorded in warn mode
	Recipients   []int // number of recipients of each activity
	Publications int   // channels published to
	InboxRows    int
	Dropped      Dropped
	TooDeep      int // activities whose resource has more than directory.MaxDepth ancestors
}

// Observer receives reports. It is called by several goroutines at once and must not block.
type Observer interface {
	Observe(r Report)
}

// Fanout is an outbox.Handler. It is safe for concurrent use.
type Fanout struct {
	publisher Publisher
	channels  Channels
	filter    *preferences.Filter
	opts      Options

	observer  guard.Guard
	unwritten atomic.Int64 // Unix nanoseconds of the latest failure to write inbox rows
}

// New returns a Fanout that publishes to the publisher, on channels with these names, and drops
// candidates by the filter.
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
	return &Fanout{
		publisher: publisher, channels: channels, filter: filter, opts: opts,
		observer: guard.Guard{Log: opts.Logger, Name: "observer of the fan-out"},
	}
}

// Handle implements outbox.Handler. It delivers the longest prefix of the batch, by halving, whose
// candidates do not exceed Options.MaxRows.
func (f *Fanout) Handle(ctx context.Context, tx pgx.Tx, batch []outbox.Item) ([]outbox.Outcome, error) {
	var (
		subjects []int
		resolved watchers.Result
		err      error
	)
	for {
		if subjects, resolved, err = f.resolve(ctx, tx, batch); err != nil {
			return nil, err
		}
		if !resolved.Truncated || len(batch) == 1 {
			break
		}
		batch = batch[:(len(batch)+1)/2]
	}
	d := f.decideBatch(batch, subjects, resolved)
	results, err := f.send(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	if err := f.judge(batch, d, results); err != nil {
		return nil, err
	}
	f.observe(d)
	return d.outcomes, nil
}

// judge sets the outcomes of the published items. Those that Centrifugo did not answer for stay
// pending, and the later ones of their resources with them. It returns an error if Centrifugo
// answered for none.
func (f *Fanout) judge(batch []outbox.Item, d *delivery, results []centrifugo.Result) error {
	answered := len(results) == 0
	var unavailable error
	for i, result := range results {
		o, err := f.outcome(result)
		if err != nil {
			o, unavailable = outbox.Outcome{Verdict: outbox.Pending, Err: err}, cmp.Or(unavailable, err)
		} else {
			answered = true
		}
		d.outcomes[d.items[i]] = o
	}
	if unavailable == nil {
		return nil
	}
	if !answered {
		return unavailable
	}
	waiting := map[uuid.UUID]bool{}
	for i := range d.outcomes {
		resource := batch[i].ResourceID
		if waiting[resource] {
			d.outcomes[i] = outbox.Outcome{Verdict: outbox.Pending, Err: unavailable}
		}
		waiting[resource] = waiting[resource] || d.outcomes[i].Verdict == outbox.Pending
	}
	return nil
}

func (f *Fanout) observe(d *delivery) {
	if f.opts.Observer != nil {
		f.observer.Call(func() { f.opts.Observer.Observe(d.report) })
	}
}

// resolve resolves the candidates of a batch. subjects[i] is the index of item i in the result.
func (f *Fanout) resolve(
	ctx context.Context,
	tx pgx.Tx,
	batch []outbox.Item,
) (subjects []int, resolved watchers.Result, err error) {
	query := watchers.Query{Limit: f.opts.Wide + 1, MaxRows: f.opts.MaxRows}
	subjects = make([]int, len(batch))
	for i := range batch {
		subjects[i] = query.Add(&batch[i].Activity)
	}
	resolved, err = watchers.Resolve(ctx, tx, &query)
	return subjects, resolved, err
}

// delivery is the outcomes, publications and inbox rows of a batch or a step.
type delivery struct {
	outcomes   []outbox.Outcome
	broadcasts []centrifugo.Broadcast
	items      []int // broadcast i delivers item items[i]
	inbox      inbox.Rows
	report     Report
}

func (f *Fanout) decideBatch(batch []outbox.Item, subjects []int, resolved watchers.Result) *delivery {
	d := &delivery{outcomes: make([]outbox.Outcome, len(batch)), report: Report{Activities: len(batch)}}
	filter := f.filter.Batch()
	wide := map[uuid.UUID]bool{} // resources whose later activities wait for a fan-out job
	for i := range batch {
		item := &batch[i]
		candidates := resolved.Candidates[subjects[i]]
		switch {
		case wide[item.ResourceID]:
			d.outcomes[i].Verdict = outbox.Blocked
			continue
		case len(candidates) > f.opts.Wide || resolved.Cut[subjects[i]]:
			wide[item.ResourceID] = true
			d.outcomes[i].Verdict = outbox.FanOutJob
			continue
		}
		channels, err := SharedChannels(&item.Activity, f.channels, f.opts.Stream)
		if err != nil {
			d.outcomes[i] = outbox.Outcome{Verdict: outbox.DeadLettered, Err: err}
			continue
		}
		recipients, dropped := selectRecipients(&item.Activity, candidates, resolved.Tenants[item.TenantID], filter)
		if item.Warning != "" {
			d.report.Violations++
		}
		if resolved.TooDeep[subjects[i]] {
			d.report.TooDeep++
		}
		f.notify(d, &item.Activity, recipients, dropped)
		channels = intersect(appendPersonal(channels, &item.Activity, recipients, f.channels), item.Channels)
		if len(channels) == 0 {
			continue
		}
		broadcast := f.render(&item.Activity, resolved, channels)
		broadcast.Order = item.ResourceID
		d.broadcasts, d.items = append(d.broadcasts, broadcast), append(d.items, i)
		d.report.Publications += len(channels)
	}
	return d
}

// notify adds the inbox rows of the recipients to a delivery.
func (f *Fanout) notify(d *delivery, a *activity.Activity, recipients []Recipient, dropped Dropped) {
	d.report.Recipients = append(d.report.Recipients, len(recipients))
	d.report.Dropped.add(dropped)
	if f.opts.NoInbox {
		return
	}
	for _, r := range recipients {
		d.inbox.Add(a, r.PrincipalID, r.Reasons, r.GroupID)
	}
	d.report.InboxRows = d.inbox.Len()
}

// render returns the message of an activity, which is the same on every channel.
func (f *Fanout) render(a *activity.Activity, resolved watchers.Result, channels []string) centrifugo.Broadcast {
	actor := resolved.Actors[a.Actor()]
	event := f.opts.Catalog.Event(a, actor)
	data := event.AppendJSON(make([]byte, 0, 1024+len(a.Payload)))
	return centrifugo.Broadcast{Channels: channels, Data: data, IdempotencyKey: a.ID.String()}
}
