package main

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// exportFlags say what is exported.
type exportFlags struct{ formats []string }

func (f *exportFlags) flags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.formats, "formats", []string{"csv", "jsonl", "csv.gz", "jsonl.gz"}, "formats to export the largest tenant's log in")
}

// exportResult is one export.
type exportResult struct {
	Format      string  `json:"format"`
	Rows        int64   `json:"rows"`
	Bytes       int64   `json:"bytes"`
	Seconds     float64 `json:"seconds"`
	PerSecond   float64 `json:"rows_per_second"`
	Resident    int64   `json:"peak_resident_bytes"`
	CPU         float64 `json:"cpu_us_per_row"`
	PostgresCPU float64 `json:"postgres_cpu_us_per_row"`
}

func showExports(w io.Writer, exports []exportResult) {
	if len(exports) == 0 {
		return
	}
	row(w)
	row(w, "export", "rows", "rows/s", "MB/s", "seconds", "peak MB", "CPU µs each:", "client", "postgres")
	for _, e := range exports {
		row(w, e.Format, e.Rows, fmt.Sprintf("%.0f", e.PerSecond), fmt.Sprintf("%.1f", float64(e.Bytes)/1e6/e.Seconds), fmt.Sprintf("%.1f", e.Seconds),
			fmt.Sprintf("%.0f", float64(e.Resident)/1e6), "", fmt.Sprintf("%.1f", e.CPU), fmt.Sprintf("%.1f", e.PostgresCPU))
	}
}

func (f *exportFlags) measure(_ context.Context, _ *stack.Database, _ uuid.UUID) ([]exportResult, error) {
	return nil, nil
}
