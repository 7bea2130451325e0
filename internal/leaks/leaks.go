// Package leaks tells tests whether they have left goroutines behind.
package leaks

import (
	"fmt"
	"os"
	"time"

	"go.uber.org/goleak"
)

// timeout outlasts goroutines that are bound by a timer: a WebSocket client's outlive their last
// command by its read timeout, 5 seconds.
const timeout = 7 * time.Second

// Find returns an error that shows the goroutines which are still there once they had time to end.
func Find() (err error) {
	for deadline := time.Now().Add(timeout); ; {
		if err = goleak.Find(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Main runs a package's tests and exits the process; tests that pass and leave goroutines behind
// fail.
func Main(m interface{ Run() int }) {
	code := m.Run()
	if err := Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
