package doctor

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for a person: a line for each check, its remedy indented below it,
// and a summary.
func (r Report) WriteText(w io.Writer, color bool) error {
	width := 0
	for _, c := range r.Checks {
		width = max(width, len(c.Name))
	}
	var b strings.Builder
	for _, c := range r.Checks {
		mark, sgr := c.Status.mark()
		if color {
			mark = "\x1b[" + sgr + "m" + mark + "\x1b[0m"
		}
		fmt.Fprintf(&b, "%s %-*s  %s\n", mark, width, c.Name, c.Detail)
		if c.Remedy != "" {
			fmt.Fprintf(&b, "  %-*s  → %s\n", width, "", c.Remedy)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// mark returns the status as one character, and its colour in SGR's numbers.
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
	parts := []string{fmt.Sprintf("%d of %d checks are fine", r.Count(OK), len(r.Checks))}
	for _, s := range []struct {
		status Status
		word   string
	}{{Warn, "to look at"}, {Fail, "wrong"}, {Skipped, "not checked"}} {
		if n := r.Count(s.status); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.word))
		}
	}
	return strings.Join(parts, ", ") + "."
}
