package api_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/internal/api"
)

// operation is an operation of the document.
type operation struct {
	method, path string // without the prefix
	*huma.Operation
}

// operations returns the operations of the document in the order of their paths.
func operations(document *huma.OpenAPI) (all []operation) {
	for path, item := range document.Paths {
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post,
			http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
		} {
			if op != nil {
				all = append(all, operation{method, path, op})
			}
		}
	}
	slices.SortFunc(all, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return all
}

// isPublic reports whether an operation requires no caller.
func isPublic(op operation) bool { return len(op.Security[0]) == 0 }

// documentedRoutes finds the operation of a request in the document. Servers with the same document
// share one.
type documentedRoutes struct {
	schemas  *documentSchemas
	patterns []*regexp.Regexp
	routes   []operation // operations with fewer parameters first
}

// knownRoutes are documentedRoutes by the document as it is served.
var knownRoutes struct {
	sync.Mutex
	of map[string]documentedRoutes
}

func newDocumentedRoutes(t testing.TB, server *api.Server) documentedRoutes {
	t.Helper()
	document, err := json.Marshal(server.Document()) // as it is served
	if err != nil {
		t.Fatal(err)
	}
	knownRoutes.Lock()
	defer knownRoutes.Unlock()
	if known, ok := knownRoutes.of[string(document)]; ok {
		return known
	}
	d := documentedRoutes{schemas: newDocumentSchemas(t, document), routes: operations(server.Document())}
	slices.SortStableFunc(
		d.routes,
		func(a, b operation) int { return strings.Count(a.path, "{") - strings.Count(b.path, "{") },
	)
	for _, route := range d.routes {
		d.patterns = append(
			d.patterns,
			regexp.MustCompile("^/v1"+regexp.MustCompile(`\{\w+\}`).ReplaceAllString(route.path, "[^/]+")+"$"),
		)
	}
	if knownRoutes.of == nil {
		knownRoutes.of = map[string]documentedRoutes{}
	}
	knownRoutes.of[string(document)] = d
	return d
}

// of returns the operation of a request, if there is one.
func (d documentedRoutes) of(r *http.Request) (op operation, found bool) {
	literal := false // whether the path is one without parameters
	depth := strings.Count(r.URL.Path, "/")
	for i, route := range d.routes {
		if strings.Count("/v1"+route.path, "/") != depth {
			continue // cheaper than the pattern, which has as many steps
		}
		parameters := strings.Contains(route.path, "{")
		if !d.patterns[i].MatchString(r.URL.Path) || literal && parameters {
			continue
		}
		if route.method == r.Method || route.method == http.MethodGet && r.Method == http.MethodHead {
			return route, true
		}
		literal = literal || !parameters
	}
	return operation{}, false
}

func TestDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	response := w.anyone().do("GET", "/v1/openapi.json", "").want(http.StatusOK)
	document := as[map[string]any](response)
	if got := document["openapi"]; got != "3.1.0" {
		t.Errorf("openapi: got %v, want 3.1.0", got)
	}
	checkReferences(t, document, document)

	seen := map[string]bool{}
	for _, op := range operations(w.server.Document()) {
		name := op.method + " " + op.path
		if op.OperationID == "" || seen[op.OperationID] {
			t.Errorf("%s: the operation id %q is empty or not unique", name, op.OperationID)
		}
		seen[op.OperationID] = true
		if op.Summary == "" || len(op.Tags) != 1 || len(op.Security) == 0 {
			t.Errorf("%s: has no summary, tag or security", name)
		}
		var inPath []string
		for _, p := range op.Parameters {
			if p.In == "path" {
				inPath = append(inPath, "{"+p.Name+"}")
			}
		}
		if wanted := regexp.MustCompile(`\{\w+\}`).FindAllString(op.path, -1); !slices.Equal(inPath, wanted) {
			t.Errorf("%s: path parameters: got %v, want %v", name, inPath, wanted)
		}
		for _, status := range []string{"400", "401", "403", "422", "429", "500", "503"} {
			if op.Responses[status] == nil && (status != "401" || !isPublic(op)) {
				t.Errorf("%s: status %s is not documented", name, status)
			}
		}
	}
}

// TestBodySchemas checks that the schemas of request bodies are JSON Schema.
func TestBodySchemas(t *testing.T) {
	t.Parallel()
	routes := newWorld(t, nil).routes
	for _, op := range routes.routes {
		if op.RequestBody == nil {
			continue
		}
		for mediaType := range op.RequestBody.Content {
			if _, err := routes.schemas.at(op.place("requestBody", "content", mediaType, "schema")); err != nil {
				t.Errorf("%s %s: %s: %v", op.method, op.path, mediaType, err)
			}
		}
	}
}

// checkReferences checks that every reference has a target.
func checkReferences(t *testing.T, document map[string]any, at any) {
	t.Helper()
	switch v := at.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			var target any = document
			for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
				target = target.(map[string]any)[step]
			}
			if target == nil {
				t.Errorf("reference %s has no target", ref)
			}
		}
		for _, each := range v {
			checkReferences(t, document, each)
		}
	case []any:
		for _, each := range v {
			checkReferences(t, document, each)
		}
	}
}

// TestExamples checks that every example is valid against its schema.
func TestExamples(t *testing.T) {
	t.Parallel()
	document := newWorld(t, nil).server.Document()
	for name, schema := range document.Components.Schemas.Map() {
		for field, property := range schema.Properties {
			for _, example := range property.Examples {
				text, err := json.Marshal(example)
				if err != nil {
					t.Fatal(err)
				}
				if violation := schemaViolation(document, property, text); violation != "" {
					t.Errorf("%s.%s: example %s: %s", name, field, text, violation)
				}
			}
		}
	}
}

// TestReferencePaths holds which paths the reference gets, whose handler internal/console tests.
func TestReferencePaths(t *testing.T) {
	t.Parallel()
	without := newWorld(t, nil)
	without.anyone().do("GET", "/v1/docs", "").want(http.StatusNotFound)
	w := newWorld(t, func(o *api.Options) {
		o.Reference = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("reference " + r.URL.Path))
		})
	})
	for _, path := range []string{"/v1/docs", "/v1/docs/assets/index.js"} {
		if got := string(w.anyone().do("GET", path, "").want(http.StatusOK).body); got != "reference "+path {
			t.Errorf("%s: got %s", path, got)
		}
	}
	w.anyone().do("GET", "/v1/docs/", "").want(http.StatusNotFound)
	w.anyone().do("POST", "/v1/docs", "").want(http.StatusMethodNotAllowed)
}
