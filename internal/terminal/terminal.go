// Package terminal reports what an output can show.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Is reports whether out is a terminal, or a writer with a method Unwrap that returns one.
func Is(out io.Writer) bool {
	if wrapper, ok := out.(interface{ Unwrap() io.Writer }); ok {
		return Is(wrapper.Unwrap())
	}
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Redraws reports whether out is a terminal on which a line can be overwritten.
func Redraws(out io.Writer, getenv func(string) string) bool {
	return getenv("TERM") != "dumb" && Is(out)
}

// Colors reports whether out is a terminal whose user has not switched colors off
// (https://no-color.org).
func Colors(out io.Writer, getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && Redraws(out, getenv)
}
