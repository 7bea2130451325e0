package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// lines is an Out that calls a function with each line.
type lines func(line []byte) error

func (l lines) Write(p []byte) (int, error) { return len(p), l(p) }

// TestDemo plays all scenes without pauses, then records an activity as a person could.
func TestDemo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var results []Result
	var summary Summary
	received := map[string]bool{}
	err := Run(ctx, Options{JSON: true, Keep: true, Duration: -1, Out: lines(func(line []byte) error {
		switch typeOf(t, line) {
		case "scene":
			results = append(results, decode[Result](t, line))
		case "summary":
			summary = decode[Summary](t, line)
		case "connection":
			c := decode[Connection](t, line)
			return record(ctx, c.WriterURL, c.Statement)
		case "live":
			l := decode[Live](t, line)
			if l.Summary == "Hello from psql" {
				received[l.Who] = true
			}
			if received[ada] && received[ines] && received[scout] {
				cancel()
			}
		}
		return nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if len(r.Mismatches) > 0 {
			t.Errorf("scene %d, %s: %s", r.Number, r.Title, strings.Join(r.Mismatches, "; "))
		}
	}
	want := Summary{Scenes: 22, Committed: 18, RolledBack: 1, Deliveries: 36, Shared: 12, InboxRows: 37, Requests: 12}
	got := summary
	got.Type, got.P50, got.P99, got.RequestP99, got.Seconds = "", 0, 0, 0, 0
	if len(results) != want.Scenes {
		t.Errorf("scenes: got %d, want %d", len(results), want.Scenes)
	}
	requests := 0
	for _, r := range results {
		requests += len(r.Requests)
	}
	if requests != want.Requests {
		t.Errorf("requests in the scenes: got %d, want %d", requests, want.Requests)
	}
	if summary.P50 <= 0 || summary.P99 < summary.P50 {
		t.Errorf("latency: got p50 %v ms and p99 %v ms", summary.P50, summary.P99)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got)\n%s", diff)
	}
}

// TestDemoThatFindsAMismatch plays scenes whose declarations are wrong.
func TestDemoThatFindsAMismatch(t *testing.T) {
	t.Parallel()
	wrong := script()[0]
	wrong.recipients = reasons{ada: delegator, bruno: subscribed, dilan: subscribed}
	delete(wrong.others, dilan)
	request := scene{
		title: "A request", recording: recording{tenant: aurora, actor: ada}, unread: map[string]int{ada: 7},
		do: func(ctx context.Context, a actors, _ recording) (outcome, error) {
			_, err := a.requests.as(borealis, noor).get(ctx, "/v1/audit", http.StatusOK)
			return outcome{}, err
		},
	}
	var out bytes.Buffer
	err := run(t.Context(), Options{Duration: -1, Out: &out}, []scene{wrong, request})
	if !errors.Is(err, ErrMismatch) {
		t.Errorf("got %v, want ErrMismatch", err)
	}
	for _, want := range []string{
		"✗ MISMATCH  Scout received it and is not a recipient",
		"✗ MISMATCH  Dilan Kaya did not receive it",
		"✗ MISMATCH  GET /v1/audit: got status 403, want 200",
		"✗ MISMATCH  Ada Okafor received the unread counts [], want [7]",
		"✗ 6 MISMATCHES",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// TestDemoThatIsInterrupted ends the demo before the first scene.
func TestDemoThatIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	err := Run(ctx, Options{Duration: time.Hour, Out: io.MultiWriter(&out, lines(func(line []byte) error {
		if bytes.Contains(line, []byte("Both tenants have the same")) {
			cancel()
		}
		return nil
	}))})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	for _, want := range []string{
		"fanfare demo", "PostgreSQL at", "Centrifugo at", "migrations applied", "API at", "15 WebSockets",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestDemoThatCannotWrite(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	if err := Run(t.Context(), Options{Out: lines(func([]byte) error { return full })}); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

func TestDemoWithoutCentrifugo(t *testing.T) {
	t.Parallel()
	absent := filepath.Join(t.TempDir(), "centrifugo")
	err := Run(t.Context(), Options{Centrifugo: absent})
	if err == nil || !strings.Contains(err.Error(), absent) || errors.Is(err, devstack.ErrNoCentrifugo) {
		t.Errorf("got %v, want an error that names %s", err, absent)
	}
}

func typeOf(t testing.TB, line []byte) string {
	t.Helper()
	if n := bytes.Count(line, []byte("\n")); n != 1 || !bytes.HasSuffix(line, []byte("\n")) {
		t.Errorf("got %d lines, want one:\n%s", n, line)
	}
	return decode[struct{ Type string }](t, line).Type
}

func decode[T any](t testing.TB, line []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(line, &v); err != nil {
		t.Errorf("%v in %s", err, line)
	}
	return v
}

func record(ctx context.Context, databaseURL, statement string) error {
	return pg.WithConn(ctx, databaseURL, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement)
		return err
	})
}
