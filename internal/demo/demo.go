package demo

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// DefaultDuration gives a person time to read.
const DefaultDuration = 20 * time.Second

// ErrMismatch is returned if a delivery was missing or unexpected, or if the API answered otherwise
// than expected.
var ErrMismatch = errors.New("the demo found mismatches")

// Color selects whether the text is coloured.
type Color int

// The choices.
const (
	ColorAuto   Color = iota // on a terminal, unless NO_COLOR is set
	ColorAlways              // also if Out is not a terminal
	ColorNever
)

// Options of Run. The zero value works, and writes nothing.
type Options struct {
	Keep       bool          // after the scenes, print how to connect and continue until ctx ends
	JSON       bool          // one JSON object per line instead of text
	Out        io.Writer     // nil discards the output
	Color      Color         // of the text
	Centrifugo string        // the binary of Centrifugo v5; "" searches for it, as devstack does
	Duration   time.Duration // approximate duration; default DefaultDuration. Negative means no pauses.
	Logger     *zap.Logger   // of the worker and the API; nil discards
}

// Run plays the demo. It returns nil if every scene had its declared result, ErrMismatch if not,
// and ctx's error if ctx ends before the last scene. It stops and removes everything that it
// started.
func Run(ctx context.Context, o Options) error { return run(ctx, o, script()) }

func run(ctx context.Context, o Options, scenes []scene) (err error) {
	started := time.Now()
	o.Duration = cmp.Or(o.Duration, DefaultDuration)
	if o.Out == nil {
		o.Out = io.Discard
	}
	out := newOutput(o)
	if err := out.write(title{}); err != nil {
		return err
	}
	tenants := newWorld()
	stack := &stack{options: o, tenants: tenants, progress: func(what, detail string) error {
		return out.write(progress{what, detail})
	}}
	defer func() { err = errors.Join(err, stack.stop(ctx)) }()
	if err := stack.start(ctx); err != nil {
		return err
	}
	if err := out.write(cast(tenants)); err != nil {
		return err
	}
	stage := newStage(stack, tenants)
	for i, sc := range scenes {
		left := time.Until(started.Add(o.Duration))
		if err := wait.Sleep(ctx, left/time.Duration(len(scenes)-i+1)); err != nil {
			return err
		}
		result, err := stage.play(ctx, sc)
		if err != nil {
			return err
		}
		if err := out.write(result); err != nil {
			return err
		}
	}
	sum, err := stage.summary(ctx)
	if err != nil {
		return err
	}
	sum.Seconds = time.Since(started).Round(10 * time.Millisecond).Seconds()
	if err := out.write(sum); err != nil {
		return err
	}
	if o.Keep {
		err = keep(ctx, stage, out)
	} else {
		err = out.write(farewell{})
	}
	if err == nil && sum.Mismatches > 0 {
		err = ErrMismatch
	}
	return err
}
