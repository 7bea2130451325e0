package doctor

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for a person: a line for each diagnostic, its remedy indented below
// it, and a summary. color adds ANSI colours.
func (r Report) WriteText(w io.Writer, color bool) error {
	width := 0
	for _, d := range r.Diagnostics {
		width = max(width, len(d.ID))
	}
	var b strings.Builder
	for _, d := range r.Diagnostics {
		mark, sgr := d.Status.mark()
		if color {
			mark = "\x1b[" + sgr + "m" + mark + "\x1b[0m"
		}
		fmt.Fprintf(&b, "%s %-*s  %s\n", mark, width, d.ID, d.Detail)
		if d.Remedy != "" {
			fmt.Fprintf(&b, "  %-*s  → %s\n", width, "", d.Remedy)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// mark returns the character of a status and its colour as an SGR parameter.
func (s Status) mark() (mark, sgr string) {
	switch s {
	case OK:
		return "✓", "32"
	case Warn:
		return "!", "33"
	case Fail:
		return "✗", "31"
	}
	return "·", "2"
}

func (r Report) summary() string {
	parts := []string{fmt.Sprintf("%d of %d checks passed", r.Count(OK), len(r.Diagnostics))}
	for _, s := range []struct {
		status Status
		text   string
	}{{Warn, "with a warning"}, {Fail, "failed"}, {Skipped, "skipped"}} {
		if n := r.Count(s.status); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.text))
		}
	}
	return strings.Join(parts, ", ") + "."
}
