package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/gzip"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/tenantdata"
)

// tenantExport is a call of fanfare tenant export.
type tenantExport struct {
	tenant  uuid.UUID
	output  string
	pending bool
	asJSON  bool
}

func newTenantExportCommand(p process) *cobra.Command {
	e := &tenantExport{output: "-"}
	command := &cobra.Command{
		Use:   "export --tenant ID [-o FILE]",
		Short: "Export all rows of a tenant to a file",
		Long: `Export all rows of a tenant, as they are when the command begins, to a file of JSON Lines that
'fanfare tenant import' reads. The tenant stays in use. Relations of the directory that are views are left out.

The file contains secrets: the hashes of service tokens, and the keys with which addresses are hashed. It is
created with the mode 0600, under a name that ends in .partial until it is complete. A name that ends in .gz
selects gzip.

Activities that are not delivered yet are in the log of the file, and remain the task of this database. With
--pending, the database that imports the file delivers them too, so use it only if this one never will: its
workers are stopped for good, or it is a copy. To move a tenant that is in use, use 'fanfare tenant move'.

The command holds one snapshot, which keeps vacuum from removing rows that die meanwhile. It requires a
connection that does not go through a pooler in transaction mode.`,
		Example: `  fanfare tenant export --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f -o tenant.jsonl.gz
  fanfare tenant export --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f > tenant.jsonl`,
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&uuidValue{&e.tenant}, "tenant", "id of the tenant")
	flags.StringVarP(&e.output, "output", "o", e.output, "file to write; - is standard output")
	flags.BoolVar(&e.pending, "pending", false, "let the database that imports deliver what is not delivered yet")
	flags.BoolVar(&e.asJSON, "json", false, "print the number of rows as JSON, with --output only")
	command.PreRunE = func(*cobra.Command, []string) error {
		switch {
		case e.tenant == uuid.Nil:
			return requireTenant(e.tenant)
		case e.output == "":
			return &usageError{"--output must be a file or -"}
		case e.asJSON && e.output == "-":
			return &usageError{"--json requires --output, since standard output gets the rows"}
		}
		return nil
	}
	return withSession(p, command, func(ctx context.Context, conn *pgx.Conn) error { return e.run(ctx, p, conn) })
}

func (e *tenantExport) run(ctx context.Context, p process, conn *pgx.Conn) error {
	if err := tenantdata.Prepare(ctx, conn); err != nil {
		return err
	}
	line := newProgressLine(p, false)
	var trailer *tenantdata.Trailer
	err := writeFile(e.output, p.stdout, func(out io.Writer) error {
		return compressed(e.output, out, func(out io.Writer) (err error) {
			trailer, err = tenantdata.Export(ctx, conn, e.tenant, e.pending, out, countRowsOn(line, "Exported"))
			return err
		})
	})
	line.end()
	if err != nil || e.output == "-" {
		return err
	}
	return writeRows(p, e.asJSON, "exported", trailer.Rows())
}

// compressed calls write with a writer to out, which compresses if the name ends in .gz.
func compressed(name string, out io.Writer, write func(out io.Writer) error) error {
	if !strings.HasSuffix(name, ".gz") {
		return write(out)
	}
	zipped := gzip.NewWriter(out)
	return errors.Join(write(zipped), zipped.Close())
}

// countRowsOn returns a function that shows how many rows were exported or imported.
func countRowsOn(line *progressLine, done string) func(table string, rows int64) {
	var total int64
	started := time.Now()
	return func(table string, rows int64) {
		total += rows
		line.show(fmt.Sprintf("%s: %s, %s rows, %s/s", done, table, grouped(total),
			grouped(int64(float64(total)/time.Since(started).Seconds()))), false)
	}
}

// writeRows prints numbers of rows.
func writeRows(p process, asJSON bool, done string, rows map[string]int64) error {
	if asJSON {
		return writeJSON(p.stdout, map[string]map[string]int64{done: rows})
	}
	table := [][]string{{"TABLE", strings.ToUpper(done)}}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		table = append(table, []string{name, strconv.FormatInt(rows[name], 10)})
	}
	return writeTable(p.stdout, table)
}

func newTenantImportCommand(p process) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "import FILE",
		Short: "Import the rows of a tenant from a file",
		Long: `Import the rows of a tenant from a file that 'fanfare tenant export' has written, in one transaction:
all of them or, after an error, none. - reads standard input; a file with a name that ends in .gz is
decompressed.

The database must have the schema of the file and no row of the tenant. A file that is truncated or changed is
refused, with the line. Relations of the directory that are views here are not written. The command requires a
connection that does not go through a pooler in transaction mode.`,
		Example: `  fanfare tenant import tenant.jsonl.gz
  ssh other fanfare tenant export --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f | fanfare tenant import -`,
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	file := ""
	command.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return &usageError{"exactly one argument is required: the file"}
		}
		file = args[0]
		return nil
	}
	return withSession(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		in, closeFile, err := openFile(file, p.stdin)
		if err != nil {
			return err
		}
		defer closeFile()
		if err := tenantdata.Prepare(ctx, conn); err != nil {
			return err
		}
		line := newProgressLine(p, false)
		header, rows, err := tenantdata.Import(ctx, conn, in, countRowsOn(line, "Imported"))
		line.end()
		if err != nil {
			return fmt.Errorf("%s: %w; nothing was imported", file, err)
		}
		for _, v := range header.Views {
			fmt.Fprintf(p.stderr, "fanfare.%s is not in the file: it was a view where the tenant was exported.\n", v)
		}
		return writeRows(p, asJSON, "imported", rows)
	})
}

// openFile opens a file or standard input, decompressed if the name ends in .gz.
func openFile(name string, stdin io.Reader) (in io.Reader, closeFile func(), err error) {
	if name == "-" {
		if stdin == nil {
			return nil, nil, errors.New("standard input is not available")
		}
		return stdin, func() {}, nil
	}
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, nil, err
	}
	closeFile = func() { _ = file.Close() }
	if !strings.HasSuffix(name, ".gz") {
		return file, closeFile, nil
	}
	in, err = gzip.NewReader(file)
	if err != nil {
		closeFile()
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return in, closeFile, nil
}
