package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tally counts tests, subtests included.
type tally struct {
	passed, failed, skipped int
}

// test runs go test with the servers and prints what go test prints without -v. The error is that
// of the command, or nil if all tests passed.
func test(ctx context.Context, postgres, centrifugo string, args []string, out io.Writer) (tally, error) {
	self, err := os.Executable()
	if err != nil {
		return tally{}, err
	}
	teststack := filepath.Join(filepath.Dir(self), "teststack")
	cmd := exec.CommandContext(ctx, teststack, append([]string{"go", "test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(),
		"FANFARE_TEST_DATABASE_URL=", "FANFARE_POSTGRES_BIN="+postgres, "FANFARE_CENTRIFUGO_BIN="+centrifugo)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // teststack ends its servers
	cmd.WaitDelay = time.Minute
	events, err := cmd.StdoutPipe()
	if err != nil {
		return tally{}, err
	}
	if err := cmd.Start(); err != nil {
		return tally{}, err
	}
	counted, err := report(events, out)
	if waitErr := cmd.Wait(); waitErr != nil {
		err = waitErr
	}
	return counted, err
}

// event is an event of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

// report reads the events of go test -json. It prints the lines about packages, and the output of
// tests that failed or were skipped.
func report(events io.Reader, out io.Writer) (counted tally, err error) {
	type test struct{ pkg, name string }
	outputs := map[test]*strings.Builder{}
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintf(out, "%s\n", lines.Bytes())
			continue
		}
		id := test{e.Package, e.Test}
		switch {
		case e.Action == "output" && e.Test != "":
			if outputs[id] == nil {
				outputs[id] = &strings.Builder{}
			}
			outputs[id].WriteString(e.Output)
		case e.Action == "build-output", e.Action == "output" && !dull(e.Output):
			fmt.Fprint(out, e.Output)
		case e.Action == "fail" && e.Test == "":
			// What is left is of tests that did not end.
			for _, id := range slices.SortedFunc(maps.Keys(outputs), func(a, b test) int {
				return strings.Compare(a.name, b.name)
			}) {
				if id.pkg == e.Package {
					fmt.Fprint(out, outputs[id])
					delete(outputs, id)
				}
			}
		case e.Test != "" && counted.add(e.Action):
			if e.Action != "pass" && outputs[id] != nil {
				fmt.Fprint(out, outputs[id])
			}
			delete(outputs, id)
		}
	}
	return counted, lines.Err()
}

// add counts the end of a test. It reports whether the action is one.
func (t *tally) add(action string) bool {
	switch action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
	case "skip":
		t.skipped++
	default:
		return false
	}
	return true
}

// dull reports whether go test omits the line without -v, or it concerns a package without tests.
func dull(line string) bool { return line == "PASS\n" || strings.HasPrefix(line, "?   \t") }
