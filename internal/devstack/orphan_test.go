package devstack

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfarehq/fanfare/internal/waittest"
)

// orphanVariable makes the test binary start servers, "postgres" or "postgres centrifugo", print
// their addresses and wait to be killed. "nothing" only cleans up, as every start does.
const orphanVariable = "FANFARE_DEVSTACK_ORPHAN"

// orphaned describes what a killed process may leave behind.
type orphaned struct {
	Addresses []string // of its servers
	Dirs      []string // that it created
	UID       int
}

// runOrphan never returns.
func runOrphan(what string) {
	must := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	if what == "nothing" {
		d, err := newWorkdir(true)
		must(err)
		must(d.remove())
		os.Exit(0)
	}
	found := orphaned{UID: os.Geteuid()}
	p, err := StartPostgres(context.Background(), PostgresOptions{})
	must(err)
	found.Addresses = append(found.Addresses, p.address())
	found.Dirs = append(found.Dirs, p.server.dir.path)
	if strings.Contains(what, "centrifugo") {
		c, err := StartCentrifugo(context.Background(), CentrifugoOptions{})
		must(err)
		found.Addresses = append(found.Addresses, local(c.port), local(c.apiPort))
		found.Dirs = append(found.Dirs, c.server.dir.path)
	}
	must(json.NewEncoder(os.Stdout).Encode(found))
	select {}
}

func TestKilledProcessLeavesNothing(t *testing.T) {
	t.Parallel()
	centrifugo, err := FindCentrifugo("")
	if err != nil {
		t.Fatal(err)
	}
	binary := testBinary(t)
	testOrphan(t, "postgres centrifugo", func() *exec.Cmd {
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), centrifugoVariable+"="+centrifugo)
		return cmd
	})
}

// TestKilledProcessOfAnyUserLeavesNothing tests an ordinary user's process if it runs as root.
func TestKilledProcessOfAnyUserLeavesNothing(t *testing.T) {
	t.Parallel()
	as, err := serverAccount() // nil unless root
	if err != nil {
		t.Fatal(err)
	}
	binary := testBinary(t)
	left := testOrphan(t, "postgres", func() *exec.Cmd {
		cmd := exec.Command(binary)
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), "TMPDIR=/tmp")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as.credential()}
		return cmd
	})
	if left.UID == 0 {
		t.Error("the process ran as root")
	}
}

// testOrphan kills a process whose servers run, and verifies that nothing is left when the next one
// has cleaned up.
func testOrphan(t testing.TB, what string, command func() *exec.Cmd) orphaned {
	t.Helper()
	cmd := command()
	cmd.Env = append(cmd.Env, orphanVariable+"="+what)
	left := killOrphan(t, cmd)
	for _, address := range left.Addresses {
		waittest.Until(t, "no listener on "+address, func() bool { return !listens(address) })
	}
	for _, dir := range left.Dirs {
		waittest.Until(t, dir+" is removed", func() bool {
			cmd := command()
			cmd.Env = append(cmd.Env, orphanVariable+"=nothing")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return !exists(dir)
		})
	}
	return left
}

// killOrphan runs cmd until its servers run, and kills it.
func killOrphan(t testing.TB, cmd *exec.Cmd) orphaned {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var left orphaned
	if err := json.Unmarshal(line, &left); err != nil {
		t.Fatalf("the process printed %q", line)
	}
	for _, address := range left.Addresses {
		if !listens(address) {
			t.Errorf("%s: no listener", address)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	return left
}

func listens(address string) bool {
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// testBinary copies this program to a directory in which any user can run it.
func testBinary(t testing.TB) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(executable)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newWorkdir(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.remove(); err != nil {
			t.Error(err)
		}
	})
	path := d.join("devstack.test")
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
