package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// exportRecord is a recorded export.
type exportRecord struct {
	Status  string
	Actor   uuid.UUID
	Payload struct {
		Format     string
		Activities int
		Complete   bool
		Filter     map[string]string
	}
}

// exports waits until at least n exports of the tenant are recorded and returns them, latest first.
func (at *tenant) exports(n int) []exportRecord {
	at.w.t.Helper()
	for deadline := time.Now().Add(timeout); ; {
		list, _, err := pglog.New(at.w.db.Pool).
			List(at.w.t.Context(), at.id, activity.Filter{Action: "log.exported"}, activity.Page{})
		if err != nil {
			at.w.t.Fatal(err)
		}
		if len(list) >= n {
			records := make([]exportRecord, len(list))
			for i, a := range list {
				records[i].Status, records[i].Actor = string(a.Status), a.ActorPrincipalID
				if err := json.Unmarshal(a.Payload, &records[i].Payload); err != nil {
					at.w.t.Fatal(err)
				}
			}
			return records
		}
		if time.Now().After(deadline) {
			at.w.t.Fatalf("got %d exports recorded after %v, want %d", len(list), timeout, n)
		}
	}
}

// fill records n activities of about 1 kB each.
func (at *tenant) fill(n int) {
	at.w.t.Helper()
	at.w.exec(`
		INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at,
			recorded_at, resource_type, action, visibility, status, severity, category, delivery_channels, payload)
		SELECT fanfare.uuidv7(x.at), $1, $2, $3, gen_random_uuid(), x.at, x.at, 'signal', 'signal.measured',
			'private', 'success', 'info', 'signal', '{}',
			jsonb_build_object('noise', (SELECT string_agg(md5(x.n || ' ' || i), '') FROM generate_series(1, 30) AS i))
		FROM (SELECT n, now() - n * interval '1 millisecond' AS at FROM generate_series(1, $4::int) AS n) AS x`,
		at.id, at.owner, at.signal, n)
}

func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	reader := w.here.as(w.here.member, identity.ScopeRead)
	formula := w.here.record(
		activity.Envelope{Action: "signal.renamed", ResourceName: "=1+1", Message: "said \"so\",\nand more"},
	)

	response := reader.do("GET", "/v1/activities/export?format=csv", "").want(http.StatusOK)
	name := response.header.Get("Content-Disposition")
	if !strings.HasPrefix(name, `attachment; filename="activities-2`) || !strings.HasSuffix(name, `Z.csv"`) {
		t.Errorf("Content-Disposition: got %q", name)
	}
	records, err := csv.NewReader(bytes.NewReader(response.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, record := range records[1:] {
		ids = append(ids, record[0])
	}
	var want []string
	for _, id := range []uuid.UUID{w.here.shown, w.here.hidden, w.here.addressed, w.here.dead, formula} {
		want = append(want, id.String())
	}
	if !slices.Equal(ids, want) {
		t.Errorf("got the activities %v, want all of the tenant, %v", ids, want)
	}
	if last := records[len(records)-1]; last[8] != "'=1+1" || last[17] != "said \"so\",\nand more" {
		t.Errorf(
			"got the name %q and the message %q, want an escaped formula and the complete message", last[8], last[17],
		)
	}

	query := "?format=jsonl&action=signal.re*&owner=" + w.here.owner.String()
	text := string(reader.do("GET", "/v1/activities/export"+query, "").want(http.StatusOK).body)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 1 || !strings.HasPrefix(lines[0], `{"id":"`+formula.String()+`"`) {
		t.Errorf("filtered: got %q, want %s alone", lines, formula)
	}
	unspecified := reader.do("GET", "/v1/activities/export", "").want(http.StatusOK)
	if got := unspecified.header.Get("Content-Type"); got != "text/csv" {
		t.Errorf("without a format: got %s, want CSV", got)
	}
	reader.do("HEAD", "/v1/activities/export", "").want(http.StatusOK)

	got := w.here.exports(3)
	if len(got) != 3 {
		t.Fatalf("got %d exports recorded, want 3", len(got))
	}
	filtered, complete := got[1].Payload, got[2].Payload
	if got[2].Actor != w.here.member || got[2].Status != "success" || complete.Format != "csv" ||
		complete.Activities != 5 || !complete.Complete || len(complete.Filter) != 0 {
		t.Errorf("recorded: got %+v, want an export of 5 activities by the member", got[2])
	}
	if filtered.Format != "jsonl" || filtered.Activities != 1 || filtered.Filter["action"] != "signal.re*" ||
		filtered.Filter["owner"] != w.here.owner.String() {
		t.Errorf("recorded: got %+v, want the filter too", filtered)
	}
}

func TestExportProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	reader := w.here.as(w.here.member, identity.ScopeRead)
	for _, query := range []string{
		"format=xml", "format=cloudevents", "status=some", "limit=5", "cursor=x",
		"since=2026-02-02T00:00:00Z&until=2026-01-01T00:00:00Z", "actor=me",
	} {
		reader.do("GET", "/v1/activities/export?"+query, "").want(http.StatusUnprocessableEntity)
	}
	w.here.as(w.here.member).do("GET", "/v1/activities/export", "").want(http.StatusForbidden)
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'log.exported'`); got != 0 {
		t.Errorf("got %d exports recorded, want none", got)
	}
}

// listening serves the world over TCP and returns its base URL.
func (w *world) listening() string {
	w.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.server.Run(ctx, listener) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

// exporting requests an export over a connection of its own, and returns the response when it
// begins.
func (at *tenant) exporting(base string, header http.Header, query url.Values) *http.Response {
	at.w.t.Helper()
	request, err := http.NewRequestWithContext(
		at.w.t.Context(),
		http.MethodGet,
		base+"/v1/activities/export?"+query.Encode(),
		nil,
	)
	if err != nil {
		at.w.t.Fatal(err)
	}
	request.Header = at.as(at.member, identity.ScopeRead).header.Clone()
	for name := range header {
		request.Header.Set(name, header.Get(name))
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	at.w.t.Cleanup(transport.CloseIdleConnections)
	response, err := transport.RoundTrip(request)
	if err != nil {
		at.w.t.Fatal(err)
	}
	return response
}

// TestLargeExport streams more than the buffers between server and client hold. A client that does
// not read occupies a slot, and no connection to the database. A client that disconnects releases
// its slot, and its export is recorded as incomplete.
func TestLargeExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const many = 12_000
	w.here.fill(many)
	w.elsewhere.fill(many)
	base := w.listening()
	jsonl := url.Values{"format": {"jsonl"}}
	disconnecting := w.here.exporting(base, nil, jsonl)
	second := w.here.exporting(base, nil, jsonl)
	if second.StatusCode != http.StatusServiceUnavailable || second.Header.Get("Retry-After") == "" ||
		second.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf(
			"a second export of the tenant: got %d %v, want a problem with Retry-After",
			second.StatusCode,
			second.Header,
		)
	}
	_ = second.Body.Close()
	reading := w.elsewhere.exporting(base, nil, jsonl)

	_ = disconnecting.Body.Close()
	if got := w.here.exports(1)[0]; got.Status != "failure" || got.Payload.Complete || got.Payload.Activities >= many {
		t.Errorf("the disconnected client: got %+v, want an incomplete export", got)
	}

	lines := 0
	for scanner := bufio.NewScanner(reading.Body); scanner.Scan(); lines++ {
		if !json.Valid(scanner.Bytes()) {
			t.Fatalf("got a line %s", scanner.Bytes())
		}
	}
	_ = reading.Body.Close()
	if lines < many {
		t.Errorf("got %d lines, want at least %d", lines, many)
	}
	if got := w.elsewhere.exports(1)[0]; got.Status != "success" || got.Payload.Activities != lines {
		t.Errorf("the reading client: got %+v, want %d activities", got, lines)
	}

	zipped := w.here.exporting(
		base,
		http.Header{"Accept-Encoding": {"gzip"}},
		url.Values{"format": {"csv"}, "action": {"signal.measured"}},
	)
	defer func() { _ = zipped.Body.Close() }()
	reader, err := gzip.NewReader(zipped.Body)
	if err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("compressed: got %v, %v", zipped.Header, err)
	}
	records, err := csv.NewReader(reader).ReadAll()
	if err != nil || len(records) != many+1 {
		t.Errorf("compressed: got %d records, %v, want %d", len(records), err, many+1)
	}
}

// TestAbortedExport makes the database fail during an export, and checks that the client detects
// it.
func TestAbortedExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const many = 12_000
	w.here.fill(many)
	response := w.here.exporting(w.listening(), nil, url.Values{})
	defer func() { _ = response.Body.Close() }()
	w.exec(`ALTER TABLE fanfare.activities RENAME TO renamed`)
	text, err := io.ReadAll(response.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v after %d bytes, want an unexpected EOF", err, len(text))
	}
}

// TestExportToSlowClient reads an export slower than the buffers between server and client fill,
// and checks that it is complete.
func TestExportToSlowClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const many = 6_000
	w.here.fill(many)
	response := w.here.exporting(w.listening(), nil, url.Values{"format": {"jsonl"}, "action": {"signal.measured"}})
	defer func() { _ = response.Body.Close() }()
	lines, block := 0, make([]byte, 16<<10)
	for pause := time.NewTicker(5 * time.Millisecond); ; <-pause.C {
		n, err := response.Body.Read(block)
		lines += bytes.Count(block[:n], []byte("\n"))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("after %d lines: %v", lines, err)
		}
	}
	if lines != many {
		t.Errorf("got %d lines, want %d", lines, many)
	}
}

// TestReadOnlyDatabase checks what a server answers whose database may only be read, as on a
// standby: reads succeed, writes and what has to be recorded are refused before anything is sent.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	config := w.db.Pool.Config()
	config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w.server = w.newServer(func(o *api.Options) { o.Pool = pool })
	member, reader := w.here.as(w.here.member), w.here.as(w.here.member, identity.ScopeAdmin)
	member.do("GET", "/v1/activities", "").want(http.StatusOK)
	member.do("GET", "/v1/notifications", "").want(http.StatusOK)
	for _, each := range []struct {
		client
		method, target, body string
	}{
		{reader, "GET", "/v1/activities/export", ""},
		{member, "PATCH", "/v1/notifications/" + w.here.shown.String(), `{"read":true}`},
		{member, "POST", "/v1/notifications/mark-all-read", ""},
		{member, "PUT", "/v1/notifications/preferences", `{"muted":true}`},
		{reader, "PUT", "/v1/tenant/preferences", `{"muted":true}`},
		{member, "PUT", "/v1/watch-levels/" + w.here.signal.String(), `{"level":"all"}`},
		{member, "DELETE", "/v1/watch-levels/" + w.here.signal.String(), ""},
		{member, "POST", "/v1/subscriptions", fmt.Sprintf(`{"resource_id":%q}`, w.here.folder)},
		{member, "DELETE", "/v1/subscriptions/" + w.here.subscription.String(), ""},
		{reader, "PUT", "/v1/retention", `{"max_days":400,"inbox_days":0,"token_days":null}`},
		{reader, "POST", "/v1/outbox/dead/" + w.here.dead.String() + "/replay", ""},
	} {
		got := each.do(each.method, each.target, each.body)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: got %d %s, want 503 with Retry-After", each.method, each.target, got.status, got.body)
		}
	}
}
