package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// exportRecord is what the log holds of an export.
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

// exports waits until so many of the tenant's exports are recorded and returns them, the latest
// first.
func (at *tenant) exports(many int) []exportRecord {
	at.w.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		list, _, err := pglog.New(at.w.db.Pool).
			List(at.w.t.Context(), at.id, activity.Filter{Action: "log.exported"}, activity.Page{})
		if err != nil {
			at.w.t.Fatal(err)
		}
		if len(list) >= many {
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
			at.w.t.Fatalf("got %d exports recorded after %v, want %d", len(list), patience, many)
		}
	}
}

// fill records many more activities, of a kilobyte each.
func (at *tenant) fill(many int) {
	at.w.t.Helper()
	at.w.exec(`
		INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at, recorded_at, resource_type,
			action, visibility, status, severity, category, delivery_channels, payload)
		SELECT fanfare.uuidv7(x.at), $1, $2, $3, gen_random_uuid(), x.at, x.at, 'signal', 'signal.measured', 'private', 'success', 'info', 'signal', '{}',
			jsonb_build_object('noise', (SELECT string_agg(md5(x.n || ' ' || i), '') FROM generate_series(1, 30) AS i))
		FROM (SELECT n, now() - n * interval '1 millisecond' AS at FROM generate_series(1, $4::int) AS n) AS x`, at.id, at.owner, at.signal, many)
}

func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	reader := w.here.as(w.here.member, identity.ScopeRead)
	formula := w.here.record(
		activity.Envelope{Action: "signal.renamed", ResourceName: "=1+1", Message: "said \"so\",\nand more"},
	)

	answer := reader.do("GET", "/v1/activities/export?format=csv", "").want(http.StatusOK)
	if name := answer.header.Get("Content-Disposition"); !strings.HasPrefix(
		name,
		`attachment; filename="activities-2`,
	) ||
		!strings.HasSuffix(name, `Z.csv"`) {
		t.Errorf("Content-Disposition: got %q", name)
	}
	records, err := csv.NewReader(bytes.NewReader(answer.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, record := range records[1:] {
		ids = append(ids, record[0])
	}
	if want := []string{w.here.shown.String(), w.here.hidden.String(), w.here.addressed.String(), w.here.dead.String(), formula.String()}; !slices.Equal(
		ids,
		want,
	) {
		t.Errorf("got the activities %v, want all of the tenant's, %v", ids, want)
	}
	if last := records[len(records)-1]; last[8] != "'=1+1" || last[17] != "said \"so\",\nand more" {
		t.Errorf("got the name %q and the message %q, want the one defused and the other whole", last[8], last[17])
	}

	lines := strings.Split(
		strings.TrimSpace(
			string(
				reader.do("GET", "/v1/activities/export?format=jsonl&action=signal.re*&owner="+w.here.owner.String(), "").
					want(http.StatusOK).
					body,
			),
		),
		"\n",
	)
	if len(lines) != 1 || !strings.HasPrefix(lines[0], `{"id":"`+formula.String()+`"`) {
		t.Errorf("filtered: got %q, want %s alone", lines, formula)
	}
	if got := reader.do("GET", "/v1/activities/export", "").want(http.StatusOK).header.Get("Content-Type"); got != "text/csv" {
		t.Errorf("without a format: got %s, want CSV", got)
	}
	reader.do("HEAD", "/v1/activities/export", "").want(http.StatusOK)

	got := w.here.exports(3)
	if len(got) != 3 {
		t.Fatalf("got %d exports recorded, want 3", len(got))
	}
	filtered, whole := got[1].Payload, got[2].Payload
	if got[2].Actor != w.here.member || got[2].Status != "success" || whole.Format != "csv" || whole.Activities != 5 ||
		!whole.Complete ||
		len(whole.Filter) != 0 {
		t.Errorf("recorded: got %+v, want the member's of 5 activities", got[2])
	}
	if filtered.Format != "jsonl" || filtered.Activities != 1 || filtered.Filter["action"] != "signal.re*" ||
		filtered.Filter["owner"] != w.here.owner.String() {
		t.Errorf("recorded: got %+v, want the filter too", filtered)
	}
}

func TestExportRefuses(t *testing.T) {
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

// listening serves the world over TCP.
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

// exporting asks for an export over a connection of its own, and returns the answer when it begins.
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
	answer, err := transport.RoundTrip(request)
	if err != nil {
		at.w.t.Fatal(err)
	}
	return answer
}

// TestExportOfMuch streams more than any buffer between the two holds. Those who do not take it in
// hold places, not connections to the database; one who leaves gives its place up, and that too is
// recorded.
func TestExportOfMuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const many = 12_000
	w.here.fill(many)
	w.elsewhere.fill(many)
	base := w.listening()
	jsonl := url.Values{"format": {"jsonl"}}
	leaving := w.here.exporting(base, nil, jsonl)
	second := w.here.exporting(base, nil, jsonl)
	if second.StatusCode != http.StatusServiceUnavailable || second.Header.Get("Retry-After") == "" ||
		second.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf(
			"the tenant's second at once: got %d %v, want a problem that says when to come back",
			second.StatusCode,
			second.Header,
		)
	}
	_ = second.Body.Close()
	patient := w.elsewhere.exporting(base, nil, jsonl)

	_ = leaving.Body.Close()
	if got := w.here.exports(1)[0]; got.Status != "failure" || got.Payload.Complete || got.Payload.Activities >= many {
		t.Errorf("of the one who left: got %+v, want that it is not complete", got)
	}

	lines := 0
	for scanner := bufio.NewScanner(patient.Body); scanner.Scan(); lines++ {
		if !json.Valid(scanner.Bytes()) {
			t.Fatalf("got a line %s", scanner.Bytes())
		}
	}
	_ = patient.Body.Close()
	if lines < many {
		t.Errorf("got %d lines, want at least %d", lines, many)
	}
	if got := w.elsewhere.exports(1)[0]; got.Status != "success" || got.Payload.Activities != lines {
		t.Errorf("of the patient one: got %+v, want its %d", got, lines)
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

// TestExportCutOff takes the database away in the middle of an export. The answer ends as none that
// is whole does.
func TestExportCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const many = 12_000
	w.here.fill(many)
	answer := w.here.exporting(w.listening(), nil, url.Values{})
	defer func() { _ = answer.Body.Close() }()
	w.exec(`ALTER TABLE fanfare.activities RENAME TO gone`)
	text, err := io.ReadAll(answer.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got the end %v behind %d bytes, want it missing", err, len(text))
	}
}
