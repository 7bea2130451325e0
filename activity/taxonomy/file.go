package taxonomy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The limits of a file. The target of an alias counts each time that it is used.
const (
	MaxFileBytes = 1 << 20
	maxNodes     = 100_000 // YAML nodes
	maxText      = 4 << 20 // bytes of scalars
	maxDepth     = 64      // nested levels
)

// reader reads the nodes of a file and collects diagnostics.
type reader struct {
	diagnostics []Diagnostic
	more        int               // the number of diagnostics beyond maxDiagnostics
	builtins    map[string]*entry // nil while the built-in actions are read themselves
	action      string            // the action that is being read
	nodes       int               // counted by spend
	textBytes   int               // counted by spend
	exhausted   bool              // the file exceeds a limit
}

// refuse adds a diagnostic of the current action.
func (r *reader) refuse(line int, field, value, rule string) {
	if len(r.diagnostics) == maxDiagnostics {
		r.more++
		return
	}
	d := Diagnostic{Line: line, Action: r.action, Field: field, Value: shortened(value), Rule: rule}
	r.diagnostics = append(r.diagnostics, d)
}

// err returns an *InvalidError with the diagnostics, or nil if there are none.
func (r *reader) err() error {
	if len(r.diagnostics) == 0 {
		return nil
	}
	slices.SortStableFunc(r.diagnostics, func(a, b Diagnostic) int { return a.Line - b.Line })
	return &InvalidError{Diagnostics: r.diagnostics, More: r.more}
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// open reads the only document of the file. It returns nil if the file has no valid document.
func (r *reader) open(file io.Reader) (*yaml.Node, error) {
	text, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the taxonomy: %w", err)
	}
	if len(text) > MaxFileBytes {
		r.refuse(0, "", "", fmt.Sprintf("the file must be at most %d bytes", MaxFileBytes))
		return nil, nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF), err == nil && len(document.Content) == 0:
		r.refuse(1, "", "", "the file is empty")
		return nil, nil
	case err != nil:
		r.malformed(err)
		return nil, nil
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.refuse(second.Line, "", "", "the file must contain one document")
	case !errors.Is(err, io.EOF):
		r.malformed(err)
	}
	return document.Content[0], nil
}

// malformed reports an error of the YAML library. The library has no type for the line of an error,
// so it is read from the text.
func (r *reader) malformed(err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if found := yamlLine.FindStringSubmatchIndex(text); found != nil {
		line, _ = strconv.Atoi(text[found[2]:found[3]])
		text = text[:found[0]] + text[found[1]:]
	}
	r.refuse(line, "", "", "is not YAML: "+shortened(text))
}

// spend counts a node against the limits of a file, and reports whether they are kept. It reports
// false for all nodes after the first that exceeds a limit.
func (r *reader) spend(node *yaml.Node, depth int) bool {
	r.nodes++
	r.textBytes += len(node.Value)
	if !r.exhausted && (r.nodes > maxNodes || r.textBytes > maxText || depth > maxDepth) {
		r.exhausted = true
		r.refuse(node.Line, "", "", fmt.Sprintf(
			"the file must have at most %d values, %d bytes of text and %d levels,"+
				" counted after its aliases are resolved", maxNodes, maxText, maxDepth))
	}
	return !r.exhausted
}

func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// pair is a key of a mapping and its value.
type pair struct {
	key   string
	line  int
	value *yaml.Node
}

// pairs returns the pairs of a mapping, and reports duplicate keys.
func (r *reader) pairs(node *yaml.Node, field string, depth int) []pair {
	node = resolved(node)
	if !r.spend(node, depth) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		r.refuse(node.Line, field, describe(node), "must be a mapping of keys to values")
		return nil
	}
	found := make([]pair, 0, len(node.Content)/2)
	seen := make(map[string]int, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := resolved(node.Content[i])
		if !r.spend(key, depth) {
			return nil
		}
		name := key.Value
		switch first, again := seen[name]; {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			r.refuse(key.Line, field, describe(key), "must be a text; quote a key that YAML reads as another type")
		case again:
			r.refuse(key.Line, joined(field, name), "", fmt.Sprintf("is a duplicate of line %d", first))
		default:
			seen[name] = key.Line
			found = append(found, pair{key: name, line: key.Line, value: node.Content[i+1]})
		}
	}
	return found
}

// scalar reads a text.
func (r *reader) scalar(node *yaml.Node, field string) (string, bool) {
	node = resolved(node)
	if !r.spend(node, 0) {
		return "", false
	}
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
		r.refuse(node.Line, field, describe(node), "must be a text")
		return "", false
	}
	return node.Value, true
}

// integer reads an integer.
func (r *reader) integer(node *yaml.Node, field string) (int, bool) {
	node = resolved(node)
	if !r.spend(node, 0) {
		return 0, false
	}
	n, err := strconv.Atoi(node.Value)
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!int" || err != nil {
		r.refuse(node.Line, field, describe(node), "must be an integer")
		return 0, false
	}
	return n, true
}

// texts reads a list of texts.
func (r *reader) texts(node *yaml.Node, field string) (list []string, ok bool) {
	node = resolved(node)
	if !r.spend(node, 0) {
		return nil, false
	}
	if node.Kind != yaml.SequenceNode {
		r.refuse(node.Line, field, describe(node), "must be a list of texts")
		return nil, false
	}
	list, ok = make([]string, 0, len(node.Content)), true
	for _, item := range node.Content {
		text, isText := r.scalar(item, field)
		list, ok = append(list, text), ok && isText
	}
	return list, ok
}

// lines are the lines of the parts of a value.
type lines map[string]int

func (l lines) note(path []string, line int) { l[strings.Join(path, "\x00")] = line }

// of returns the line of a part, or of the nearest part that contains it and has a line.
func (l lines) of(path []string) int {
	for ; ; path = path[:len(path)-1] {
		if line, ok := l[strings.Join(path, "\x00")]; ok || len(path) == 0 {
			return line
		}
	}
}

// json reads a JSON value in the form that decode returns.
func (r *reader) json(node *yaml.Node, field string, path []string, lineOf lines) any {
	node = resolved(node)
	switch node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for _, p := range r.pairs(node, field, len(path)+1) {
			inside := append(slices.Clone(path), p.key)
			lineOf.note(inside, p.line)
			object[p.key] = r.json(p.value, joined(field, p.key), inside, lineOf)
		}
		return object
	case yaml.SequenceNode:
		if !r.spend(node, len(path)+1) {
			return nil
		}
		list := make([]any, 0, len(node.Content))
		for i, item := range node.Content {
			inside := append(slices.Clone(path), strconv.Itoa(i))
			lineOf.note(inside, item.Line)
			list = append(list, r.json(item, joined(field, strconv.Itoa(i)), inside, lineOf))
		}
		return list
	}
	if !r.spend(node, len(path)) {
		return nil
	}
	switch node.ShortTag() {
	case "!!str", "!!timestamp": // JSON has no dates
		if strings.ContainsRune(node.Value, 0) {
			r.refuse(node.Line, field, "", "must not contain a NUL character")
		}
		return node.Value
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(node.Value, "true")
	case "!!int", "!!float":
		if n, ok := r.number(node); ok {
			return n
		}
		r.refuse(node.Line, field, node.Value, "must be a number of JSON")
		return nil
	}
	r.refuse(node.Line, field, describe(node), "must be a value of JSON")
	return nil
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// number reads a number in any of the notations of YAML.
func (r *reader) number(node *yaml.Node) (json.Number, bool) {
	text := node.Value
	if !jsonNumber.MatchString(text) {
		var value any
		if node.Decode(&value) != nil {
			return "", false
		}
		switch v := value.(type) {
		case int, int64, uint64:
			text = fmt.Sprint(v)
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return "", false
			}
			text = strconv.FormatFloat(v, 'g', -1, 64)
		default:
			return "", false
		}
	}
	plain, ok := plainNumber(text)
	if !ok {
		return "", false
	}
	r.textBytes += len(plain)
	return json.Number(plain), true
}

func joined(field, key string) string {
	if field == "" {
		return cutKey(key)
	}
	return field + "." + cutKey(key)
}

// describe returns a short text for a value of the wrong type.
func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if node.Value == "" {
		return "an empty value"
	}
	return node.Value
}
