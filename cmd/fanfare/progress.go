package main

import (
	"fmt"
	"io"
	"time"

	"github.com/fanfarehq/fanfare/internal/terminal"
)

// Intervals between progress messages.
const (
	redrawInterval = 100 * time.Millisecond
	lineInterval   = 5 * time.Second
)

// progressLine shows the progress of a command on standard error: on a terminal in one line that is
// redrawn, elsewhere in separate lines.
type progressLine struct {
	out     io.Writer // nil shows nothing
	redraws bool
	next    time.Time // the earliest time of the next message
	shown   bool
}

// newProgressLine returns a progress line. Without always, it shows nothing if standard error is
// not a terminal.
func newProgressLine(p process, always bool) *progressLine {
	l := &progressLine{redraws: terminal.Redraws(p.stderr, p.getenv)}
	if l.redraws || always {
		l.out = p.stderr
	}
	l.next = time.Now().Add(l.interval()) // a short command shows no progress
	return l
}

func (l *progressLine) interval() time.Duration {
	if l.redraws {
		return redrawInterval
	}
	return lineInterval
}

// show shows a message, unless the last one was shown recently and this is not the final one.
func (l *progressLine) show(message string, final bool) {
	now := time.Now()
	if l.out == nil || now.Before(l.next) && !final {
		return
	}
	l.next, l.shown = now.Add(l.interval()), true
	if l.redraws {
		fmt.Fprintf(l.out, "\r\x1b[K%s", message)
		return
	}
	fmt.Fprintln(l.out, message)
}

// end clears the line on a terminal.
func (l *progressLine) end() {
	if l.redraws && l.shown {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
}
