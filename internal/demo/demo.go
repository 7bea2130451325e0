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

// DefaultDuration is how long a person has to follow.
const DefaultDuration = 20 * time.Second

// ErrMismatch is returned when somebody heard what they should not have, or did not hear what they
// should have.
var ErrMismatch = errors.New("the demo found mismatches: what happened is not what was to happen")

// Color says whether the text is coloured.
type Color int

// The choices.
const (
	ColorAuto   Color = iota // on a terminal, unless NO_COLOR is set
	ColorAlways              // whatever Out is
	ColorNever
)

// Options of Run. The zero value works, and shows nothing.
type Options struct {
	Keep       bool          // after the scenes, say how to connect and go on until ctx ends
	JSON       bool          // one JSON object a line instead of text
	Out        io.Writer     // nil discards
	Color      Color         // of the text
	Centrifugo string        // the Centrifugo v5 binary; when empty it is looked for, as devstack does
	Duration   time.Duration // how long it takes in all, about; default DefaultDuration. Negative means as fast as it can.
	Logger     *zap.Logger   // the worker's and the API's; nil discards
}

// Run plays the demo. It returns nil when everybody heard what they were to hear and nobody else
// did, ErrMismatch when not, and ctx's error when ctx ends before the last scene has. Whatever it
// returns, nothing that it started is left.
func Run(ctx context.Context, o Options) error { return run(ctx, o, script()) }

func run(ctx context.Context, o Options, scenes []scene) (err error) {
	begun := time.Now()
	o.Duration = cmp.Or(o.Duration, DefaultDuration)
	if o.Out == nil {
		o.Out = io.Discard
	}
	out := newReport(o)
	if err := out.title(); err != nil {
		return err
	}
	tenants := newWorld()
	stack := &stack{}
	defer func() { err = errors.Join(err, stack.stop(ctx)) }()
	if err := stack.start(ctx, o, tenants, out.progress); err != nil {
		return err
	}
	if err := out.cast(tenants); err != nil {
		return err
	}
	stage := newStage(stack, tenants)
	if err := playAll(ctx, stage, scenes, begun.Add(o.Duration), out); err != nil {
		return err
	}
	sum, err := stage.summary(ctx)
	if err != nil {
		return err
	}
	sum.Seconds = time.Since(begun).Round(10 * time.Millisecond).Seconds()
	if err := out.summary(sum); err != nil {
		return err
	}
	if o.Keep {
		err = keep(ctx, stack, stage, out)
	} else {
		err = out.farewell()
	}
	if err != nil {
		return err
	}
	if sum.Mismatches > 0 {
		return ErrMismatch
	}
	return nil
}

// playAll plays the scenes, spread over the time until end.
func playAll(ctx context.Context, stage *stage, scenes []scene, end time.Time, out report) error {
	for i, sc := range scenes {
		left := len(scenes) - i
		if err := wait.Sleep(ctx, time.Until(end)/time.Duration(left+1)); err != nil {
			return err
		}
		result, err := stage.play(ctx, sc)
		if err != nil {
			return err
		}
		if err := out.scene(result); err != nil {
			return err
		}
	}
	return nil
}
