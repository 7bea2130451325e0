package activity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// The pauses of a BestEffort after a failure that may pass: the first, and the longest that they
// double to.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// Run records what is handed over until ctx ends, and then, for at most the grace, what still
// waits. It runs once; what is handed over afterwards is dropped. It returns nil.
//
// A batch that fails is sent again in parts, so that an envelope that is refused takes none with
// it. A failure that may pass is tried again, the oldest envelope for RetryFor at most; meanwhile
// the others wait, as long as there is room.
func (b *BestEffort) Run(ctx context.Context) error {
	// What is under way when ctx ends goes on until the grace is over.
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		timer := time.NewTimer(b.options.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-working.Done():
		}
	})()
	d := drain{BestEffort: b, size: b.options.Batch}
	defer d.report(true)
	defer b.abandon()
	for working.Err() == nil {
		envelopes := b.first(d.size)
		if len(envelopes) > 0 {
			d.append(ctx, working, envelopes)
			d.report(false)
			continue
		}
		if ctx.Err() != nil && b.closeEmpty() {
			return nil
		}
		select {
		case <-b.wake:
		case <-ctx.Done():
		case <-d.reportDue():
		}
		d.report(false)
	}
	return nil
}

// drain is what Run keeps in mind.
type drain struct {
	*BestEffort
	size    int           // of the next batch
	failing time.Time     // since when the oldest envelope fails for a passing reason; zero when it does not
	pause   time.Duration // the last one

	lastError  error
	reported   Drops
	reportedAt time.Time
}

// append sends one batch, and settles what that decides.
func (d *drain) append(ctx, working context.Context, envelopes []Envelope) {
	recorded, err := d.try(working, envelopes)
	if err == nil {
		d.failing, d.pause = time.Time{}, 0
		d.size = min(2*d.size, d.options.Batch)
		d.remove(len(envelopes), func(s *BestEffortStats) {
			for _, r := range recorded {
				if r.Created {
					s.Recorded++
				} else {
					s.Stood++
				}
			}
		})
		return
	}
	d.lastError = err
	passing := passes(err)
	switch {
	case working.Err() != nil:
		return // the grace is over
	case len(envelopes) > 1:
		d.size = (len(envelopes) + 1) / 2
		if !passing {
			return
		}
	case !passing || !d.failing.IsZero() && time.Since(d.failing) >= d.options.RetryFor:
		d.failing, d.pause = time.Time{}, 0
		d.size = min(2*d.size, d.options.Batch)
		d.remove(1, func(s *BestEffortStats) { *reasonOf(err, &s.Dropped)++ })
		return
	}
	if d.failing.IsZero() {
		d.failing = time.Now()
	}
	d.wait(ctx, working)
}

// try appends within the timeout. A panic, such as a hook's, is an error that does not pass.
func (d *drain) try(working context.Context, envelopes []Envelope) (recorded []Recorded, err error) {
	bounded, cancel := context.WithTimeout(working, d.options.Timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicked{cause}
		}
	}()
	return d.to.Append(bounded, envelopes...)
}

type panicked struct{ cause any }

func (p *panicked) Error() string { return fmt.Sprintf("recording panicked: %v", p.cause) }

// wait pauses, twice as long each time. When ctx ends, it waits no longer than the first pause.
func (d *drain) wait(ctx, working context.Context) {
	d.pause = min(max(2*d.pause, firstPause), longestPause)
	told := ctx.Done()
	if ctx.Err() != nil {
		d.pause, told = firstPause, nil
	}
	timer := time.NewTimer(d.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-told:
	case <-working.Done():
	}
}

// passes reports whether the same envelope may be recorded later: after an error that is neither a
// refusal nor a panic, unless the server rejects the statement.
func passes(err error) bool {
	var (
		invalidErr *invalid.Error
		veto       *VetoError
		broken     *panicked
		server     *pgconn.PgError
	)
	switch {
	case errors.As(err, &invalidErr) || errors.As(err, &veto) || errors.As(err, &broken):
		return false
	case errors.As(err, &server):
		return pg.Unavailable(err)
	}
	return true
}

func reasonOf(err error, d *Drops) *uint64 {
	var (
		invalidErr *invalid.Error
		veto       *VetoError
	)
	switch {
	case errors.As(err, &invalidErr):
		return &d.Invalid
	case errors.As(err, &veto):
		return &d.Vetoed
	}
	return &d.Failed
}

// reportDue returns what brings a moment at which there is something to report, nil if there is
// nothing.
func (d *drain) reportDue() <-chan time.Time {
	if d.options.Report == nil || d.Stats().Dropped == d.reported {
		return nil
	}
	return time.After(time.Until(d.reportedAt.Add(d.options.ReportEvery)))
}

// report tells of what was dropped since it last did, unless that was a moment ago and this is not
// the end.
func (d *drain) report(end bool) {
	if d.options.Report == nil || !end && !d.reportedAt.IsZero() && time.Since(d.reportedAt) < d.options.ReportEvery {
		return
	}
	dropped := d.Stats().Dropped
	if fresh := dropped.since(d.reported); fresh.Total() > 0 {
		d.reported, d.reportedAt = dropped, time.Now()
		if why := d.takeInvalid(); why != nil && d.lastError == nil {
			d.lastError = why
		}
		d.options.Report(fresh, d.lastError)
		d.lastError = nil
	}
}
