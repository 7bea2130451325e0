package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// cell is the result of a combination.
type cell struct {
	postgres, centrifugo binary
	tally
	time time.Duration
	err  error // nil if all tests passed
}

// table returns a line for each cell.
func table(cells []cell) string {
	var text strings.Builder
	lines := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.TabIndent)
	fmt.Fprintln(lines, "PostgreSQL\tCentrifugo\tpassed\tfailed\tskipped\ttime\tresult")
	for _, c := range cells {
		result := "ok"
		if c.err != nil {
			result = "FAIL: " + strings.ReplaceAll(c.err.Error(), "\n", "; ")
		}
		fmt.Fprintf(lines, "%s\t%s\t%d\t%d\t%d\t%v\t%s\n", c.postgres.version, c.centrifugo.version,
			c.passed, c.failed, c.skipped, c.time.Round(time.Second), result)
	}
	_ = lines.Flush() // a strings.Builder does not fail
	return text.String()
}
