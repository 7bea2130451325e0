package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// devSQL runs fanfare dev sql with statements on standard input.
func devSQL(t testing.TB, statements string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := process{stdin: strings.NewReader(statements), stdout: &stdout, stderr: &stderr}
	code := run(t.Context(), append([]string{"dev", "sql"}, args...), p)
	return result{code, stdout.String(), stderr.String()}
}

func TestDevSQL(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	db := pgtest.New(t)
	got := devSQL(t, `
		BEGIN;
		CREATE TABLE projects (id int, name text);
		INSERT INTO projects VALUES (1, 'Apollo'), (2, NULL) RETURNING id, name;
		COMMIT;
		SELECT count(*) FROM projects;`, db.URL)
	if want := "1\tApollo\n2\t\n2\n"; got.code != exitOK || got.stdout != want || got.stderr != "" {
		t.Errorf("got %+v, want the rows %q", got, want)
	}
	got = devSQL(t, `
		SELECT 'before';
		INSERT INTO projects VALUES (3, 'x');
		SELECT nothing FROM projects;
		SELECT 'after'`, db.URL)
	if got.code != exitFailure || strings.Contains(got.stdout, "after") ||
		!strings.Contains(got.stderr, `column "nothing" does not exist`) {
		t.Errorf("a statement that fails: got %+v, want PostgreSQL's error and nothing after it", got)
	}
	if got := devSQL(t, `SELECT count(*) FROM projects`, db.URL); got.stdout != "2\n" {
		t.Errorf("after a statement that failed: got %+v, want none of the statements committed", got)
	}
	if got := devSQL(t, "", db.URL); got != (result{}) {
		t.Errorf("no statement: got %+v, want nothing", got)
	}
	if got := devSQL(t, `SELECT 1`); got.code != exitUsage || !strings.Contains(got.stderr, "the URL of the database") {
		t.Errorf("no argument: got %+v, want a usage error", got)
	}
	if got := devSQL(t, `SELECT 1`, "postgres://u:hunter2@"+refused+"/d"); got.code != exitFailure ||
		strings.Contains(got.stderr, "hunter2") {
		t.Errorf("no server: got %+v, want a failure that does not show the password", got)
	}
}

// TestDevLeavesNothing ends fanfare dev by each signal: no listener, no process and no file is
// left. After SIGKILL, the next start removes the files.
func TestDevLeavesNothing(t *testing.T) {
	t.Parallel()
	killed := startDev(t)
	killed.end(t, syscall.SIGKILL)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		d := startDev(t)
		waittest.Until(t, "no file of the killed process is left", func() bool { return len(killed.files()) == 0 })
		d.commands(t)
		d.end(t, signal)
		if left := d.files(); len(left) != 0 {
			t.Errorf("%v: got %q left, want no file", signal, left)
		}
	}
}

// devProcess is a fanfare dev in a process of its own.
type devProcess struct {
	process   *exec.Cmd
	ended     chan error
	out       *logged
	dir       string // of the programs
	addresses []string
	dirs      []string // of everything
}

var (
	devURL = regexp.MustCompile(`(?:http|ws|postgres)://[^\s'/]+`)
	devEnv = regexp.MustCompile(`(?m)^\. (\S+)/env$`)

	// devCommand matches a command in SQL: the name of its database's variable, and its statements.
	devCommand = regexp.MustCompile(`(?ms)^\S[^\n]*"\$(DATABASE|OWNER)_URL" (<<SQL\n.*?^SQL\n)`)
)

func startDev(t testing.TB) *devProcess {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &devProcess{process: exec.Command(binary, "dev"), ended: make(chan error, 1), out: new(logged)}
	d.process.Env = append(os.Environ(), asProgram+"=1")
	d.process.Stdout, d.process.Stderr = d.out, d.out
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.ended <- d.process.Wait() }()
	t.Cleanup(func() { _ = d.process.Process.Kill() })
	waittest.Until(t, "the guide is printed", func() bool { return d.out.line("Next:") != "" }, d.out)
	guide := d.out.String()
	d.dir = devEnv.FindStringSubmatch(guide)[1]
	for _, text := range devURL.FindAllString(guide, -1) {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		d.addresses = append(d.addresses, u.Host)
	}
	if len(d.addresses) < 3 {
		t.Fatalf("got the addresses %q, want those of the API, PostgreSQL and Centrifugo, in\n%s", d.addresses, guide)
	}
	d.dirs = append(d.dirs, d.dir)
	for _, child := range d.children(t) {
		if dir, err := os.Readlink(fmt.Sprintf("/proc/%s/cwd", child)); err == nil && strings.Contains(dir, "fanfare") {
			d.dirs = append(d.dirs, dir)
		}
	}
	if len(d.dirs) < 3 {
		t.Fatalf("got the directories %q, want those of the programs, PostgreSQL and Centrifugo", d.dirs)
	}
	return d
}

// children returns the ids of the processes that fanfare dev has started.
func (d *devProcess) children(t testing.TB) []string {
	t.Helper()
	pattern := fmt.Sprintf("/proc/%d/task/*/children", d.process.Process.Pid)
	lists, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var children []string
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		children = append(children, strings.Fields(string(text))...)
	}
	return children
}

// commands runs the guide's commands in SQL as they are printed where psql is not installed.
func (d *devProcess) commands(t testing.TB) {
	t.Helper()
	sql := devCommand.FindAllStringSubmatch(d.out.String(), -1)
	if len(sql) != 2 {
		t.Fatalf("got the commands %q, want two in SQL, in\n%s", sql, d.out)
	}
	shell := func(i int) string {
		script := fmt.Sprintf(". %s/env\n%s dev sql \"$%s_URL\" %s", d.dir, d.process.Path, sql[i][1], sql[i][2])
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
		cmd.Env = []string{asProgram + "=1"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v\n%s", script, err, out)
		}
		return string(out)
	}
	if got := strings.TrimSpace(shell(0)); len(got) != 36 {
		t.Errorf("recording: got %q, want the id of the activity", got)
	}
	waittest.Until(t, "the inbox has the activity", func() bool {
		return strings.HasPrefix(shell(1), "project.updated\tHello from SQL\t")
	})
}

// end sends a signal, and verifies that no listener and no process is left.
func (d *devProcess) end(t testing.TB, signal syscall.Signal) {
	t.Helper()
	children := d.children(t)
	if len(children) < 2 {
		t.Errorf("got the children %q, want at least PostgreSQL and Centrifugo", children)
	}
	if err := d.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	err := <-d.ended
	if signal != syscall.SIGKILL && err != nil {
		t.Errorf("%v: got %v, want exit code 0\n%s", signal, err, d.out)
	}
	for _, child := range children {
		waittest.Until(t, fmt.Sprintf("%v: process %s has ended", signal, child), func() bool { return !runs(child) })
	}
	for _, address := range d.addresses {
		waittest.Until(t, fmt.Sprintf("%v: no listener on %s", signal, address), func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				_ = conn.Close()
			}
			return err != nil
		})
	}
}

// runs reports whether a process runs; one that ended and was not reaped does not.
func runs(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

// files returns the directories that still exist.
func (d *devProcess) files() (left []string) {
	for _, dir := range d.dirs {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			left = append(left, dir)
		}
	}
	return left
}
