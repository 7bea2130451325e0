// Testmatrix runs go test with each of several versions of PostgreSQL and Centrifugo, at the root
// of the checkout, and prints a table of the results.
//
//	testmatrix [-in-turn] -postgres 15,16,17,18 -centrifugo 6,5 -- [go test flags] ./...
//
// It runs all combinations; with -in-turn, each version of PostgreSQL with only one of Centrifugo:
// 15 with 6, 16 with 5, 17 with 6, 18 with 5. The two servers do not know each other.
//
// A PostgreSQL that is not installed is fetched by .ci/fetch-postgres, a Centrifugo that is not
// installed is built by make. A combination whose servers cannot be had fails with the reason. The
// exit code is 1 if a combination failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(code)
}

// run returns the exit code: 2 if the arguments are wrong.
func run(ctx context.Context, args []string, out io.Writer) (code int) {
	flags := flag.NewFlagSet("testmatrix", flag.ContinueOnError)
	postgres := flags.String("postgres", "15,16,17,18", "major versions of PostgreSQL")
	centrifugo := flags.String("centrifugo", "6,5", "major versions of Centrifugo")
	inTurn := flags.Bool("in-turn", false, "run each version of PostgreSQL with one of Centrifugo, in turn")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	postgresMajors, err := parseMajors(*postgres)
	if err == nil {
		var centrifugoMajors []int
		if centrifugoMajors, err = parseMajors(*centrifugo); err == nil {
			m := matrix{postgres: postgresMajors, centrifugo: centrifugoMajors, inTurn: *inTurn, args: flags.Args()}
			return m.run(ctx, out)
		}
	}
	fmt.Fprintln(out, "testmatrix:", err)
	return 2
}

func parseMajors(list string) (majors []int, err error) {
	for _, field := range strings.Split(list, ",") {
		major, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(field), "v"))
		if err != nil {
			return nil, fmt.Errorf("%q is no list of major versions", list)
		}
		majors = append(majors, major)
	}
	return majors, nil
}

// matrix is what to run.
type matrix struct {
	postgres, centrifugo []int // major versions
	inTurn               bool
	args                 []string // of go test
}

// run runs the combinations one after the other and returns the exit code.
func (m matrix) run(ctx context.Context, out io.Writer) (code int) {
	finder := &finder{log: os.Stderr}
	defer finder.remove()
	centrifugos := make([]binary, len(m.centrifugo))
	for i, major := range m.centrifugo {
		centrifugos[i] = finder.centrifugo(ctx, major)
	}
	var cells []cell
	for i, major := range m.postgres {
		server, brokers := finder.postgres(ctx, major), centrifugos
		if m.inTurn {
			n := i % len(centrifugos)
			brokers = centrifugos[n : n+1]
		}
		for _, broker := range brokers {
			c := cell{postgres: server, centrifugo: broker}
			if c.err = errors.Join(server.err, broker.err); c.err == nil {
				fmt.Fprintf(out, "\n=== PostgreSQL %s, Centrifugo %s\n", server.version, broker.version)
				started := time.Now()
				c.tally, c.err = test(ctx, server.path, broker.path, m.args, out)
				c.time = time.Since(started)
			}
			cells = append(cells, c)
		}
	}
	fmt.Fprint(out, "\n", table(cells))
	for _, c := range cells {
		if c.err != nil {
			code = 1
		}
	}
	return code
}
