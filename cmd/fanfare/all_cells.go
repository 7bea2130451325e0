package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/config"
)

// acrossCells returns the command that build returns, with the flag --all-cells: the command runs
// for each cell in turn, under a heading or, with --json, as an element of an array. A cell that
// fails does not stop the others; the error names those that failed. build uses the process that it
// gets.
func acrossCells(p process, build func(p process) *cobra.Command) *cobra.Command {
	r := &cellsRun{p: p, out: &cellOutput{Writer: p.stdout}}
	p.stdout = r.out
	command := build(p)
	all := false
	command.Flags().BoolVar(&all, "all-cells", false, "run for each cell of --cells in turn")
	r.one = command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		if !all {
			return r.one(command, args)
		}
		return r.each(command, args)
	}
	return command
}

// cellsRun runs a command for each cell.
type cellsRun struct {
	p   process // with the output of the process
	out *cellOutput
	one func(command *cobra.Command, args []string) error // for one cell
}

// cellOutput is the output of a command: that of the process, or a buffer for one cell.
type cellOutput struct{ io.Writer }

// Unwrap returns the output that is written to.
func (o *cellOutput) Unwrap() io.Writer { return o.Writer }

func (r *cellsRun) each(command *cobra.Command, args []string) error {
	names, err := r.names(command, args)
	if err != nil {
		return err
	}
	asJSON := false
	if flag := command.Flags().Lookup("json"); flag != nil {
		asJSON = flag.Value.String() == "true"
	}
	ctx := command.Context()
	defer command.SetContext(ctx)
	failed := &failedCells{cells: len(names)}
	list := []json.RawMessage{}
	for i, name := range names {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		command.SetContext(context.WithValue(ctx, cellKey{}, name))
		var output bytes.Buffer
		switch {
		case asJSON:
			r.out.Writer = &output
		case i > 0:
			fmt.Fprintf(r.p.stdout, "\nCell %s:\n", name)
		default:
			fmt.Fprintf(r.p.stdout, "Cell %s:\n", name)
		}
		err := r.one(command, args)
		r.out.Writer = r.p.stdout
		if isUsageError(err) {
			return err // of every cell
		}
		failed.add(name, err)
		list = append(list, cellJSON(name, output.Bytes(), err))
	}
	if asJSON {
		if err := writeJSON(r.p.stdout, list); err != nil {
			return err
		}
	}
	return failed.err()
}

// names returns the names of the cells, if the other flags permit all of them.
func (r *cellsRun) names(command *cobra.Command, args []string) ([]string, error) {
	loaded := config.Load(config.CellsOnly(), command.Flags(), r.p.getenv)
	switch {
	case command.Flags().Changed("cell"):
		return nil, &usageError{"--all-cells and --cell cannot be combined"}
	case tenantFlag(command) != uuid.Nil:
		return nil, &usageError{"--all-cells and --tenant cannot be combined: a tenant belongs to one cell"}
	case slices.ContainsFunc(args, func(arg string) bool { _, err := parseID(arg); return err == nil }):
		return nil, &usageError{"--all-cells and an id cannot be combined: what it identifies is in one cell"}
	case slices.Contains(args, "-"):
		return nil, &usageError{"--all-cells and - cannot be combined: standard input can be read once"}
	}
	if err := loaded.Validate(); err != nil {
		return nil, err
	}
	return loaded.Cells().Names(), nil
}

// isUsageError reports whether an error is one of the command line or of the settings.
func isUsageError(err error) bool {
	var usage *usageError
	var invalid *config.Error
	return errors.As(err, &usage) || errors.As(err, &invalid)
}

// cellJSON returns the JSON object of a cell: its name, the error, and what the command printed:
// the fields of an object, or a list as "items".
func cellJSON(name string, output []byte, err error) json.RawMessage {
	head := map[string]string{"cell": name}
	if err != nil {
		head["error"] = err.Error()
	}
	object, _ := json.Marshal(head) // texts alone
	output = bytes.TrimSpace(output)
	switch {
	case len(output) == 0 || !json.Valid(output):
		return object
	case output[0] != '{':
		output = fmt.Appendf(nil, `{"items":%s}`, output)
	}
	if rest := bytes.TrimSpace(output[1:]); rest[0] != '}' {
		object = append(append(object[:len(object)-1], ','), rest...)
	}
	return object
}

// failedCells collects the errors of cells.
type failedCells struct {
	cells int // in all
	names []string
	errs  []error
}

func (f *failedCells) add(name string, err error) {
	if err != nil {
		f.names, f.errs = append(f.names, name), append(f.errs, &cellError{name, err})
	}
}

func (f *failedCells) err() error {
	if len(f.errs) == 0 {
		return nil
	}
	return f
}

func (f *failedCells) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %s failed:", len(f.errs), counted(f.cells, "cell"))
	for _, err := range f.errs {
		b.WriteString("\n  " + strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return b.String()
}

func (f *failedCells) Unwrap() []error { return f.errs }
