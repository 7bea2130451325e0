package demo

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestPrintedCommands has a shell run what a kept demo prints, as it is printed.
func TestPrintedCommands(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	printed := make(chan []string, 1)
	heard := make(chan struct{})
	var once sync.Once
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, Options{Keep: true, Duration: -1, Color: ColorNever, Out: lines(func(text []byte) error {
			if strings.Contains(string(text), "Still running.") {
				printed <- shellLines(string(text))
			}
			if strings.Contains(string(text), "● Farid") {
				once.Do(func() { close(heard) })
			}
			return nil
		})}, script()[:1])
	}()
	var given []string
	select {
	case given = <-printed:
	case err := <-ended:
		t.Fatalf("the demo ended: %v", err)
	}
	// What each of the commands prints, in their order.
	want := []string{
		`"unread_count":`, `"unread_count":`, `"marked_count":`, `"scope":"descendants"`, `"filter_mode":"custom"`, `"items":`, endless,
		`"user_agent":"fanfare-demo"`, `"connection_token":`,
	}
	if len(given) != 1+len(want) {
		t.Fatalf("got a setup and %d commands, want %d:\n%s", len(given)-1, len(want), strings.Join(given, "\n"))
	}
	setup := given[0]
	for i, want := range want {
		if want == endless {
			continue
		}
		out, err := exec.CommandContext(ctx, "sh", "-euc", setup+given[1+i]).Output()
		if err != nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "/problems/") {
			t.Errorf("%s\n%v, and no %s in\n%s", given[1+i], err, want, out)
		}
	}
	// He subscribed, and asked for runs.
	select {
	case <-heard:
	case err := <-ended:
		t.Fatalf("the demo ended: %v", err)
	}
	follow(ctx, t, setup+given[7], cancel)
	if err := <-ended; err != nil {
		t.Errorf("the demo: %v", err)
	}
}

// endless stands for what ends with the demo only.
const endless = "a stream"

// follow runs a command that prints a stream, ends the demo once there is an activity in it, and
// waits for the stream's end.
func follow(ctx context.Context, t *testing.T, command string, end func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-euc", command)
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	var events []string
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if event, is := strings.CutPrefix(scanner.Text(), "event: "); is {
			events = append(events, event)
			end()
		}
	}
	if err := shell.Wait(); err != nil {
		t.Errorf("%s\n%v", command, err)
	}
	if n := len(events); n < 2 || events[0] != "activity" || events[n-1] != "dropped" {
		t.Errorf("got the events %q, want activities, and that the stream is dropped when the server ends", events)
	}
	end()
}

// shellLines returns what a shell is to be given first, and then each command that is printed.
func shellLines(text string) []string {
	var found []string
	setup, goesOn := "", false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "API="), strings.HasPrefix(line, "AUTH="):
			setup += line
		case strings.HasPrefix(line, "curl "):
			found = append(found, line)
			goesOn = strings.HasSuffix(line, "\\\n")
		case goesOn:
			found[len(found)-1] += line
			goesOn = strings.HasSuffix(line, "\\\n")
		}
	}
	return append([]string{setup}, found...)
}
