package demo

import (
	"context"
	"errors"
	"io"
	"time"

	"go.uber.org/zap"
)

// DefaultDuration is how long a person has to follow.
const DefaultDuration = 20 * time.Second

// ErrMismatch is returned when somebody heard what they should not have, or did not hear what they should have.
var ErrMismatch = errors.New("what happened is not what was to happen")

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
	Logger     *zap.Logger   // the worker's; nil discards
}

// Run plays the demo. It returns nil when everybody heard what they were to hear and nobody else did, ErrMismatch when not, and
// ctx's error when ctx ends before the last scene has. Whatever it returns, nothing that it started is left.
func Run(ctx context.Context, o Options) error {
	return errors.ErrUnsupported
}
