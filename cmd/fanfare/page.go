package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// pageFlags select a part of a list that is ordered by id.
type pageFlags struct {
	limit int
	after uuid.UUID
}

// addFlags adds the flags --limit and --after; things are what is listed, and id is what its order
// is by.
func (f *pageFlags) addFlags(flags *pflag.FlagSet, things, id string) {
	flags.IntVar(&f.limit, "limit", subscriptions.MaxPage,
		fmt.Sprintf("maximum number of %s, at most %d", things, subscriptions.MaxPage))
	flags.Var(&uuidValue{&f.after}, "after", fmt.Sprintf("only %s after the %s with this id", things, id))
}

func (f *pageFlags) validate() error {
	if f.limit < 1 || f.limit > subscriptions.MaxPage {
		return &usageError{fmt.Sprintf("--limit %d: must be from 1 to %d", f.limit, subscriptions.MaxPage)}
	}
	return nil
}

func (f *pageFlags) page() subscriptions.Page {
	return subscriptions.Page{Limit: f.limit, After: f.after}
}

// pagedList describes a command that lists what a principal has.
type pagedList[T, S any] struct {
	short  string
	things string // what is listed
	id     string // what its order is by
	header []string
	list   func(context.Context, pg.Querier, activity.Principal, subscriptions.Page) ([]T, uuid.UUID, error)
	show   func(T) S // for JSON
	cells  func(T) []string

	// A flag that selects another list; "" is none.
	flag, usage string
	other       func(context.Context, pg.Querier, activity.Principal, subscriptions.Page) ([]T, uuid.UUID, error)
}

func (l pagedList[T, S]) command(p process) *cobra.Command {
	var (
		as     actingAs
		page   pageFlags
		other  bool
		asJSON bool
	)
	command := &cobra.Command{
		Use:     "list --tenant ID --as ID",
		Short:   l.short,
		PreRunE: func(*cobra.Command, []string) error { return cmp.Or(as.validate(), page.validate()) },
	}
	as.addFlags(command.Flags(), "id of the principal")
	page.addFlags(command.Flags(), l.things, l.id)
	if l.flag != "" {
		command.Flags().BoolVar(&other, l.flag, false, l.usage)
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		read := l.list
		if other {
			read = l.other
		}
		list, next, err := read(ctx, pool, as.Principal, page.page())
		if err != nil {
			return err
		}
		shown, rows := make([]S, len(list)), [][]string{l.header}
		for i, item := range list {
			shown[i] = l.show(item)
			rows = append(rows, l.cells(item))
		}
		return writePage(p, asJSON, shown, rows, "No "+l.things+".", next)
	})
}

// writePage writes a list as JSON or as a table, or the text for an empty list. next is the --after
// of the next page; uuid.Nil is none.
func writePage(p process, asJSON bool, list any, rows [][]string, empty string, next uuid.UUID) error {
	var err error
	switch {
	case asJSON:
		err = writeJSON(p.stdout, list)
	case len(rows) == 1:
		_, err = fmt.Fprintln(p.stdout, empty)
	default:
		err = writeTable(p.stdout, rows)
	}
	if err == nil && next != uuid.Nil {
		_, err = fmt.Fprintf(p.stderr, "There are more: --after %s\n", next)
	}
	return err
}
