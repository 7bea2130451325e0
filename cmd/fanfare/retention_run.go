package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/terminal"
)

// dryRunBound is how many of each kind of a tenant a dry run counts at most.
const dryRunBound = 1_000_000

func newRetentionRunCommand(p process) *cobra.Command {
	var dryRun bool
	command := &cobra.Command{
		Use:   "run",
		Short: "Remove now what has had its time",
		Long: `Removes what has had its time, step by step, and says on standard error how far it is. It may be stopped at any
moment; a later run goes on. It fails when another run is under way. With --tenant no partition is dropped.

With --dry-run it only counts, up to a million of each kind of a tenant, and removes nothing.`,
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "count what would go, and remove nothing")
	return withRetention(p, command, "only this tenant's", func(ctx context.Context, r retentionCommand) error {
		if dryRun {
			return dryRunRetention(ctx, p, r)
		}
		shown := newProgress(p.stderr, p.getenv)
		report, err := retention.NewRunner(r.pool, retention.Options{}).
			Run(ctx, r.tenant, func(report retention.Report) {
				shown.say(fmt.Sprintf("removed so far: %s", countsText(report.Removed)))
			})
		shown.end()
		if errors.Is(err, retention.ErrBusy) {
			return fmt.Errorf("%w, here or in a worker: try again when it is done", err)
		}
		if r.asJSON {
			return errors.Join(err, writeJSON(p.stdout, report))
		}
		if writeErr := writeTable(p.stdout, runRows(report.Removed, report.Partitions, report.Busy)); err == nil {
			err = writeErr
		}
		return err
	})
}

func dryRunRetention(ctx context.Context, p process, r retentionCommand) error {
	shown := newProgress(p.stderr, p.getenv)
	estimate, err := retention.DryRun(ctx, r.pool, r.tenant, dryRunBound, func(e retention.Estimate) {
		shown.say(fmt.Sprintf("counted so far: %s", countsText(e.Removed)))
	})
	shown.end()
	if err != nil {
		return err
	}
	if r.asJSON {
		return writeJSON(p.stdout, estimate)
	}
	rows := [][]string{
		{
			"TENANT",
			"RECORDED BEFORE",
			"ACTIVITIES",
			"KEPT",
			"NOTIFICATIONS",
			"KEYS",
			"DEAD LETTERS",
			"PARKED",
			"TOKENS",
		},
	}
	for _, t := range estimate.Tenants {
		rows = append(rows, tenantRow(t))
	}
	if len(rows) > 1 {
		if err := writeTable(p.stdout, rows); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout)
	}
	if err := writeTable(p.stdout, runRows(estimate.Removed, estimate.Partitions, nil)); err != nil {
		return err
	}
	if !estimate.Exact {
		fmt.Fprintf(p.stdout, "\nThere is more: counting stopped at %d of a kind of a tenant.\n", dryRunBound)
	}
	fmt.Fprintln(p.stdout, "\nNothing was removed.")
	return nil
}

func tenantRow(t retention.TenantEstimate) []string {
	before := ""
	if t.Before != nil {
		before = t.Before.Format(time.RFC3339)
	}
	row := []string{t.TenantID.String(), before}
	c := t.Removed
	for _, n := range []int64{c.Activities, t.Kept, c.Notifications, c.IdempotencyKeys, c.DeadLetters, c.Parked, c.ServiceTokens} {
		row = append(row, strconv.FormatInt(n, 10))
	}
	return row
}

func runRows(c retention.Counts, dropped, busy []string) [][]string {
	rows := [][]string{}
	for _, kind := range countsOf(c) {
		rows = append(rows, []string{kind.name, strconv.FormatInt(kind.n, 10), kind.note})
	}
	rows = append(rows, []string{"partitions", strconv.Itoa(len(dropped)), strings.Join(dropped, " ")})
	if len(busy) > 0 {
		rows = append(rows, []string{"partitions in use", strconv.Itoa(len(busy)), strings.Join(busy, " ")})
	}
	return rows
}

type kindCount struct {
	name string
	n    int64
	note string
}

func countsOf(c retention.Counts) []kindCount {
	return []kindCount{
		{"activities", c.Activities, ""},
		{"notifications", c.Notifications, ""},
		{"idempotency keys", c.IdempotencyKeys, ""},
		{"dead letters", c.DeadLetters, ""},
		{"parked", c.Parked, "dead letters now"},
		{"service tokens", c.ServiceTokens, ""},
	}
}

// countsText names what there is any of.
func countsText(c retention.Counts) string {
	var parts []string
	for _, kind := range countsOf(c) {
		if kind.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", kind.n, kind.name))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// progress says how far something is: on a terminal in one line that changes, elsewhere in a line
// every few seconds.
type progress struct {
	out      io.Writer
	terminal bool
	last     time.Time
	wrote    bool
}

// How often progress is said.
const (
	progressOnTerminal = 200 * time.Millisecond
	progressElsewhere  = 5 * time.Second
)

func newProgress(out io.Writer, getenv func(string) string) *progress {
	return &progress{out: out, last: time.Now(), terminal: terminal.Redraws(out, getenv)}
}

func (p *progress) say(text string) {
	every := progressElsewhere
	if p.terminal {
		every = progressOnTerminal
	}
	if time.Since(p.last) < every {
		return
	}
	p.last, p.wrote = time.Now(), true
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s", text)
		return
	}
	fmt.Fprintln(p.out, text)
}

// end leaves the terminal's line empty.
func (p *progress) end() {
	if p.terminal && p.wrote {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
