package sandbox

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestPrintedCommands runs every command of the guide in a shell, as it is printed. A tool that the
// guide reports as missing fails the test: make test installs them.
func TestPrintedCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	guide := <-s.printed
	sections := commandsOf(guide)
	if len(sections) != 5 || len(sections[0]) != 1 || len(sections[1]) != 4 || len(sections[2]) != 5 ||
		len(sections[3]) != 4 || len(sections[4]) != 2 {
		t.Fatalf("got the commands %q, want the variables, 4 that record, 5 that read, 4 that listen and 2 that "+
			"print links, in\n%s", sections, guide)
	}
	setup := sections[0][0] + "\n"
	for i, language := range []string{"SQL", "Go", "Python", "Node"} {
		command := sections[1][i]
		if out := shell(t, setup+command); !strings.Contains(out, "recorded") && language != "SQL" {
			t.Errorf("%s\ngot %s, want the id of the activity", command, out)
		}
		for _, command := range sections[2] {
			waittest.Until(t, command+" prints the activity that was recorded in "+language, func() bool {
				return strings.Contains(shell(t, setup+command), "Hello from "+language)
			})
		}
	}
	for _, command := range sections[3] {
		listener := follow(t, setup+command)
		waittest.Until(t, command+" prints an activity that is recorded meanwhile", func() bool {
			shell(t, setup+sections[1][0])
			return listener.printed("Hello from SQL")
		}, &listener.out)
		listener.stop()
	}
	links := linkPattern.FindAllString(guide, -1)
	for _, command := range sections[4] {
		links = append(links, linkPattern.FindString(shell(t, setup+command)))
	}
	checkLinks(t, links)
	s.stop(t)
	if _, err := os.Stat(directoryOf(setup)); !os.IsNotExist(err) {
		t.Errorf("the directory of the programs: got %v, want it removed", err)
	}
}

// TestMissingTools prints a guide on a machine without any of the tools.
func TestMissingTools(t *testing.T) {
	t.Parallel()
	var s sandbox
	none := findTools(t.Context(), []string{"PATH=" + t.TempDir()}, "/bin/fanfare")
	none.psql = "'/bin/fanfare' dev sql" // a psql beside the server is found anywhere
	guide := s.text("/tmp/x", none)
	for _, want := range []string{
		"curl: curl is not installed", "Go: go is not installed", "Python: python3 is not installed",
		"Node: node is not installed", `'/bin/fanfare' dev sql "$DATABASE_URL" <<SQL`,
	} {
		if !strings.Contains(guide, want) {
			t.Errorf("want %q in\n%s", want, guide)
		}
	}
}

// running is a sandbox of a test.
type running struct {
	printed chan string // receives the guide
	cancel  context.CancelFunc
	ended   chan error
}

func start(t *testing.T) *running {
	t.Helper()
	return startWith(t, Options{Program: buildFanfare(t, t.TempDir())})
}

func startWith(t *testing.T, o Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &running{printed: make(chan string, 1), cancel: cancel, ended: make(chan error, 1)}
	var problems lockedBuilder
	go func() {
		o.Out, o.Err, o.Version = s, &problems, "test"
		err := Run(ctx, o)
		if err == nil && problems.String() != "" {
			t.Errorf("the log: got\n%s\nwant nothing", problems.String())
		}
		s.ended <- err
		close(s.printed)
	}()
	t.Cleanup(func() { s.stop(t) })
	return s
}

// Write receives the guide, which Run writes at once.
func (s *running) Write(p []byte) (int, error) {
	s.printed <- string(p)
	return len(p), nil
}

func (s *running) stop(t *testing.T) {
	t.Helper()
	s.cancel()
	if err := <-s.ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
	s.ended <- nil // for a second call
}

// commandsOf returns the commands of each numbered section. A command begins in the first column
// and ends before an empty line.
func commandsOf(guide string) (sections [][]string) {
	open := false
	for line := range strings.Lines(guide) {
		switch {
		case line != "\n" && (open || line[0] != ' '):
			last := &sections[len(sections)-1]
			if !open {
				*last = append(*last, "")
			}
			(*last)[len(*last)-1] += line
			open = true
			continue
		case len(line) > 4 && line[2] >= '1' && line[2] <= '9' && line[3] == '.':
			sections = append(sections, nil)
		}
		open = false
	}
	return sections
}

// directoryOf returns the directory of the programs, which the first command names.
func directoryOf(setup string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(setup), ". "), "/env")
}

func shell(t *testing.T, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sh", "-euc", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", command, err, out)
	}
	return string(out)
}

// listener is a command that prints until it is stopped.
type listener struct {
	cmd  *exec.Cmd
	out  lockedBuilder
	done chan struct{}
}

func follow(t *testing.T, command string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &listener{cmd: exec.CommandContext(ctx, "sh", "-euc", strings.TrimSpace(command)), done: make(chan struct{})}
	ownGroup(l.cmd)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l.cmd.Stdout, l.cmd.Stderr = writer, writer
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	go func() {
		defer close(l.done)
		_, _ = io.Copy(&l.out, bufio.NewReader(reader))
		_ = reader.Close()
	}()
	t.Cleanup(func() { cancel(); l.stop() })
	return l
}

func (l *listener) printed(text string) bool { return strings.Contains(l.out.String(), text) }

// stop ends the command with its children.
func (l *listener) stop() {
	if l.cmd.ProcessState != nil {
		return
	}
	endGroup(l.cmd)
	_ = l.cmd.Wait()
	<-l.done
}

// lockedBuilder collects text for several goroutines.
type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
