package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity/export"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// exportFlags are the options of the export.
type exportFlags struct{ formats []string }

func (f *exportFlags) flags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.formats, "formats", []string{"csv", "jsonl", "cloudevents", "csv.gz", "jsonl.gz"},
		"formats of the export of the largest tenant's log; .gz compresses")
}

// exportResult is one export, by a process of its own.
type exportResult struct {
	Format      string  `json:"format"`
	Rows        int64   `json:"rows"`
	Bytes       int64   `json:"bytes"`         // of text
	Written     int64   `json:"bytes_written"` // after compression
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
	row(w, "export", "rows", "rows/s", "MB/s of text", "MB written", "seconds", "peak MB", "CPU µs each:", "client",
		"postgres")
	for _, e := range exports {
		row(w, e.Format, e.Rows, fmt.Sprintf("%.0f", e.PerSecond), fmt.Sprintf("%.1f", float64(e.Bytes)/1e6/e.Seconds),
			fmt.Sprintf("%.1f", float64(e.Written)/1e6), fmt.Sprintf("%.1f", e.Seconds),
			fmt.Sprintf("%.1f", float64(e.Resident)/1e6), "", fmt.Sprintf("%.1f", e.CPU),
			fmt.Sprintf("%.1f", e.PostgresCPU))
	}
}

// measure exports all of a tenant's activities in each format.
func (f *exportFlags) measure(
	ctx context.Context,
	db *stack.Database,
	tenant uuid.UUID,
	want int64,
) (results []exportResult, err error) {
	for _, format := range f.formats {
		r, err := exportOnce(ctx, db, tenant, format)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", format, err)
		}
		if r.Rows != want {
			return nil, fmt.Errorf("%s: got %d activities, want %d", format, r.Rows, want)
		}
		progress("%s: %.0f rows/s", format, r.PerSecond)
		results = append(results, r)
	}
	return results, nil
}

func exportOnce(ctx context.Context, db *stack.Database, tenant uuid.UUID, format string) (r exportResult, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "export", tenant.String(), format)
	cmd.Env, cmd.Stderr = append(os.Environ(), databaseVariable+"="+db.URL), os.Stderr
	cpu := stack.ReadCPU()
	output, err := cmd.Output()
	if err != nil {
		return r, err
	}
	used := stack.ReadCPU().Since(cpu)
	if err := json.Unmarshal(output, &r); err != nil {
		return r, err
	}
	rows := float64(max(1, r.Rows))
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.Resident = usage.Maxrss * maxrssUnit
	}
	r.CPU = float64((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Microseconds()) / rows
	r.PostgresCPU = float64(used.Postgres.Microseconds()) / rows
	r.PerSecond = rows / r.Seconds
	return r, nil
}

// maxrssUnit is the unit of ru_maxrss on Linux, see getrusage(2).
const maxrssUnit = 1024

// newExport returns the hidden subcommand that log runs in a process of its own. It exports to the
// null device and prints the cost.
func newExport() *cobra.Command {
	return &cobra.Command{
		Use:    "export tenant format",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, err := uuid.Parse(args[0])
			if err != nil {
				return err
			}
			r, err := exportNowhere(cmd.Context(), tenant, args[1])
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
		},
	}
}

func exportNowhere(ctx context.Context, tenant uuid.UUID, name string) (r exportResult, err error) {
	pool, err := stack.NewPool(ctx, os.Getenv(databaseVariable), 1)
	if err != nil {
		return r, err
	}
	defer pool.Close()
	plain, zipped := strings.CutSuffix(name, ".gz")
	format, err := export.ParseFormat(plain)
	if err != nil {
		return r, err
	}
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, nowhere.Close()) }()
	out := &countingWriter{to: nowhere}
	began := time.Now()
	p, err := export.Export{
		Tenant:  tenant,
		Encoder: export.Encoder{Format: format},
		Gzip:    zipped,
	}.Write(ctx, pglog.New(pool), out)
	return exportResult{
		Format:  name,
		Rows:    p.Activities,
		Bytes:   p.Bytes,
		Written: out.n,
		Seconds: time.Since(began).Seconds(),
	}, err
}

// countingWriter counts the bytes that it forwards.
type countingWriter struct {
	to io.Writer
	n  int64
}

// Write implements io.Writer.
func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.n += int64(n)
	return n, err
}
