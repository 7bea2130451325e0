package main

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

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

// write writes a list as JSON or as a table, or the text for an empty list. next is the --after of
// the next page; uuid.Nil is none.
func (*pageFlags) write(p process, asJSON bool, list any, rows [][]string, empty string, next uuid.UUID) error {
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
