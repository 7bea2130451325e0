package export

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzip"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// The bounds of a step.
const (
	maxStepBytes      = 1 << 20        // of encoded text; the last activity may exceed it
	maxStepActivities = pglog.WalkStep // read
	minStepActivities = 16             // read, however large activities are
	stepTimeout       = 30 * time.Second
)

// Export selects activities and the form of their output. Tenant and Encoder.Format are required.
type Export struct {
	Tenant      uuid.UUID
	Filter      activity.Filter
	NewestFirst bool // default oldest first
	Encoder     Encoder
	Gzip        bool

	StepTimeout time.Duration  // for reading one step from the database; default 30 s
	Progress    func(Progress) // called after each step; may be nil
}

// Progress describes how far an export has come.
type Progress struct {
	Activities int64         // written
	Bytes      int64         // of text written, before compression
	At         time.Time     // when the last written activity was recorded; zero before the first
	Part       float64       // of the period that the export covers, 0 to 1
	Took       time.Duration // since the beginning
}

// InterruptedError reports that the output is incomplete.
type InterruptedError struct {
	Written int64 // activities that were written completely
	Cause   error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("export interrupted after %d activities: %v", e.Written, e.Cause)
}

func (e *InterruptedError) Unwrap() error { return e.Cause }

// Write writes the export to w, with one call per step, or several if it is compressed. It ends at
// the activity that is the newest when it begins. An error that is not about the filter or the
// format is an *InterruptedError; then the output ends early, without the trailer of gzip.
func (e Export) Write(ctx context.Context, log *pglog.Log, w io.Writer) (Progress, error) {
	if _, err := ParseFormat(string(e.Encoder.Format)); err != nil {
		return Progress{}, err
	}
	walk, err := log.Walk(e.Tenant, e.Filter)
	if err != nil {
		return Progress{}, err
	}
	walk.OldestFirst = !e.NewestFirst
	out := w
	var zipped *gzip.Writer
	if e.Gzip {
		if zipped, err = gzip.NewWriterLevel(w, gzip.BestSpeed); err != nil {
			return Progress{}, err
		}
		out = zipped
	}
	wr := writer{Export: e, walk: walk, began: time.Now(), step: maxStepActivities / 10}
	err = wr.writeAll(ctx, out)
	if err == nil && zipped != nil {
		err = zipped.Close()
	}
	if err != nil {
		return wr.progress, &InterruptedError{Written: wr.progress.Activities, Cause: err}
	}
	return wr.progress, nil
}

// writer is the state of an export.
type writer struct {
	Export
	walk     *pglog.Walk
	began    time.Time
	step     int       // the number of activities that the next step reads
	first    time.Time // when the first written activity was recorded
	progress Progress
}

func (w *writer) writeAll(ctx context.Context, out io.Writer) error {
	buffer := w.Encoder.AppendHeading(nil)
	for more := true; more; {
		// A step that needs no waiting would not notice the end of ctx.
		if err := context.Cause(ctx); err != nil {
			return err
		}
		var (
			found int64
			last  time.Time
			err   error
		)
		if more, err = w.read(ctx, func(a *activity.Activity) bool {
			buffer = w.Encoder.Append(buffer, a)
			found, last = found+1, a.RecordedAt
			return len(buffer) >= maxStepBytes
		}); err != nil {
			return err
		}
		if len(buffer) > 0 {
			if _, err := out.Write(buffer); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		w.advance(found, int64(len(buffer)), last, more)
		buffer = buffer[:0]
	}
	return nil
}

func (w *writer) read(ctx context.Context, visit func(a *activity.Activity) bool) (more bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, cmp.Or(w.StepTimeout, stepTimeout))
	defer cancel()
	return w.walk.Step(bounded, w.step, visit)
}

// advance updates the progress and adapts the next step to the size of the activities.
func (w *writer) advance(found, size int64, last time.Time, more bool) {
	p := &w.progress
	p.Activities += found
	p.Bytes += size
	p.Took = time.Since(w.began)
	if found > 0 {
		p.At = last
		w.step = int(min(max(maxStepBytes*found/size, minStepActivities), maxStepActivities))
		if w.first.IsZero() {
			w.first = last
		}
	} else {
		w.step = maxStepActivities
	}
	p.Part = w.part(more)
	if w.Progress != nil {
		w.Progress(*p)
	}
}

// part returns the part of the period between the first and the last activity that is written.
func (w *writer) part(more bool) float64 {
	if !more {
		return 1
	}
	end := uuidv7.Time(w.walk.Before)
	if w.NewestFirst {
		end = w.Filter.Since
	}
	if span := end.Sub(w.first); !end.IsZero() && span != 0 {
		return min(max(float64(w.progress.At.Sub(w.first))/float64(span), 0), 1)
	}
	return 0
}
