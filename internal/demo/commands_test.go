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

// TestPrintedCommands runs the commands that a kept demo prints in a shell, as they are printed.
func TestPrintedCommands(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	printed := make(chan []string, 1)
	received := make(chan struct{})
	var once sync.Once
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, Options{Keep: true, Duration: -1, Color: ColorNever, Out: lines(func(text []byte) error {
			if strings.Contains(string(text), "Still running.") {
				printed <- shellLines(string(text))
			}
			if strings.Contains(string(text), "● Farid") {
				once.Do(func() { close(received) })
			}
			return nil
		})}, script()[:1])
	}()
	var lines []string
	select {
	case lines = <-printed:
	case err := <-ended:
		t.Fatalf("the demo ended: %v", err)
	}
	// A part of each command's output, in the order of the commands.
	want := []string{
		`"unread_count":`, `"unread_count":`, `"marked_count":`, `"scope":"descendants"`, `"filter_mode":"custom"`,
		`"items":`, endless, `"user_agent":"fanfare-demo"`, `"connection_token":`,
	}
	if len(lines) != 1+len(want) {
		t.Fatalf("got a setup and %d commands, want %d:\n%s", len(lines)-1, len(want), strings.Join(lines, "\n"))
	}
	setup := lines[0]
	for i, want := range want {
		if want == endless {
			continue
		}
		out, err := exec.CommandContext(ctx, "sh", "-euc", setup+lines[1+i]).Output()
		if err != nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "/problems/") {
			t.Errorf("%s\n%v, and no %s in\n%s", lines[1+i], err, want, out)
		}
	}
	// Farid subscribed to Equities and selected runs.
	select {
	case <-received:
	case err := <-ended:
		t.Fatalf("the demo ended: %v", err)
	}
	follow(ctx, t, setup+lines[7], cancel)
	if err := <-ended; err != nil {
		t.Errorf("the demo: %v", err)
	}
}

// endless marks a command that ends with the demo.
const endless = "a stream"

// follow runs a command that prints a stream, ends the demo when the stream contains an activity,
// and waits for the end of the stream.
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
		t.Errorf("got the events %q, want activities, then a drop when the server stops", events)
	}
	end()
}

// shellLines returns the printed setup, followed by each printed command.
func shellLines(text string) []string {
	var found []string
	setup, continued := "", false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "API="), strings.HasPrefix(line, "AUTH="):
			setup += line
		case strings.HasPrefix(line, "curl "):
			found = append(found, line)
			continued = strings.HasSuffix(line, "\\\n")
		case continued:
			found[len(found)-1] += line
			continued = strings.HasSuffix(line, "\\\n")
		}
	}
	return append([]string{setup}, found...)
}
