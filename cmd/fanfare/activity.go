package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

func newActivityCommand(p process) *cobra.Command {
	group := newGroup(
		"activity",
		"Read, export and redact what is recorded",
		`Reads a tenant's log, follows it, counts it, writes it to a file, and makes activities forget what they say. All but
redact need no more than SELECT on fanfare.activities.`,
	)
	group.AddCommand(
		newActivityListCommand(p),
		newActivityGetCommand(p),
		newActivityTailCommand(p),
		newActivityStatsCommand(p),
		newActivityExportCommand(p),
		newActivityRedactCommand(p),
	)
	return group
}

// whichActivities says which of a tenant's activities are wanted.
type whichActivities struct {
	tenant uuid.UUID
	filter activity.Filter
}

// addTenant makes the flag of the tenant.
func (w *whichActivities) addTenant(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.Var(&uuidValue{&w.tenant}, "tenant", "the tenant's id")
}

// addFlags makes the flags of the tenant and of each part of the filter.
func (w *whichActivities) addFlags(flags *pflag.FlagSet, now time.Time) {
	w.addTenant(flags)
	f := &w.filter
	flags.StringVar(&f.Action, "action", "", "a pattern of actions, such as 'signal.*'")
	flags.Var(&uuidValue{&f.Actor}, "actor", "who did it")
	flags.Var(&uuidValue{&f.Resource}, "resource", "what it was done to")
	flags.StringVar(&f.ResourceType, "resource-type", "", "the type of what it was done to")
	flags.Var(&uuidValue{&f.Target}, "target", "whom it addressed")
	flags.Var(&uuidValue{&f.Owner}, "owner", "whose it was")
	flags.Var(&uuidValue{&f.CorrelationID}, "correlation-id", "the workflow")
	flags.StringVar(&f.RequestID, "request-id", "", "the request of the service that recorded it")
	flags.StringVar(&f.Status, "status", "", "success or failure")
	flags.StringVar(&f.Severity, "severity", "", "info, warning, error or critical")
	flags.StringVar(&f.Category, "category", "", "its category")
	w.addTimes(flags, now)
	flags.StringVar(&f.Q, "q", "", "a part of the message, of the resource's name or of the action")
}

func (w *whichActivities) addTimes(flags *pflag.FlagSet, now time.Time) {
	flags.Var(
		&timeValue{&w.filter.Since, now},
		"since",
		"recorded then or later: 2026-02-03, 2026-02-03T04:05:06Z, or so long ago: 24h, 7d",
	)
	flags.Var(&timeValue{&w.filter.Until, now}, "until", "recorded before, in the same forms")
}

// validate finds what is wrong on the command line.
func (w *whichActivities) validate() error {
	if w.tenant == uuid.Nil {
		return &usageError{"--tenant is missing: whose activities?"}
	}
	return usageOf(w.filter.Validate())
}

// usageOf makes a mistake on the command line of what refuses it, with the names of flags.
func usageOf(err error) error {
	invalidErr := (*invalid.Error)(nil)
	if !errors.As(err, &invalidErr) {
		return err
	}
	var said []string
	for _, f := range invalidErr.Fields {
		if f.Name = "--" + strings.ReplaceAll(f.Name, "_", "-"); f.Name == "--ids" {
			f.Name = "--id"
		}
		said = append(said, f.Error())
	}
	return &usageError{strings.Join(said, "; ")}
}

// withLog makes a command of command, of what is checked before it begins, and of what it does with
// the log.
func withLog(
	p process,
	command *cobra.Command,
	validate func() error,
	do func(ctx context.Context, log *pglog.Log) error,
) *cobra.Command {
	command.PreRunE = func(*cobra.Command, []string) error { return validate() }
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		return do(ctx, pglog.New(pool))
	})
}

// printable is a text without what a terminal would obey: what is recorded comes from anywhere.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsPrint(r) || r == '\u200d':
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// idOrNothing is an id as text, empty when it is not given.
func idOrNothing(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// plural is a number with what it counts.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", grouped(n), many)
}

// grouped writes a number in groups of three digits.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
