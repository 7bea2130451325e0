package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/outbox"
)

func TestSkew(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	second := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Second))) }
	for name, c := range map[string]struct {
		r    clockReading
		want time.Duration
		warn string
	}{
		"same":                 {clockReading{second(0), second(1), second(0.5), second(0.5)}, 0, ""},
		"a slow network":       {clockReading{second(0), second(9), second(8), second(8)}, 0, ""},
		"truncated to seconds": {clockReading{second(0.9), second(0.95), second(0), second(1)}, 0, ""},
		"a little ahead": {
			clockReading{second(0), second(1), second(2.5), second(2.5)}, 1500 * time.Millisecond, "",
		},
		"ahead": {
			clockReading{second(0), second(1), second(5), second(5)}, 4 * time.Second, "4s ahead of this machine's",
		},
		"behind": {
			clockReading{second(10), second(11), second(5), second(6)}, -4 * time.Second, "4s behind this machine's",
		},
		"behind, within the limit": {clockReading{second(10), second(11), second(7), second(8)}, -2 * time.Second, ""},
	} {
		if got := c.r.skew(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		f := c.r.evaluate("PostgreSQL", "a consequence")
		if (f.status == Warn) != (c.warn != "") || !strings.Contains(f.detail, c.warn) {
			t.Errorf("%s: got %s, %q, want %q", name, f.status, f.detail, c.warn)
		}
	}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		got    finding
		status Status
		texts  string
	}{
		"PostgreSQL 14": {
			evaluateServerVersion(14), Fail, "PostgreSQL 14 is too old upgrade PostgreSQL to version 15 or later",
		},
		"PostgreSQL 18": {evaluateServerVersion(18), OK, "PostgreSQL 18; version 15 or later is required"},
		"Centrifugo 4": {
			evaluateCentrifugoVersion([]string{"5.4.9", "4.1.5"}, true), Fail,
			"Centrifugo 4.1.5 is too old upgrade Centrifugo to v5 or v6",
		},
		"Centrifugo 5": {
			evaluateCentrifugoVersion([]string{"5.4.9"}, true), OK, "Centrifugo 5.4.9 supports batches",
		},
		"Centrifugo 6": {
			evaluateCentrifugoVersion([]string{"v6.2.0"}, true), OK, "Centrifugo v6.2.0 supports batches",
		},
		"Centrifugo 10": {
			evaluateCentrifugoVersion([]string{"10.0.0"}, true), OK, "Centrifugo 10.0.0 supports batches",
		},
		"Centrifugos": {
			evaluateCentrifugoVersion([]string{"5.4.9", "6.0.0"}, true), Warn,
			"different versions: 5.4.9, 6.0.0 complete the upgrade",
		},
		"a version without number": {
			evaluateCentrifugoVersion([]string{"edge"}, true), OK, "Centrifugo edge supports batches",
		},
		"no version, no batches": {
			evaluateCentrifugoVersion([]string{"0.0.0"}, false), Fail,
			"does not support batches upgrade Centrifugo to v5 or v6",
		},
		"received twice": {
			evaluateDelivery(2, time.Millisecond, time.Second), Warn, "arrived 2 times check Centrifugo's engine",
		},
		"connections in use": {
			evaluateConnections(connectionUse{limit: 20, used: 15}, 11), Warn,
			"15 of 20 are in use raise max_connections",
		},
		"other channels": {
			evaluateOwnChannel([]string{"news", "user:#a.b"}, "user:#a.b"), Warn,
			"more than its principal's own channel: news, user:#a.b",
		},
		"no pooler": {
			evaluatePooler(database.Pooling{Statements: true}, pgx.QueryExecModeCacheStatement), OK,
			"a session of its own",
		},
		"a pooler that mixes up prepared statements": {
			evaluatePooler(database.Pooling{Transactions: true}, pgx.QueryExecModeCacheStatement), Fail,
			"default_query_exec_mode=exec",
		},
		"a pooler, and no prepared statements": {
			evaluatePooler(database.Pooling{Transactions: true}, pgx.QueryExecModeExec), OK, "no statement is prepared",
		},
		"a pooler that keeps track of prepared statements": {
			evaluatePooler(
				database.Pooling{Transactions: true, Statements: true}, pgx.QueryExecModeCacheStatement,
			), OK, "keeps track of prepared statements",
		},
		"a pooler, and descriptions apart from executions": {
			evaluatePooler(database.Pooling{Transactions: true, Statements: true}, pgx.QueryExecModeDescribeExec), Fail,
			"separates the description",
		},
		"no clock": {
			checkCentrifugoClock(context.Background(), &examination{}), Skipped, "no header Date",
		},
	} {
		if text := c.got.detail + " " + c.got.remedy; c.got.status != c.status || !strings.Contains(text, c.texts) {
			t.Errorf("%s: got %s, %q, want %s, %q", name, c.got.status, text, c.status, c.texts)
		}
	}
}

func TestCombine(t *testing.T) {
	t.Parallel()
	got := combine(
		[]finding{
			passed("a works"),
			warning("b is slow", "tune b"),
			failure("c is broken", "correct c"),
			failure("c is broken", "correct c"),
		},
	)
	if want := (finding{Fail, "b is slow; c is broken", "tune b; correct c"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := combine([]finding{passed("a"), passed("b")}), (finding{OK, "a; b", ""}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestServedBy(t *testing.T) {
	t.Parallel()
	plan := []byte(`[{"Plan": {"Node Type": "Hash Join", "Plans": [
		{"Node Type": "Seq Scan", "Relation Name": "grants", "Schema": "app", "Alias": "g",
		 "Filter": "((g.gone IS NULL) AND (g.org = 'T'::uuid) AND ((g.who)::uuid = 'V'::uuid))"},
		{"Node Type": "Hash", "Plans": [
			{"Node Type": "Seq Scan", "Relation Name": "roles", "Schema": "app", "Alias": "r"}]}]}}]`)
	scans, err := readPlan(plan)
	if err != nil || len(scans) != 2 || scans[0].table != "grants" || scans[1].table != "roles" {
		t.Fatalf("got %+v, %v", scans, err)
	}
	for _, c := range []struct {
		index index
		want  bool
	}{
		{index{[]string{"org", "((who)::uuid)"}, ""}, true},
		{index{[]string{"((who)::uuid)", "role"}, "(gone IS NULL)"}, true},
		{index{[]string{"((who)::uuid)"}, "(kind = 1)"}, false},
		{index{[]string{"org"}, ""}, false},
		{index{[]string{"org", "role", "((who)::uuid)"}, ""}, false},
		{index{[]string{"who"}, ""}, false},
	} {
		if got := scans[0].servedBy(c.index, "V"); got != c.want {
			t.Errorf("%+v: got %t, want %t", c.index, got, c.want)
		}
	}
	if _, err := readPlan([]byte(`{`)); err == nil {
		t.Error("a truncated plan: got no error")
	}
}

// TestDatabaseErrors checks that errors of pgx are described by their causes.
func TestDatabaseErrors(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	reported := &pgconn.PgError{Severity: "FATAL", Message: "too many connections", Code: "53300"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("read: %w", reported), "too many connections (SQLSTATE 53300)"},
		{
			errors.Join(fmt.Errorf("host a: %w", refused), fmt.Errorf("host b: %w", refused)),
			"dial tcp: connection refused",
		},
		{
			fmt.Errorf("all hosts: %w", errors.Join(refused, reported)),
			"dial tcp: connection refused; too many connections (SQLSTATE 53300)",
		},
		{errors.New("conn busy"), "conn busy"},
	} {
		if got := describeDatabaseError(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

// TestChecks checks that ids are unique and that a check follows the checks that it requires.
func TestChecks(t *testing.T) {
	t.Parallel()
	var before []string
	for _, c := range checks() {
		for _, id := range c.requires {
			if !slices.Contains(before, id) {
				t.Errorf("%s requires %s, which does not run before it", c.id, id)
			}
		}
		if slices.Contains(before, c.id) {
			t.Errorf("got two checks %s", c.id)
		}
		before = append(before, c.id)
	}
}

func TestRunChecksStopsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	unexpected := func(context.Context, *examination) finding { return failure("the check ran", "none") }
	report := runChecks(ctx, &examination{Options: Options{Timeout: time.Minute}}, []check{
		{"slow", nil, func(context.Context, *examination) finding { cancel(); return passed("in the end") }},
		{"late", nil, unexpected},
		{"later", []string{"late"}, unexpected},
	})
	if got := report.Diagnostics; !report.OK || got[0].Status != OK || got[1].Status != Skipped ||
		got[2].Detail != "skipped: see late" {
		t.Errorf("got %+v, want ok and two skipped", got)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	report := Report{Diagnostics: []Diagnostic{
		{"a", OK, "works", ""},
		{"bbb", Warn, "is slow", "tune it"},
		{"cc", Fail, "is broken", "correct it"},
		{"d", Skipped, "skipped: see cc", ""},
	}}
	for color, want := range map[bool]string{
		false: `✓ a    works
! bbb  is slow
       → tune it
✗ cc   is broken
       → correct it
· d    skipped: see cc

1 of 4 checks passed, 1 with a warning, 1 failed, 1 skipped.
`,
		true: "\x1b[32m✓\x1b[0m a    works\n",
	} {
		var b strings.Builder
		if err := report.WriteText(&b, color); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want && (!color || !strings.HasPrefix(got, want)) {
			t.Errorf("colour %t: got\n%s\nwant\n%s", color, got, want)
		}
	}
}

func TestEvaluateLanes(t *testing.T) {
	t.Parallel()
	if got := evaluateLanes(nil); got.status != OK {
		t.Errorf("no holder: got %+v, want it passed", got)
	}
	got := evaluateLanes([]outbox.Holder{{PID: 7, Role: "stranger", Lanes: 64, For: 90 * time.Second}})
	want := failure("a session of role stranger (process 7) holds 64 of 64 lanes for 1m30s, and their activities wait",
		"SELECT pg_terminate_backend(7);")
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
