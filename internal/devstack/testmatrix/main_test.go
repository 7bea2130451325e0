package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const events = `{"Action":"start","Package":"p/a"}
{"Action":"run","Package":"p/a","Test":"TestGood"}
{"Action":"output","Package":"p/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"p/a","Test":"TestGood/sub"}
{"Action":"pass","Package":"p/a","Test":"TestGood"}
{"Action":"output","Package":"p/a","Output":"PASS\n"}
{"Action":"output","Package":"p/a","Output":"ok  \tp/a\t0.1s\n"}
{"Action":"pass","Package":"p/a"}
{"Action":"output","Package":"p/b","Test":"TestBad","Output":"    b_test.go:1: bad\n"}
{"Action":"fail","Package":"p/b","Test":"TestBad"}
{"Action":"output","Package":"p/b","Test":"TestAbsent","Output":"    b_test.go:2: absent\n"}
{"Action":"skip","Package":"p/b","Test":"TestAbsent"}
{"Action":"output","Package":"p/b","Test":"TestEndless","Output":"panic: test timed out\n"}
{"Action":"output","Package":"p/b","Output":"FAIL\tp/b\t0.2s\n"}
{"Action":"fail","Package":"p/b"}
{"Action":"output","Package":"p/none","Output":"?   \tp/none\t[no test files]\n"}
{"Action":"skip","Package":"p/none"}
{"Action":"build-output","ImportPath":"p/c","Output":"c.go:1: syntax error\n"}
not an event
`

func TestReport(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	got, err := report(strings.NewReader(events), &out)
	if want := (tally{passed: 2, failed: 1, skipped: 1}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	want := "ok  \tp/a\t0.1s\n    b_test.go:1: bad\n    b_test.go:2: absent\nFAIL\tp/b\t0.2s\n" +
		"panic: test timed out\nc.go:1: syntax error\nnot an event\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	six := binary{version: "v6.9.1"}
	got := table([]cell{
		{postgres: binary{version: "15.13"}, centrifugo: six, tally: tally{passed: 1234}, time: 90 * time.Second},
		{postgres: binary{version: "18"}, centrifugo: six, err: errors.New("npm ci: exit status 1\nno network")},
	})
	want := `PostgreSQL  Centrifugo  passed  failed  skipped  time   result
15.13       v6.9.1      1234    0       0        1m30s  ok
18          v6.9.1      0       0       0        0s     FAIL: npm ci: exit status 1; no network
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMajors(t *testing.T) {
	t.Parallel()
	if got, err := parseMajors("15, v6"); err != nil || !slices.Equal(got, []int{15, 6}) {
		t.Errorf("got %v, %v", got, err)
	}
	if code := run(context.Background(), []string{"-postgres", "new"}, io.Discard); code != 2 {
		t.Errorf("exit code: got %d, want 2", code)
	}
}

// TestServersThatCannotBeHad runs no combination, since there is none of the servers.
func TestServersThatCannotBeHad(t *testing.T) {
	t.Chdir(t.TempDir()) // without .ci/fetch-postgres and a Makefile
	t.Setenv("FANFARE_CENTRIFUGO_BIN", "")
	t.Setenv("PATH", t.TempDir())
	for _, c := range []struct {
		args []string
		want []string // the combinations
	}{
		{[]string{"-postgres", "13,14", "-centrifugo", "4,5"}, []string{"13 v4", "13 v5", "14 v4", "14 v5"}},
		{[]string{"-in-turn", "-postgres", "12,13,14", "-centrifugo", "4,5"}, []string{"12 v4", "13 v5", "14 v4"}},
		{[]string{"-in-turn", "-postgres", "14", "-centrifugo", "4,5"}, []string{"14 v4"}},
	} {
		var out strings.Builder
		if code := run(t.Context(), c.args, &out); code != 1 {
			t.Errorf("%v: got exit code %d, want 1", c.args, code)
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n")[1:] {
			fields := strings.Fields(line)
			got = append(got, fields[0]+" "+fields[1])
			if len(fields) < 8 || fields[6] != "FAIL:" {
				t.Errorf("%v: got %q, want a failure with its reason", c.args, line)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v: combinations (-want +got):\n%s", c.args, diff)
		}
	}
}

func TestCopyForTheServersAccount(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("an ordinary user's servers run as that user")
	}
	private := filepath.Join(t.TempDir(), "private")
	bin := filepath.Join(private, "native", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "postgres"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	f := &finder{log: io.Discard}
	dir, err := f.reachable(bin)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		info, err := os.Stat(filepath.Join(dir, "postgres"))
		if err != nil || info.Mode().Perm() != 0o755 || !openToAll(dir) {
			t.Errorf("%s: got %v, %v; want a copy that every account can run", dir, info, err)
		}
	}
	f.remove()
	if _, err := os.Stat(bin); err != nil {
		t.Errorf("after remove: %v, want the original", err)
	}
}
