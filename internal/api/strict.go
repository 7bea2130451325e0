package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxJSONDepth bounds the nesting of a body.
const maxJSONDepth = 16

// checkJSON returns a *Problem unless a body is JSON (RFC 8259) that means one thing only: UTF-8,
// no name twice in an object, no NUL, no number beyond a float64, names as this API has them, and
// not too deep.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return fieldProblem(Malformed, "body", "must be UTF-8")
	}
	if !json.Valid(body) {
		return fieldProblem(Malformed, "body", "must be one JSON value")
	}
	w := jsonWalk{tokens: json.NewDecoder(bytes.NewReader(body))}
	w.tokens.UseNumber()
	if p := w.value("", 0); p != nil {
		return p
	}
	return nil
}

// jsonWalk goes through a valid JSON text.
type jsonWalk struct {
	tokens *json.Decoder
}

func (w jsonWalk) value(path string, depth int) *Problem {
	switch t := w.next().(type) {
	case json.Delim:
		if depth++; depth > maxJSONDepth {
			return fieldProblem(InvalidField, named(path), fmt.Sprintf("must nest at most %d levels deep", maxJSONDepth))
		}
		if t == '{' {
			return w.object(path, depth)
		}
		return w.array(path, depth)
	case string:
		if strings.IndexByte(t, 0) >= 0 {
			return fieldProblem(InvalidField, named(path), "must hold no NUL character")
		}
	case json.Number:
		if _, err := strconv.ParseFloat(string(t), 64); err != nil {
			return fieldProblem(InvalidField, named(path), "must be a number within the range of a double")
		}
	}
	return nil
}

func (w jsonWalk) object(path string, depth int) *Problem {
	seen := map[string]bool{}
	for w.tokens.More() {
		name, _ := w.next().(string)
		field := strings.TrimPrefix(path+"."+name, ".")
		switch {
		case !isFieldName(name):
			return fieldProblem(InvalidField, strings.ReplaceAll(field, "\x00", "\uFFFD"), "is not a field of this body")
		case seen[name]:
			return fieldProblem(InvalidField, field, "must not be given twice")
		}
		seen[name] = true
		if p := w.value(field, depth); p != nil {
			return p
		}
	}
	w.next()
	return nil
}

func (w jsonWalk) array(path string, depth int) *Problem {
	for i := 0; w.tokens.More(); i++ {
		if p := w.value(path+"["+strconv.Itoa(i)+"]", depth); p != nil {
			return p
		}
	}
	w.next()
	return nil
}

// next returns the next token of a text that is known to be valid.
func (w jsonWalk) next() json.Token {
	token, err := w.tokens.Token()
	if err != nil {
		panic("api: valid JSON cannot be read: " + err.Error())
	}
	return token
}

func named(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

// isFieldName tells whether a field of any body could have this name. encoding/json takes other
// spellings for the same name; here they are unknown fields.
func isFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return name != ""
}

// storableText tells whether PostgreSQL could hold a text.
func storableText(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}
