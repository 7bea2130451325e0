package sandbox

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

// toolTimeout limits the search for one tool.
const toolTimeout = 10 * time.Second

// tools are the programs that the guide calls. A tool that is missing has a reason.
type tools struct {
	fanfare string // this program
	psql    string // the command that runs SQL from its standard input, without the URL
	goRun   string // the command that runs a file with the packages of Fanfare

	curl, golang, python, node missing
	psycopg, pg                missing // the drivers of PostgreSQL for Python and Node
}

// missing describes what to install, or is "".
type missing string

// findTools searches for the programs of the guide. environ is the environment that they run in;
// nil is that of this process. program is the path of fanfare; "" is that of this process.
func findTools(ctx context.Context, environ []string, program string) tools {
	ok := func(name string, args ...string) bool {
		ctx, cancel := context.WithTimeout(ctx, toolTimeout)
		defer cancel()
		// The shell searches the PATH of environ, as it does for the commands of the guide.
		cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `"$0" "$@"`, name}, args...)...)
		cmd.Env = environ
		return cmd.Run() == nil
	}
	t := tools{fanfare: self(), psql: "psql"}
	if program != "" {
		t.fanfare = quote(program)
	}
	if !ok("psql", "--version") {
		t.psql = psqlWithoutPath(ctx)
	}
	if !ok("curl", "--version") {
		t.curl = "curl is not installed"
	}
	root, inCheckout := devstack.Checkout()
	switch {
	case !ok("go", "version"):
		t.golang = "go is not installed"
	case !inCheckout:
		t.golang = "run fanfare dev in a checkout of Fanfare to run the program in Go"
	default:
		t.goRun = "go -C " + quote(root) + " run"
	}
	if !ok("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 8))") {
		t.python = "python3 is not installed, or older than 3.8"
	}
	if t.psycopg = t.python; t.python == "" && !ok("python3", "-c", "import psycopg") {
		t.psycopg = "python3 lacks the package psycopg: pip install 'psycopg[binary]'," + `
  then python3 "$DEV/sample.py" record`
	}
	if !ok("node", "-e", "process.exit(typeof fetch === 'function' ? 0 : 1)") {
		t.node = "node is not installed, or older than 18"
	}
	if t.pg = t.node; t.node == "" && !ok("node", "-e", "require('pg')") {
		t.pg = "node lacks the package pg: npm install --global pg, export NODE_PATH=$(npm root --global)," + `
  then node "$DEV/sample.js" record`
	}
	return t
}

// psqlWithoutPath returns the psql beside the server, or fanfare dev sql, which needs no other
// program.
func psqlWithoutPath(ctx context.Context) string {
	if dir, err := devstack.FindPostgres(ctx, ""); err == nil {
		if path, err := exec.LookPath(filepath.Join(dir, "psql")); err == nil {
			return quote(path)
		}
	}
	return self() + " dev sql"
}

// self returns this program as a word of a shell.
func self() string {
	path, err := os.Executable()
	if err != nil {
		path = "fanfare"
	}
	return quote(path)
}

// quote returns a text as one word of a shell.
func quote(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./@") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
