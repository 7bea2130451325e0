package besteffort

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// The back-off after a transient failure: the first pause, and the longest that it doubles to.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// Run records the queue until ctx ends, and then the remaining envelopes for Options.Grace at most.
// Envelopes that are handed over later are dropped. Run must be called once; it returns nil.
//
// A batch that fails is sent again in halves, so that a refused envelope is dropped alone. After a
// transient failure Run retries, for each envelope up to Options.RetryFor, while newer envelopes
// wait in the queue.
func (r *Recorder) Run(ctx context.Context) error {
	// An Append that is running when ctx ends continues until the end of the grace.
	grace, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		timer := time.NewTimer(r.options.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-grace.Done():
		}
	})()
	l := loop{Recorder: r, stop: ctx, grace: grace, batch: r.options.Batch}
	defer l.report(true)
	defer r.abandon()
	for grace.Err() == nil {
		envelopes := r.oldest(l.batch)
		if len(envelopes) > 0 {
			l.record(envelopes)
			l.report(false)
			continue
		}
		if ctx.Err() != nil && r.closeIfEmpty() {
			return nil
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
		case <-l.reportDue():
		}
		l.report(false)
	}
	return nil
}

// loop is the state of Run.
type loop struct {
	*Recorder
	stop  context.Context // ends when Run is to end
	grace context.Context // ends with the grace

	batch        int           // the size of the next batch
	failingSince time.Time     // when the oldest envelope first failed transiently; zero if it did not
	pause        time.Duration // the previous one

	lastError  error
	reported   Drops
	reportedAt time.Time
}

// record appends one batch and removes the envelopes whose outcome is final.
func (l *loop) record(envelopes []activity.Envelope) {
	recorded, err := l.append(envelopes)
	if err == nil {
		l.advance(len(envelopes), func(s *Stats) { s.count(recorded) })
		return
	}
	l.lastError = err
	retry := transient(err)
	switch {
	case l.grace.Err() != nil:
		return
	case len(envelopes) > 1:
		l.batch = (len(envelopes) + 1) / 2
		if !retry {
			return
		}
	case !retry || !l.failingSince.IsZero() && time.Since(l.failingSince) >= l.options.RetryFor:
		l.advance(1, func(s *Stats) { *s.Dropped.reason(err)++ })
		return
	}
	if l.failingSince.IsZero() {
		l.failingSince = time.Now()
	}
	l.backOff()
}

// advance removes the n oldest envelopes and resets the back-off.
func (l *loop) advance(n int, count func(*Stats)) {
	l.failingSince, l.pause = time.Time{}, 0
	l.batch = min(2*l.batch, l.options.Batch)
	l.remove(n, count)
}

func (s *Stats) count(recorded []activity.Recorded) {
	for i := range recorded {
		if recorded[i].Created {
			s.Recorded++
		} else {
			s.Duplicates++
		}
	}
}

// append appends within the timeout. A panic, of a hook for example, is returned as a permanent
// error.
func (l *loop) append(envelopes []activity.Envelope) (recorded []activity.Recorded, err error) {
	ctx, cancel := context.WithTimeout(l.grace, l.options.Timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicError{cause}
		}
	}()
	return l.log.Append(ctx, envelopes...)
}

// panicError is the error for a recovered panic.
type panicError struct{ cause any }

func (e *panicError) Error() string { return fmt.Sprintf("recording panicked: %v", e.cause) }

// backOff pauses, twice as long as the previous time. Once Run is to end, every pause is the first.
func (l *loop) backOff() {
	l.pause = min(max(2*l.pause, firstPause), longestPause)
	stopped := l.stop.Done()
	if l.stop.Err() != nil {
		l.pause, stopped = firstPause, nil
	}
	timer := time.NewTimer(l.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stopped:
	case <-l.grace.Done():
	}
}

// transient reports whether recording may succeed later. A refusal, a panic and an error of
// PostgreSQL about the statement are permanent.
func transient(err error) bool {
	if _, panicked := errors.AsType[*panicError](err); panicked || refused(err) {
		return false
	}
	if _, fromServer := errors.AsType[*pgconn.PgError](err); fromServer {
		return pg.Unavailable(err)
	}
	return true
}

func refused(err error) bool {
	_, isInvalid := errors.AsType[*invalid.Error](err)
	_, isVeto := errors.AsType[*activity.VetoError](err)
	return isInvalid || isVeto
}

// reason returns the counter for an error.
func (d *Drops) reason(err error) *uint64 {
	if _, ok := errors.AsType[*invalid.Error](err); ok {
		return &d.Invalid
	}
	if _, ok := errors.AsType[*activity.VetoError](err); ok {
		return &d.Vetoed
	}
	return &d.Failed
}

// reportDue returns a channel that receives when the next report is due, nil if there is nothing to
// report.
func (l *loop) reportDue() <-chan time.Time {
	if l.options.Report == nil || l.Stats().Dropped == l.reported {
		return nil
	}
	return time.After(time.Until(l.reportedAt.Add(l.options.ReportEvery)))
}

// report reports the drops since the previous report, at most every ReportEvery unless it is the
// last report.
func (l *loop) report(last bool) {
	if l.options.Report == nil ||
		!last && !l.reportedAt.IsZero() && time.Since(l.reportedAt) < l.options.ReportEvery {
		return
	}
	dropped := l.Stats().Dropped
	since := dropped.since(l.reported)
	if since.Total() == 0 {
		return
	}
	l.reported, l.reportedAt = dropped, time.Now()
	if err := l.takeEncodeError(); err != nil && l.lastError == nil {
		l.lastError = err
	}
	l.options.Report(since, l.lastError)
	l.lastError = nil
}
