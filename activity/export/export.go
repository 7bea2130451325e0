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

// The bounds of a step. It ends at whichever it meets first.
const (
	stepBytes = 1 << 20          // of text, and at most one activity more
	stepMost  = pglog.WalkStep   // activities looked at
	stepLeast = 16               // and how few, where they are large
	stepTime  = 30 * time.Second // for reading it
)

// Export says what is wanted and how. Tenant and Encoder.Format are required.
type Export struct {
	Tenant      uuid.UUID
	Filter      activity.Filter
	NewestFirst bool // else the oldest come first
	Encoder     Encoder
	Gzip        bool

	StepTimeout time.Duration  // for reading one step from the database; default 30 s
	Progress    func(Progress) // told after each step; may be nil
}

// Progress is how far an export is.
type Progress struct {
	Activities int64         // written
	Bytes      int64         // of text written, before it is compressed
	At         time.Time     // when the last one was recorded; the zero time before the first
	Part       float64       // of the time that the export spans, 0 to 1
	Took       time.Duration // since the beginning
}

// InterruptedError says that what was written is not all.
type InterruptedError struct {
	Written int64 // activities that were handed on whole
	Cause   error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("export interrupted after %d activities: %v", e.Written, e.Cause)
}

func (e *InterruptedError) Unwrap() error { return e.Cause }

// Write writes the export to w, step by step, each with one call (more where it is compressed). It
// ends at the newest activity that there is at its beginning. Any error but that of a filter or a
// format is an *InterruptedError; then the end of the output, its gzip trailer too, is missing.
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
	writing := writing{Export: e, walk: walk, begun: time.Now(), step: stepMost / 10}
	if err := writing.all(ctx, out); err != nil {
		return writing.progress, &InterruptedError{Written: writing.progress.Activities, Cause: err}
	}
	if zipped != nil {
		if err := zipped.Close(); err != nil {
			return writing.progress, &InterruptedError{Written: writing.progress.Activities, Cause: err}
		}
	}
	return writing.progress, nil
}

// writing is an export under way.
type writing struct {
	Export
	walk     *pglog.Walk
	begun    time.Time
	step     int // activities to look at next
	first    time.Time
	progress Progress
}

func (w *writing) all(ctx context.Context, out io.Writer) error {
	buffer := w.Encoder.AppendHeading(nil)
	for more := true; more; {
		// What ended it is said, even where nothing was left to wait for.
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
			return len(buffer) >= stepBytes
		}); err != nil {
			return err
		}
		if len(buffer) > 0 {
			if _, err := out.Write(buffer); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		w.note(found, int64(len(buffer)), last, more)
		buffer = buffer[:0]
	}
	return nil
}

// read reads a step. The next one is fitted to how large the activities are.
func (w *writing) read(ctx context.Context, each func(a *activity.Activity) bool) (more bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, cmp.Or(w.StepTimeout, stepTime))
	defer cancel()
	return w.walk.Step(bounded, w.step, each)
}

func (w *writing) note(found, size int64, last time.Time, more bool) {
	p := &w.progress
	p.Activities += found
	p.Bytes += size
	p.Took = time.Since(w.begun)
	if found > 0 {
		p.At = last
		w.step = int(min(max(stepBytes*found/size, stepLeast), stepMost))
		if w.first.IsZero() {
			w.first = last
		}
	} else {
		w.step = stepMost
	}
	p.Part = w.part(more)
	if w.Progress != nil {
		w.Progress(*p)
	}
}

// part is how much of the time between the first activity and the last is behind.
func (w *writing) part(more bool) float64 {
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
