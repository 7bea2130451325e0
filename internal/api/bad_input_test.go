package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// internalText matches texts of the database, of Go and of libraries, which no response may
// contain.
var internalText = regexp.MustCompile(
	`(?i)SQLSTATE|pgx|pgconn|puddle|goroutine|runtime error|\.go:\d|panic|relation "|column "|syntax error|` +
		`INSERT INTO|json: cannot|\bint64\b|strconv`,
)

// badText returns a hostile or invalid text.
func badText(random *rand.Rand, w *world) string {
	texts := []string{
		"", " ", "x", "-1", "0", "1e9", "99999999999999999999", "NaN", "true", "null", "[]", "{}", "\x00", "a\x00b",
		"\xff\xfe", "\u202e", "💥", "' OR 1=1 --", "%", "_", "*", "[", "[!", "**********", "\\", "../../etc/passwd",
		"%s%n", "${x}", "<script>", "2026-13-45T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59Z",
		"-9999-01-01T00:00:00Z",
		uuid.Nil.String(), uuid.Max.String(), uuid.NewString(), "{" + uuid.NewString() + "}",
		"urn:uuid:" + uuid.NewString(), strings.ReplaceAll(uuid.NewString(), "-", ""),
		w.elsewhere.shown.String(), w.elsewhere.signal.String(), w.here.hidden.String(),
		strings.Repeat("a", 300), strings.Repeat("💥", 100), strings.Repeat("*a", 100),
	}
	return texts[random.IntN(len(texts))]
}

// badJSON returns a hostile or invalid JSON value.
func badJSON(random *rand.Rand, w *world) string {
	switch random.IntN(12) {
	case 0:
		return "null"
	case 1:
		return "1e999"
	case 2:
		return "-0.5"
	case 3:
		return `"\u0000"`
	case 4:
		return `"\ud800"`
	case 5:
		return strings.Repeat("[", 40) + strings.Repeat("]", 40)
	case 6:
		return strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	case 7:
		return "[" + strings.TrimSuffix(strings.Repeat(`"a",`, 1500), ",") + "]"
	case 8:
		return `{"resource_id":1,"scope":{}}`
	case 9:
		return `["` + w.elsewhere.signal.String() + `",null,{}]`
	default:
		text, err := json.Marshal(badText(random, w))
		if err != nil {
			panic(err)
		}
		return string(text)
	}
}

// bad is a request with invalid and valid parts.
type bad struct {
	method, target, body string
	header               http.Header
}

// badRequest returns a request to an operation.
func badRequest(random *rand.Rand, w *world, document *huma.OpenAPI, op operation) bad {
	one := func(all ...string) string { return all[random.IntN(len(all))] }
	b := bad{method: op.method, header: http.Header{}}
	b.target = "/v1" + regexp.MustCompile(`\{\w+\}`).ReplaceAllStringFunc(op.path, func(string) string {
		if random.IntN(2) == 0 {
			return uuid.NewString()
		}
		return url.PathEscape(strings.NewReplacer("/", "", "..", "").Replace(badText(random, w)) + one("", "a"))
	})
	b.target += badQuery(random, w, op)
	b.body = badBody(random, w, document, op)
	if random.IntN(10) == 0 {
		b.method = one("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
	}
	b.header.Set("Content-Type", "application/json")
	if random.IntN(5) == 0 {
		b.header.Set("Content-Type", one(
			"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
			"application/json; charset=latin1", "application/json;;", "application/cbor", "a/b+json", "json",
		))
	}
	for _, name := range []string{
		"Accept", "X-Request-Id", "Last-Event-Id", "Content-Encoding", "Accept-Encoding", "Origin",
	} {
		if random.IntN(8) == 0 {
			b.header.Set(name, one(
				"gzip", "br", "*/*", "text/html", "\xff", strings.Repeat("x", 500), "1-2-3", "'; --",
				"http://evil.example",
			))
		}
	}
	return b
}

func badQuery(random *rand.Rand, w *world, op operation) string {
	if random.IntN(12) == 0 {
		queries := []string{"?%zz", "?a;b", "?=&=&", "?%00=1", "?&&&", "?limit", "?" + strings.Repeat("a=1&", 300)}
		return queries[random.IntN(len(queries))]
	}
	query := url.Values{}
	for _, p := range op.Parameters {
		if p.In == "query" && random.IntN(1+len(op.Parameters)) == 0 {
			query.Add(p.Name, badText(random, w))
			if random.IntN(6) == 0 {
				query.Add(p.Name, badText(random, w))
			}
		}
	}
	if random.IntN(8) == 0 {
		query.Add(badText(random, w), badText(random, w))
	}
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

func badBody(random *rand.Rand, w *world, document *huma.OpenAPI, op operation) string {
	if op.RequestBody == nil && random.IntN(12) > 0 {
		return ""
	}
	if op.RequestBody == nil || random.IntN(4) == 0 {
		switch n := random.IntN(12); n {
		case 0:
			return strings.Repeat("[", 100_000)
		case 1:
			return `{"a":` + strings.Repeat(" ", 1<<20) + "1}"
		default:
			return []string{"", " ", "{", "[]", "null", `"a"`, "{}", "{} {}", "\xef\xbb\xbf{}", "{\"a\":\xff}"}[n-2]
		}
	}
	schema := op.RequestBody.Content["application/json"].Schema
	if schema.Ref != "" {
		schema = document.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	var fields []string
	add := func(name, value string) { fields = append(fields, fmt.Sprintf("%q:%s", name, value)) }
	names := make([]string, 0, len(schema.Properties))
	for name := range schema.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch random.IntN(8) {
		case 0:
		case 1:
			add(strings.ToUpper(name), badJSON(random, w))
		case 2:
			add(name, badJSON(random, w))
			add(name, badJSON(random, w))
		default:
			add(name, badJSON(random, w))
		}
	}
	if random.IntN(5) == 0 {
		add(strings.ToValidUTF8(badText(random, w), "?"), badJSON(random, w))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// send sends the request and checks what holds for every response: no server error, no internal
// text, and no data of the other tenant. It returns the status.
func (b bad) send(t testing.TB, c client, w *world) int {
	t.Helper()
	r := httptest.NewRequest("GET", b.target, nil)
	r.Method = b.method
	if b.body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(b.body)), int64(len(b.body))
	}
	r.Header = b.header.Clone()
	for name, values := range c.header {
		r.Header[name] = values
	}
	response := c.send(r)
	text := string(response.body)
	if response.status >= 500 {
		t.Errorf("%s %s %.200q: got %d: %s", b.method, b.target, b.body, response.status, text)
	}
	if response.status >= 400 {
		if strings.Contains(text, `"is not valid"`) {
			t.Errorf("%s %s %.200q: a Go type rejects what its schema accepts: %s", b.method, b.target, b.body, text)
		}
		if found := internalText.FindString(text); found != "" {
			t.Errorf("%s %s %.200q: the response contains %q: %s", b.method, b.target, b.body, found, text)
		}
	}
	if strings.Contains(text, w.elsewhere.id.String()) {
		t.Errorf("%s %s %.200q: the response contains data of another tenant: %s", b.method, b.target, b.body, text)
	}
	return response.status
}

// TestBadInput sends invalid requests to all routes.
func TestBadInput(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, nil)
	c := w.here.as(w.here.member, identity.ScopeAdmin)
	document := w.server.Document()
	for i, op := range operations(document) {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		seen := map[int]int{}
		for range 150 {
			seen[badRequest(random, w, document, op).send(t, c, w)]++
		}
		t.Logf("%s %s: %v", op.method, op.path, seen)
	}
}

// FuzzRequest is TestBadInput with requests of the fuzzer.
func FuzzRequest(f *testing.F) {
	w := newWorld(f, func(o *api.Options) { o.Logger = zap.NewNop() })
	document := w.server.Document()
	for i, op := range operations(document) {
		random := rand.New(rand.NewPCG(uint64(i), 2))
		for range 4 {
			b := badRequest(random, w, document, op)
			path, query, _ := strings.Cut(b.target, "?")
			f.Add(b.method, path, query, b.header.Get("Content-Type"), b.body)
		}
	}
	c := w.here.as(w.here.member, identity.ScopeAdmin)
	f.Fuzz(func(t *testing.T, method, path, query, mediaType, body string) {
		target, err := url.Parse("http://fanfare.example")
		if err != nil {
			t.Fatal(err)
		}
		if path == "/v1/activities/stream" {
			return // requires a Centrifugo
		}
		target.Path, target.RawQuery = path, query
		r := &http.Request{
			Method: method, URL: target, RequestURI: target.RequestURI(), Host: target.Host, Header: c.header.Clone(),
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}
		r.Header.Set("Content-Type", mediaType)
		c := c
		c.t = t
		response := c.send(r.WithContext(t.Context()))
		if response.status >= 500 || response.status >= 400 && internalText.Match(response.body) {
			t.Errorf("got %d: %s", response.status, response.body)
		}
	})
}
