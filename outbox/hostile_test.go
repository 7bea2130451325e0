package outbox_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/memlog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// hostileCase is a case of testdata/hostile.json: a change of a valid envelope, and its result.
//
// In its texts, «x×100» stands for x repeated a hundred times, «0xff» for bytes, «ghp» for a fake
// secret (see fakes), and «b64:ghp» for a fake secret in an encoding. No fake secret may occur in
// stored data, nor in an error.
type hostileCase struct {
	Category string            `json:"category"`
	Name     string            `json:"name"`
	With     map[string]string `json:"with"`    // fields that are set: names and values as JSON
	Payload  *string           `json:"payload"` // the payload's JSON
	Text     string            `json:"text"`    // the envelope's JSON itself

	Field    string            `json:"field"`     // the rejected field
	Refused  bool              `json:"refused"`   // rejected without a field
	State    string            `json:"state"`     // the SQLSTATE; empty means 22023
	Server   string            `json:"server"`    // the SQLSTATE of PostgreSQL's own error: not jsonb
	Quoted   bool              `json:"quoted"`    // a limit: that error quotes the JSON with the secret
	GoFields []string          `json:"go_fields"` // the fields that Go rejects, if others
	Go       string            `json:"go"`        // "no": not an activity.Envelope; "replaced": decoded, it has U+FFFD
	Map      string            `json:"map"`       // decoded into Go values: "replaced", or "last" of two equal keys
	Memory   string            `json:"memory"`    // "no": a memlog.Log has no taxonomy
	Stored   string            `json:"stored"`    // the payload
	Columns  map[string]string `json:"columns"`   // other columns
	Holds    []string          `json:"holds"`     // texts that the payload contains
	Lacks    []string          `json:"lacks"`     // texts that the payload does not contain
	Redacted bool              `json:"redacted"`  // a text of the row is redacted
	Dropped  bool              `json:"dropped"`   // the allow-list removes the secret
	Known    bool              `json:"known"`     // a limit: the secret is not detected, and stored

	cores []string // the secret part of each fake secret in the case
}

func (c *hostileCase) rejected() bool { return c.Refused || c.Field != "" || c.Server != "" }

// fakes are fake secrets, composed here so that no file contains one. core is the secret part.
var fakes = func() map[string]struct{ text, core string } {
	secret := func(before, core string) struct{ text, core string } {
		return struct{ text, core string }{before + core, core}
	}
	mixed, low := strings.Repeat("Zq7Vt", 12), strings.Repeat("zq7vt", 8)
	begin := "-----BEGIN "
	return map[string]struct{ text, core string }{
		"pw": secret("", "hunter2"+"Zq8vTk41"), "pin": secret("", "7391"+"504288"),
		"json": secret("", `{"password":"hunter2`+`Zq8vTk41"}`), "password": {text: "pass" + "word"},
		"ghp": secret(
			"ghp"+"_",
			mixed,
		), "gho": secret("gho"+"_", mixed), "pat": secret("github"+"_pat_", mixed), "ghplow": secret("ghp"+"_", low),
		"npmlow": secret("npm"+"_", low),
		"akia":   secret("AKI"+"A", "ZQ7VTZQ7VTZQ7VTZ"), "asia": secret("ASI"+"A", "ZQ7VTZQ7VTZQ7VTZ"),
		"jwt": secret(
			"ey"+"J",
			mixed+"."+mixed+"."+mixed,
		), "skl": secret("sk"+"_live_", mixed), "rkt": secret("rk"+"_test_", mixed),
		"xox": secret(
			"xox"+"b-",
			"904-"+mixed,
		), "glpat": secret("gl"+"pat-", mixed[:20]), "npm": secret("npm"+"_", mixed), "hf": secret("hf"+"_", mixed),
		"sg": secret(
			"SG"+".",
			mixed[:22]+"."+mixed[:43],
		), "dop": secret("dop"+"_v1_", strings.Repeat("0a9f", 16)), "shp": secret("shp"+"at_", strings.Repeat("0a9f",
			8)),
		"whsec": secret("wh"+"sec_", mixed), "aiza": secret("AI"+"za", mixed[:35]), "oai": secret("sk"+"-", mixed),
		"pem":   {text: begin + "RSA " + `PRIVATE KEY-----\n` + "MIIE" + mixed + `\n-----END`, core: "MIIE" + mixed},
		"pemec": {text: begin + "EC " + `PRIVATE KEY-----\n` + "MHcC" + mixed + `\n-----END`, core: "MHcC" + mixed},
	}
}()

// codecs are encodings of a secret that detection does not decode, except for u, which is JSON's
// own.
var codecs = map[string]func(text string) (written, core string){
	"u": func(text string) (string, string) {
		var b strings.Builder
		for _, r := range text {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		return b.String(), text
	},
	"b64": func(text string) (string, string) { return same(base64.StdEncoding.EncodeToString([]byte(text))) },
	"hex": func(text string) (string, string) { return same(hex.EncodeToString([]byte(text))) },
	"pct": func(text string) (string, string) {
		return same("%" + strings.ToUpper(hex.EncodeToString([]byte(text[:1]))) + url.QueryEscape(text[1:]))
	},
	"rev": func(text string) (string, string) {
		b := []byte(text)
		slices.Reverse(b)
		return same(string(b))
	},
	"head": func(text string) (string, string) { return same(text[:12]) },
	"tail": func(text string) (string, string) { return same(text[12:]) },
	"l": func(text string) (string, string) {
		letters := strings.Split(text, "")
		return strings.Join(letters, `","`), strings.Join(letters, `", "`)
	},
}

func same(text string) (written, core string) { return text, text }

var (
	fakeMark  = regexp.MustCompile(`«(?:([a-z0-9]+):)?([a-z]+)»`)
	bytesMark = regexp.MustCompile(`«0x([0-9a-f]+)»`)
	timesMark = regexp.MustCompile(`«([^»]+)×(\d+)»`)
)

// expand replaces the marks, and notes the secrets among them.
func (c *hostileCase) expand(t testing.TB, text string) string {
	t.Helper()
	text = fakeMark.ReplaceAllStringFunc(text, func(mark string) string {
		parts := fakeMark.FindStringSubmatch(mark)
		fake, found := fakes[parts[2]]
		written, core := fake.text, fake.core
		if codec := codecs[parts[1]]; codec != nil && found {
			written, core = codec(fake.text)
		} else if !found || parts[1] != "" {
			t.Fatalf("%s: no made-up secret is written %s", c.Name, mark)
		}
		if fake.core != "" {
			c.cores = append(c.cores, core)
		}
		return written
	})
	text = bytesMark.ReplaceAllStringFunc(text, func(mark string) string {
		b, err := hex.DecodeString(bytesMark.FindStringSubmatch(mark)[1])
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	})
	return timesMark.ReplaceAllStringFunc(text, func(mark string) string {
		parts := timesMark.FindStringSubmatch(mark)
		times, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		return strings.Repeat(parts[1], times)
	})
}

func hostileCases(t testing.TB) []*hostileCase {
	t.Helper()
	body, err := os.ReadFile("testdata/hostile.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []*hostileCase
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		with := map[string]string{}
		for name, value := range c.With {
			with[c.expand(t, name)] = c.expand(t, value)
		}
		c.With, c.Text = with, c.expand(t, c.Text)
		if c.Payload != nil {
			payload := c.expand(t, *c.Payload)
			c.Payload = &payload
		}
		c.Field, c.Stored = c.expand(t, c.Field), c.expand(t, c.Stored)
		for column, want := range c.Columns {
			c.Columns[column] = c.expand(t, want)
		}
	}
	return cases
}

// json returns the case's envelope.
func (c *hostileCase) json() string {
	if c.Text != "" {
		return c.Text
	}
	fields := map[string]string{
		"tenant_id":          `"11111111-1111-4111-8111-111111111111"`,
		"actor_principal_id": `"22222222-2222-4222-8222-222222222222"`,
		"resource_id":        `"33333333-3333-4333-8333-333333333333"`, "resource_type": `"signal"`,
		"action": `"signal.created"`,
	}
	maps.Copy(fields, c.With)
	if c.Payload != nil {
		fields["payload"] = *c.Payload
	}
	var members []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		members = append(members, `"`+name+`":`+fields[name])
	}
	return "{" + strings.Join(members, ",") + "}"
}

// envelope returns the case in Go, and whether Go can represent it.
func (c *hostileCase) envelope() (e activity.Envelope, said bool) {
	if c.Go == "no" {
		return e, false
	}
	if c.Text != "" {
		e, err := decode(c.Text)
		return e, err == nil
	}
	e = anEnvelope()
	e.ResourceID = uuid.MustParse("33333333-3333-4333-8333-333333333333")
	if c.Payload != nil {
		e.Payload = json.RawMessage(*c.Payload)
	}
	for name, value := range c.With {
		if !c.set(&e, name, value) {
			return e, false
		}
	}
	return e, true
}

// set sets a field to a JSON value, or to bytes that are not UTF-8.
func (c *hostileCase) set(e *activity.Envelope, name, value string) bool {
	texts := map[string]*string{
		"resource_type": &e.ResourceType, "action": &e.Action, "visibility": (*string)(&e.Visibility),
		"status": (*string)(&e.Status), "severity": (*string)(&e.Severity),
		"category": &e.Category, "resource_name": &e.ResourceName, "message": &e.Message, "request_id": &e.RequestID,
		"user_agent": &e.UserAgent, "ip": &e.IP, "traceparent": &e.Traceparent,
	}
	into := map[string]any{
		"tenant_id": &e.TenantID, "actor_principal_id": &e.ActorPrincipalID, "resource_id": &e.ResourceID,
		"correlation_id": &e.CorrelationID, "owner_id": &e.OwnerID,
		"occurred_at": &e.OccurredAt, "delivery_channels": &e.DeliveryChannels,
	}
	if text := texts[name]; text != nil {
		if !utf8.ValidString(value) {
			*text = strings.Trim(value, `"`)
			return true
		}
		return json.Unmarshal([]byte(value), text) == nil
	}
	if value == "null" && name == "tenant_id" {
		e.TenantID = uuid.Nil
		return true
	}
	return into[name] != nil && json.Unmarshal([]byte(value), into[name]) == nil
}

// decodedPayload returns the payload as Go values if it is JSON.
func (c *hostileCase) decodedPayload() (value any, ok bool) {
	if c.Payload == nil {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(*c.Payload))
	decoder.UseNumber()
	err := decoder.Decode(&value)
	return value, err == nil && json.Valid([]byte(*c.Payload)) && value != nil
}

// tallies counts the results of a category's cases.
type tallies struct{ cases, refused, recorded, redacted, replaced, quoted, limits, same, apart, unsaid int }

// TestHostile records every case in every way: with fanfare.record_activity, which every language
// uses; with Record, the payload as JSON and as Go values; and in a memlog.Log. With -v it reports
// the results.
func TestHostile(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	_, err := db.Pool.Exec(
		t.Context(),
		`INSERT INTO fanfare.taxonomy (action, category, description, allowed_keys)
			VALUES ('vault.opened', 'vault', 'x', '{password,note,nested}')`,
	)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	byCategory := map[string]*tallies{}
	for _, c := range hostileCases(t) {
		if byCategory[c.Category] == nil {
			order, byCategory[c.Category] = append(order, c.Category), &tallies{}
		}
		t.Run(c.Category+"/"+c.Name, func(t *testing.T) { c.run(t, db, byCategory[c.Category]) })
	}
	logTallies(t, order, byCategory)
}

func logTallies(t *testing.T, order []string, byCategory map[string]*tallies) {
	t.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "category\tcases\trefused\trecorded\tredacted\treplaced\tquoted\tlimits\tsame\tapart\tSQL only\t")
	var sum tallies
	for _, name := range append(order, "all") {
		y := cmp.Or(byCategory[name], &sum)
		fmt.Fprintf(
			w,
			"%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n",
			name,
			y.cases,
			y.refused,
			y.recorded,
			y.redacted,
			y.replaced,
			y.quoted,
			y.limits,
			y.same,
			y.apart,
			y.unsaid,
		)
		sum = tallies{
			sum.cases + y.cases, sum.refused + y.refused, sum.recorded + y.recorded, sum.redacted + y.redacted,
			sum.replaced + y.replaced,
			sum.quoted + y.quoted, sum.limits + y.limits, sum.same + y.same, sum.apart + y.apart, sum.unsaid + y.unsaid,
		}
	}
	_ = w.Flush()
	t.Log("\n" + b.String() + "\nquoted: PostgreSQL's own error repeats a piece of invalid JSON. " +
		"limits: a secret is not detected. apart: Go rejects more.")
}

func (c *hostileCase) run(t *testing.T, db *pgtest.DB, y *tallies) {
	y.cases++
	bySQL := c.recordBySQL(t, db, y)
	e, said := c.envelope()
	if !said {
		y.unsaid++
		return
	}
	byGo, fields := c.recordByGo(t, db, e)
	switch {
	case c.Go == "replaced":
		y.replaced++
		checkReplaced(t, byGo)
		return
	case len(c.GoFields) > 0 && bySQL != nil:
		y.apart++
	default:
		if diff := gocmp.Diff(bySQL, byGo); diff != "" {
			t.Errorf("what SQL stores and what Go stores (-SQL +Go):\n%s", diff)
			y.apart++
		} else {
			y.same++
		}
	}
	c.appendToMemory(t, e, byGo, fields)

	if e.Payload, said = c.decodedPayload(); !said {
		return
	}
	byValues := c.recordValues(t, db, e)
	switch c.Map {
	case "replaced":
		y.replaced++
		checkReplaced(t, byValues)
	case "last":
		if byValues == nil {
			t.Error("Go values: got them refused, want the last of two keys recorded")
		}
	default:
		if diff := gocmp.Diff(bySQL, byValues); diff != "" {
			t.Errorf("what SQL stores of JSON and Go of values (-SQL +Go):\n%s", diff)
		}
	}
}

func checkReplaced(t *testing.T, row map[string]string) {
	t.Helper()
	if !strings.Contains(fmt.Sprint(row), "\uFFFD") {
		t.Errorf("got %v, want U+FFFD in it", row)
	}
}

// recordBySQL returns the stored columns, or nil for a rejected case.
func (c *hostileCase) recordBySQL(t *testing.T, db *pgtest.DB, y *tallies) map[string]string {
	t.Helper()
	tx := begin(t, db)
	defer func() { _ = tx.Rollback(context.Background()) }()
	var id uuid.UUID
	err := tx.QueryRow(t.Context(), `SELECT fanfare.record_activity($1::text::jsonb)`, c.json()).Scan(&id)
	if !c.rejected() {
		if err != nil {
			t.Fatalf("record_activity: got %v, want it recorded", err)
		}
		row := c.row(t, tx, id)
		c.checkStored(t, row)
		y.recorded++
		if strings.Contains(fmt.Sprint(row), "[redacted]") {
			y.redacted++
		}
		if c.Known {
			y.limits++
		}
		return row
	}
	pgErr := (*pgconn.PgError)(nil)
	if !errors.As(err, &pgErr) {
		t.Fatalf("record_activity: got %v, want it refused", err)
	}
	y.refused++
	want, field := cmp.Or(c.Server, c.State, "22023"), c.Field
	if pgErr.Code != want || pgErr.ColumnName != field {
		t.Errorf(
			"record_activity: got %s and field %q (%.200s), want %s and %q",
			pgErr.Code,
			pgErr.ColumnName,
			pgErr.Message,
			want,
			field,
		)
	}
	if len(pgErr.Message) > 1000 || !utf8.ValidString(pgErr.Message) {
		t.Errorf(
			"record_activity: got a message of %d bytes, want a short one: %.200q",
			len(pgErr.Message),
			pgErr.Message,
		)
	}
	said := *pgErr
	if c.Quoted {
		if c.findSecret(said.Detail+said.Where) != "" {
			y.quoted++
		}
		said.Detail, said.Where = "", ""
	}
	if found := c.findSecret(fmt.Sprintf("%+v", said)); found != "" {
		t.Errorf("record_activity: got %+v, want an error without %q", *pgErr, found)
	}
	return nil
}

// recordByGo returns the stored columns, or the rejected fields.
func (c *hostileCase) recordByGo(
	t *testing.T,
	db *pgtest.DB,
	e activity.Envelope,
) (row map[string]string, fields []string) {
	t.Helper()
	row, err := c.record(t, db, e)
	if err == nil {
		if c.Go != "replaced" && (c.rejected() || len(c.GoFields) > 0) {
			t.Fatalf("Record: got it recorded (%.200v), want it refused", row)
		}
		return row, nil
	}
	want := c.GoFields
	switch {
	case len(want) > 0:
	case c.Server != "":
		want = []string{"payload"}
	default:
		want = []string{c.Field}
	}
	fields = refusedFields(err)
	if diff := gocmp.Diff(want, fields); diff != "" {
		t.Errorf("fields that Record refuses with %.300s (-want +got):\n%s", err, diff)
	}
	return nil, fields
}

func (c *hostileCase) recordValues(t *testing.T, db *pgtest.DB, e activity.Envelope) map[string]string {
	t.Helper()
	row, err := c.record(t, db, e)
	if err != nil && refusedFields(err) == nil {
		t.Errorf("Record of Go values: got %v, want a field refused", err)
	}
	return row
}

// record records in a transaction, and checks that the transaction is usable after a rejection and
// that the error contains no secret.
func (c *hostileCase) record(t *testing.T, db *pgtest.DB, e activity.Envelope) (map[string]string, error) {
	t.Helper()
	tx := begin(t, db)
	defer func() { _ = tx.Rollback(context.Background()) }()
	r, err := outbox.Record(t.Context(), tx, e)
	if err == nil {
		row := c.row(t, tx, r.ID)
		if found := c.findSecret(fmt.Sprintf("%+v %s", r.Activity, r.Payload)); found != "" && !c.Known {
			t.Errorf("Record returned %+v, want nothing with %q in it", r, found)
		}
		return row, nil
	}
	c.checkError(t, err)
	mustRecord(t, tx, anEnvelope())
	if got, want := countWritten(t, tx), (written{1, 1, 0}); got != want {
		t.Errorf("rows after a refusal and a recording: got %+v, want %+v", got, want)
	}
	return nil, err
}

func (c *hostileCase) checkError(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 1000 {
		t.Errorf("got an error of %d bytes, want a short one: %.300s", len(text), text)
	}
	if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
		text += fmt.Sprintf("%+v", invalidErr.Fields)
	}
	if found := c.findSecret(text); found != "" {
		t.Errorf("got error %q, want one without %q", text, found)
	}
}

// appendToMemory checks that a memlog.Log rejects and stores the same as Record.
func (c *hostileCase) appendToMemory(t *testing.T, e activity.Envelope, row map[string]string, fields []string) {
	t.Helper()
	if c.Memory == "no" {
		return
	}
	log := memlog.New(memlog.Options{})
	kept, err := log.Append(t.Context(), e)
	if err != nil {
		c.checkError(t, err)
		if diff := gocmp.Diff(fields, refusedFields(err)); diff != "" {
			t.Errorf("fields that Record and MemoryLog refuse (-Record +MemoryLog):\n%s", diff)
		}
		return
	}
	got := map[string]string{}
	for column, value := range map[string]string{
		"payload": string(kept[0].Payload), "message": kept[0].Message, "user_agent": kept[0].UserAgent,
		"request_id":    kept[0].RequestID,
		"resource_name": kept[0].ResourceName, "resource_type": kept[0].ResourceType, "category": kept[0].Category,
		"action": kept[0].Action,
	} {
		if value != "" || row[column] != "" {
			got[column] = value
		}
	}
	want := map[string]string{}
	for column := range got {
		want[column] = row[column]
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("what PostgreSQL and MemoryLog keep (-PostgreSQL +MemoryLog):\n%s", diff)
	}
}

// row returns the columns of an activity that do not differ with each recording, and checks that
// neither they nor the outbox contain a secret.
func (c *hostileCase) row(t *testing.T, tx pgx.Tx, id uuid.UUID) map[string]string {
	t.Helper()
	rows, err := tx.Query(t.Context(), `
		SELECT e.key, CASE e.key WHEN 'payload' THEN a.payload::text ELSE e.value END,
		       a::text || (SELECT string_agg(q::text, '') FROM fanfare.outbox AS q WHERE q.activity_id = a.id)
		FROM fanfare.activities AS a, jsonb_each_text(
		    jsonb_strip_nulls(to_jsonb(a) - '{id,recorded_at,occurred_at,correlation_id,payload}'::text[])
		    || '{"payload": ""}') AS e
		WHERE a.id = $1`, id)
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]string{}
	var name, value, whole string
	if _, err := pgx.ForEachRow(rows, []any{&name, &value, &whole},
		func() error { row[name] = value; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(row) == 0 {
		t.Fatalf("activity %s: got no row with one in the outbox", id)
	}
	all := whole + fmt.Sprint(row)
	for _, core := range c.cores {
		if found := strings.Contains(all, core); found != c.Known {
			t.Errorf("the row holds %q: got %v, want %v: %.500s", core, found, c.Known, all)
		}
	}
	return row
}

func (c *hostileCase) findSecret(text string) string {
	for _, core := range c.cores {
		if strings.Contains(text, core) {
			return core
		}
	}
	return ""
}

func (c *hostileCase) checkStored(t *testing.T, row map[string]string) {
	t.Helper()
	if c.Stored != "" && row["payload"] != c.Stored {
		t.Errorf("payload: got %.500s, want %.500s", row["payload"], c.Stored)
	}
	for column, want := range c.Columns {
		if row[column] != want {
			t.Errorf("%s: got %.500q, want %.500q", column, row[column], want)
		}
	}
	for _, part := range c.Holds {
		if !strings.Contains(row["payload"], part) {
			t.Errorf("payload: got %.500s, want %s in it", row["payload"], part)
		}
	}
	for _, part := range c.Lacks {
		if strings.Contains(row["payload"], part) {
			t.Errorf("payload: got %.500s, want no %s in it", row["payload"], part)
		}
	}
	if c.Redacted && !strings.Contains(fmt.Sprint(row), "[redacted]") {
		t.Errorf("got %.500v, want something redacted in it", row)
	}
}

// failing is a payload whose encoding fails with an error that contains a secret.
type failing struct{ why string }

func (f failing) MarshalJSON() ([]byte, error) { return nil, errors.New(f.why) }

// TestHostileGoValues records values that only Go can represent. encoding/json replaces strings
// that are not UTF-8, in payloads only.
func TestHostileGoValues(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	cycle := map[string]any{}
	cycle["a"] = cycle
	deep := any(1)
	for range 100_000 {
		deep = []any{deep}
	}
	type login struct {
		User     string `json:"user"`
		Password string `json:"passwd"`
	}
	secret := fakes["pw"].text
	for name, tc := range map[string]struct {
		payload any
		stored  string // "" if rejected
	}{
		"a struct with a secret": {login{"ada", secret}, `{"user": "ada", "passwd": "[redacted]"}`},
		"a pointer to one":       {&login{"ada", secret}, `{"user": "ada", "passwd": "[redacted]"}`},
		"a pointer to nothing":   {(*login)(nil), `{}`},
		"a map that is nil":      {map[string]any(nil), `{}`},
		"JSON that is nil":       {json.RawMessage(nil), `{}`},
		"JSON that is empty":     {json.RawMessage{}, ""},
		"a string of JSON":       {`{"password":"` + secret + `"}`, ""},
		"bytes of JSON":          {[]byte(`{"password":"` + secret + `"}`), ""},
		"a list":                 {[]string{secret}, ""},
		"bytes in a map":         {map[string]any{"a": []byte("x")}, `{"a": "eA=="}`},
		"no UTF-8 in a value":    {map[string]string{"a": "x\xffy"}, `{"a": "x` + "\uFFFD" + `y"}`},
		"no UTF-8 in a key":      {map[string]int{"x\xffy": 1}, `{"x` + "\uFFFD" + `y": 1}`},
		"a surrogate in UTF-8's form": {
			map[string]string{"a": "\xed\xa0\x80"},
			`{"a": "` + "\uFFFD\uFFFD\uFFFD" + `"}`,
		},
		"no UTF-8 before a secret": {map[string]string{"a": "\xff password=" + secret}, `{"a": "[redacted]"}`},
		"no UTF-8 in a secret's name": {
			map[string]string{"\xffpassword": secret},
			`{"` + "\uFFFD" + `password": "[redacted]"}`,
		},
		"NUL":      {map[string]string{"a": "\x00"}, ""},
		"NaN":      {map[string]float64{"a": math.NaN()}, ""},
		"infinity": {map[string]float64{"a": math.Inf(1)}, ""},
		"the largest float": {map[string]float64{"a": 1e300}, `{"a": 1` + strings.Repeat("0",
			300) + `}`},
		"a number that is none":            {map[string]json.Number{"a": "1e"}, ""},
		"a number beyond numeric":          {map[string]json.Number{"a": "1e999999"}, ""},
		"numbers for keys":                 {map[int]string{1: "a"}, `{"1": "a"}`},
		"a channel":                        {map[string]any{"a": make(chan int)}, ""},
		"a function":                       {map[string]any{"a": func() {}}, ""},
		"a cycle":                          {cycle, ""},
		"100000 levels":                    {map[string]any{"a": deep}, ""},
		"an encoding that fails":           {failing{"password=" + secret}, ""},
		"an encoding that fails at length": {map[string]any{"a": failing{strings.Repeat("long ", 1000)}}, ""},
		"a time": {
			map[string]any{"a": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
			`{"a": "2026-01-02T03:04:05Z"}`,
		},
		"HTML": {map[string]string{"<a&b>": "</script>"}, `{"<a&b>": "</script>"}`},
	} {
		t.Run(name, func(t *testing.T) {
			c := &hostileCase{Name: name, cores: []string{secret}}
			e := anEnvelope()
			e.Payload = tc.payload
			row, err := c.record(t, db, e)
			if row["payload"] != tc.stored {
				t.Errorf("payload: got %s (%v), want %q", row["payload"], err, tc.stored)
			}
			var fields []string
			if tc.stored == "" {
				fields = []string{"payload"}
			}
			if diff := gocmp.Diff(fields, refusedFields(err)); diff != "" {
				t.Errorf("fields refused with %v (-want +got):\n%s", err, diff)
			}
			c.appendToMemory(t, e, row, fields)
		})
	}
}
