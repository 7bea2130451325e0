package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/retention"
)

// dryRunLimit is the maximum number of rows that a dry run counts per tenant and kind.
const dryRunLimit = 1_000_000

func newRetentionRunCommand(p process) *cobra.Command {
	var dryRun bool
	command := &cobra.Command{
		Use:   "run",
		Short: "Remove expired data",
		Long: `Remove expired data in batches, and print the progress to standard error. An interrupted run is
continued by the next one. The command fails if another run is in progress. With --tenant, no
partitions are dropped.

With --dry-run, nothing is removed: the rows are counted, up to a million per tenant and kind.`,
		Example: `  fanfare retention run --dry-run
  fanfare retention run --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f`,
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "count expired rows without removing them")
	return withRetention(p, command, "only data of this tenant", func(ctx context.Context, r retentionCommand) error {
		if dryRun {
			return dryRunRetention(ctx, p, r)
		}
		return runRetention(ctx, p, r)
	})
}

func runRetention(ctx context.Context, p process, r retentionCommand) error {
	line := newProgressLine(p, true)
	runner := retention.NewRunner(r.pool, retention.Options{})
	report, err := runner.Run(ctx, r.tenant, func(report retention.Report) {
		line.show("Removed so far: "+countsText(report.Removed), false)
	})
	line.end()
	if errors.Is(err, retention.ErrBusy) {
		return fmt.Errorf("%w, in a command or in a worker: retry after it completes", err)
	}
	if r.asJSON {
		return errors.Join(err, writeJSON(p.stdout, report))
	}
	if writeErr := writeTable(p.stdout, countRows(report.Removed, report.Partitions, report.Busy)); err == nil {
		err = writeErr
	}
	return err
}

func dryRunRetention(ctx context.Context, p process, r retentionCommand) error {
	line := newProgressLine(p, true)
	estimate, err := retention.DryRun(ctx, r.pool, r.tenant, dryRunLimit, func(e retention.Estimate) {
		line.show("Counted so far: "+countsText(e.Removed), false)
	})
	line.end()
	if err != nil {
		return err
	}
	if r.asJSON {
		return writeJSON(p.stdout, estimate)
	}
	rows := [][]string{{
		"TENANT", "RECORDED BEFORE", "ACTIVITIES", "KEPT", "NOTIFICATIONS", "IDEMPOTENCY KEYS", "DEAD LETTERS",
		"PARKED", "SERVICE TOKENS",
	}}
	for _, t := range estimate.Tenants {
		rows = append(rows, estimateRow(t))
	}
	if len(rows) > 1 {
		if err := writeTable(p.stdout, rows); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout)
	}
	if err := writeTable(p.stdout, countRows(estimate.Removed, estimate.Partitions, nil)); err != nil {
		return err
	}
	if !estimate.Exact {
		fmt.Fprintf(p.stdout, "\nThe counts are lower bounds: counting stops at %s rows per tenant and kind.\n",
			grouped(dryRunLimit))
	}
	fmt.Fprintln(p.stdout, "\nDry run: nothing was removed.")
	return nil
}

func estimateRow(t retention.TenantEstimate) []string {
	before := ""
	if t.Before != nil {
		before = t.Before.Format(time.RFC3339)
	}
	row := []string{t.TenantID.String(), before}
	c := t.Removed
	for _, n := range []int64{
		c.Activities, t.Kept, c.Notifications, c.IdempotencyKeys, c.DeadLetters, c.Parked, c.ServiceTokens,
	} {
		row = append(row, strconv.FormatInt(n, 10))
	}
	return row
}

func countRows(c retention.Counts, dropped, busy []string) (rows [][]string) {
	for _, k := range kindsOf(c) {
		rows = append(rows, []string{k.name, strconv.FormatInt(k.count, 10), k.note})
	}
	rows = append(rows, []string{"partitions", strconv.Itoa(len(dropped)), strings.Join(dropped, " ")})
	if len(busy) > 0 {
		rows = append(rows, []string{"partitions in use", strconv.Itoa(len(busy)), strings.Join(busy, " ")})
	}
	return rows
}

// kindCount is the number of rows of one kind.
type kindCount struct {
	name  string
	count int64
	note  string
}

func kindsOf(c retention.Counts) []kindCount {
	return []kindCount{
		{"activities", c.Activities, ""},
		{"notifications", c.Notifications, ""},
		{"idempotency keys", c.IdempotencyKeys, ""},
		{"dead letters", c.DeadLetters, ""},
		{"parked", c.Parked, "become dead letters"},
		{"service tokens", c.ServiceTokens, ""},
	}
}

// countsText returns the counts that are not zero in one line.
func countsText(c retention.Counts) string {
	var texts []string
	for _, k := range kindsOf(c) {
		if k.count > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", k.count, k.name))
		}
	}
	if len(texts) == 0 {
		return "nothing"
	}
	return strings.Join(texts, ", ")
}
