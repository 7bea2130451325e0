package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/export"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { pgtest.Main(m) }

func id(n byte) uuid.UUID {
	return uuid.UUID{0x01, 0x8f, 0x3b, 0x1c, 0x7a, 0x5e, 0x7c, 0xc4, 0x8f, 0x6e, 0x2a, 0x1b, 0x3c, 0x4d, 0x5e, n}
}

// nasty returns activities with texts that are difficult to encode.
func nasty() []activity.Activity {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.FixedZone("", 2*60*60))
	texts := []string{
		"",
		"plain",
		"=1+1",
		"+1",
		"-1",
		"@SUM(A1)",
		"\n=1",
		"＝1+1",
		"＋1",
		"－1",
		"＠SUM(A1)",
		"ﾀ=1",
		"\tx",
		"\rx",
		"'=1",
		" =1",
		"a=1",
		"=HYPERLINK(\"http://x\",\"y\")",
		"say \"when\"",
		"a,b",
		"two\nlines",
		"two\r\nlines",
		"|cmd",
		"emoji 🎺\U0001F469\u200d\U0001F469\u200d\U0001F467",
		"שלום עולם \u202eabc\u202c",
		"\u2028\u2029",
		"<b>&amp;</b>",
		"back\\slash",
		"\x01\x1b[31m\x7f",
		"é",
	}
	list := make([]activity.Activity, len(texts))
	for i, text := range texts {
		list[i] = activity.Activity{
			ID:               id(byte(i)),
			TenantID:         id(100),
			ActorPrincipalID: id(101),
			ResourceID:       id(102),
			CorrelationID:    id(103),
			OccurredAt:       at.Add(time.Duration(i) * time.Microsecond),
			RecordedAt:       at.Add(time.Second),
			ResourceType:     "signal",
			ResourceName:     text,
			Action:           "signal.created",
			Visibility:       activity.ResourceWide,
			Status:           "success",
			Severity:         "info",
			Category:         "signal",
			Message:          text,
			RequestID:        text,
			UserAgent:        text,
			DeliveryChannels: []string{},
			Warning:          text,
			Payload:          json.RawMessage(`{}`),
		}
	}
	full := &list[1]
	full.TargetPrincipalIDs = []uuid.UUID{id(104), id(107)}
	full.OwnerID, full.ParentID = id(105), id(106)
	full.IPHash, full.IPKeyID = []byte{0, 0xff, 0x2d}, 7
	full.DeliveryChannels = []string{"user", "chat:" + id(100).String() + ".x"}
	full.Traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	full.Payload = json.RawMessage(
		`{"big": 12345678901234567890.000000000000000001, "exp": 1e400, ` +
			`"text": "=1\n\"2\"", "deep": {"list": [1, null, "🎺"]}}`,
	)
	return list
}

func encoded(f export.Format, list []activity.Activity) []byte {
	e := export.Encoder{Format: f, Source: "https://fanfare.example"}
	text := e.AppendHeading(nil)
	for i := range list {
		text = e.Append(text, &list[i])
	}
	return text
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, f := range export.Formats() {
		got := encoded(f, nasty())
		path := "testdata/nasty." + string(f)
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf(
				"%s (-want +got):\n%s",
				f,
				cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")),
			)
		}
	}
}

// isFormula reports whether a spreadsheet could evaluate a cell.
func isFormula(cell string) bool {
	return strings.IndexFunc(cell, func(r rune) bool { return strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) }) == 0
}

// TestCSVReadsBack reads CSV with encoding/csv, which converts CR LF to LF.
func TestCSVReadsBack(t *testing.T) {
	t.Parallel()
	list := nasty()
	records, err := csv.NewReader(bytes.NewReader(encoded(export.CSV, list))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(list)+1 {
		t.Fatalf("got %d records, want %d and the heading", len(records), len(list))
	}
	heading := map[string]int{}
	for i, name := range records[0] {
		heading[name] = i
	}
	for i, a := range list {
		got := func(name string) string { return records[i+1][heading[name]] }
		text := strings.ReplaceAll(a.Message, "\r\n", "\n")
		if isFormula(text) {
			text = "'" + text
		}
		for name, want := range map[string]string{
			"message":           text,
			"resource_name":     text,
			"request_id":        text,
			"user_agent":        text,
			"warning":           text,
			"action":            a.Action,
			"id":                a.ID.String(),
			"tenant_id":         a.TenantID.String(),
			"occurred_at":       a.OccurredAt.UTC().Format(time.RFC3339Nano),
			"recorded_at":       "2026-02-03T02:05:07.789Z",
			"payload":           string(a.Payload),
			"ip_hash":           hex.EncodeToString(a.IPHash),
			"delivery_channels": strings.Join(a.DeliveryChannels, " "),
			"traceparent":       a.Traceparent,
			"status":            "success",
		} {
			if got(name) != want {
				t.Errorf("record %d, %s: got %q, want %q", i, name, got(name), want)
			}
		}
		for name, cell := range records[i+1] {
			if isFormula(cell) {
				t.Errorf("record %d, %s: got %q, which a spreadsheet evaluates", i, records[0][name], cell)
			}
		}
	}
	empty := records[1][heading["parent_id"]] + records[1][heading["ip_key_id"]] + records[1][heading["ip_hash"]]
	if got := empty; got != "" {
		t.Errorf("fields that were not given: got %q, want empty cells", got)
	}
}

// object is a line of JSON Lines.
type object struct {
	ID                 uuid.UUID       `json:"id"`
	TenantID           uuid.UUID       `json:"tenant_id"`
	OccurredAt         time.Time       `json:"occurred_at"`
	RecordedAt         time.Time       `json:"recorded_at"`
	Action             string          `json:"action"`
	ActorPrincipalID   uuid.UUID       `json:"actor_principal_id"`
	ResourceType       string          `json:"resource_type"`
	ResourceID         uuid.UUID       `json:"resource_id"`
	ResourceName       string          `json:"resource_name"`
	ParentID           *uuid.UUID      `json:"parent_id"`
	OwnerID            *uuid.UUID      `json:"owner_id"`
	TargetPrincipalIDs []uuid.UUID     `json:"target_principal_ids"`
	CorrelationID      uuid.UUID       `json:"correlation_id"`
	Visibility         string          `json:"visibility"`
	Status             string          `json:"status"`
	Severity           string          `json:"severity"`
	Category           string          `json:"category"`
	Message            string          `json:"message"`
	RequestID          string          `json:"request_id"`
	UserAgent          string          `json:"user_agent"`
	Traceparent        string          `json:"traceparent"`
	IPHash             *string         `json:"ip_hash"`
	IPKeyID            *int            `json:"ip_key_id"`
	DeliveryChannels   []string        `json:"delivery_channels"`
	Warning            string          `json:"warning"`
	Payload            json.RawMessage `json:"payload"`
}

func objectOf(a *activity.Activity) object {
	o := object{
		ID:                 a.ID,
		TenantID:           a.TenantID,
		OccurredAt:         a.OccurredAt.UTC(),
		RecordedAt:         a.RecordedAt.UTC(),
		Action:             a.Action,
		ActorPrincipalID:   a.ActorPrincipalID,
		ResourceType:       a.ResourceType,
		ResourceID:         a.ResourceID,
		ResourceName:       a.ResourceName,
		CorrelationID:      a.CorrelationID,
		Visibility:         string(a.Visibility),
		Status:             string(a.Status),
		Severity:           string(a.Severity),
		Category:           a.Category,
		Message:            a.Message,
		RequestID:          a.RequestID,
		UserAgent:          a.UserAgent,
		Traceparent:        a.Traceparent,
		TargetPrincipalIDs: append([]uuid.UUID{}, a.TargetPrincipalIDs...),
		DeliveryChannels:   a.DeliveryChannels,
		Warning:            a.Warning,
		Payload:            a.Payload,
	}
	for _, optional := range []struct {
		id uuid.UUID
		at **uuid.UUID
	}{{a.ParentID, &o.ParentID}, {a.OwnerID, &o.OwnerID}} {
		if optional.id != uuid.Nil {
			*optional.at = &optional.id
		}
	}
	if a.IPHash != nil {
		hash, key := hex.EncodeToString(a.IPHash), int(a.IPKeyID)
		o.IPHash, o.IPKeyID = &hash, &key
	}
	return o
}

// strictly decodes JSON without unknown fields.
func strictly(t testing.TB, text []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func TestJSONLReadsBack(t *testing.T) {
	t.Parallel()
	list := nasty()
	lines := bytes.Split(bytes.TrimSuffix(encoded(export.JSONL, list), []byte("\n")), []byte("\n"))
	if len(lines) != len(list) {
		t.Fatalf("got %d lines, want %d", len(lines), len(list))
	}
	for i := range list {
		var got object
		strictly(t, lines[i], &got)
		if diff := cmp.Diff(objectOf(&list[i]), got); diff != "" {
			t.Errorf("line %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestCloudEvents checks every attribute.
func TestCloudEvents(t *testing.T) {
	t.Parallel()
	list := nasty()
	for i, line := range bytes.Split(bytes.TrimSuffix(encoded(export.CloudEvents, list), []byte("\n")), []byte("\n")) {
		a := &list[i]
		var got map[string]json.RawMessage
		strictly(t, line, &got)
		var data object
		strictly(t, got["data"], &data)
		if diff := cmp.Diff(objectOf(a), data); diff != "" {
			t.Errorf("event %d, data (-want +got):\n%s", i, diff)
		}
		delete(got, "data")
		want := map[string]string{
			"specversion":     "1.0",
			"id":              a.ID.String(),
			"source":          "https://fanfare.example/tenants/" + a.TenantID.String(),
			"type":            "com.fanfare.signal.created",
			"subject":         "signal/" + a.ResourceID.String(),
			"time":            a.OccurredAt.UTC().Format(time.RFC3339Nano),
			"recordedtime":    "2026-02-03T02:05:07.789Z",
			"correlationid":   a.CorrelationID.String(),
			"datacontenttype": "application/json",
		}
		if a.Traceparent != "" {
			want["traceparent"] = a.Traceparent
		}
		attributes := map[string]string{}
		for name, value := range got {
			var text string
			strictly(t, value, &text)
			attributes[name] = text
			if text == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || len(name) > 20 {
				t.Errorf(
					"event %d: attribute %q = %q, want a name of lower-case letters and digits, and a value",
					i,
					name,
					text,
				)
			}
		}
		if diff := cmp.Diff(want, attributes); diff != "" {
			t.Errorf("event %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestDefaultsOfCloudEvents(t *testing.T) {
	t.Parallel()
	list := nasty()[:1]
	var got struct{ Source, Type string }
	if err := json.Unmarshal(export.Encoder{
		Format:     export.CloudEvents,
		TypePrefix: "org.example.",
	}.Append(nil, &list[0]), &got); err != nil {
		t.Fatal(err)
	}
	if want := "/fanfare/tenants/" + list[0].TenantID.String(); got.Source != want ||
		got.Type != "org.example.signal.created" {
		t.Errorf("got %+v, want the source %s and the prefix", got, want)
	}
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for _, f := range export.Formats() {
		if got, err := export.ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("%s: got %q, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "CSV", "json", "xml"} {
		if got, err := export.ParseFormat(name); err == nil ||
			!strings.Contains(err.Error(), "must be one of csv, jsonl, cloudevents") {
			t.Errorf("%q: got %q, %v, want it refused", name, got, err)
		}
	}
}

// FuzzTexts checks that each format preserves a text, except for invalid UTF-8 and the apostrophe
// of CSV.
func FuzzTexts(f *testing.F) {
	for _, a := range nasty() {
		f.Add(a.Message)
	}
	f.Add("bad \xff utf-8 \"")
	f.Fuzz(func(t *testing.T, text string) {
		a := nasty()[0]
		a.Message = text
		var got object
		strictly(t, export.Encoder{Format: export.JSONL}.Append(nil, &a), &got)
		if want := strings.ToValidUTF8(text, "\uFFFD"); got.Message != want {
			t.Errorf("JSON: got %q, want %q", got.Message, want)
		}
		records, err := csv.NewReader(bytes.NewReader(export.Encoder{Format: export.CSV}.Append(nil, &a))).ReadAll()
		if err != nil || len(records) != 1 {
			t.Fatalf("CSV of %q: got %d records, %v", text, len(records), err)
		}
		want := strings.ReplaceAll(text, "\r\n", "\n")
		if isFormula(text) {
			want = strings.ReplaceAll("'"+text, "\r\n", "\n")
		}
		if got := records[0][17]; got != want {
			t.Errorf("CSV: got %q, want %q", got, want)
		}
	})
}
