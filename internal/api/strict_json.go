package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxJSONDepth is the maximum nesting of a body.
const maxJSONDepth = 16

// wellFormed returns a *Problem unless a body is JSON in UTF-8 (RFC 8259).
func wellFormed(body []byte) error {
	if !utf8.Valid(body) {
		return fieldProblem(Malformed, "body", "must be UTF-8")
	}
	if !json.Valid(body) {
		return fieldProblem(Malformed, "body", "must be one JSON value")
	}
	return nil
}

// checkJSON returns a *Problem unless a body is strict JSON: well-formed, without duplicate names
// in an object, NUL characters, numbers outside the range of float64, names that no field of this
// API can have, or nesting deeper than maxJSONDepth.
func checkJSON(body []byte) error {
	if err := wellFormed(body); err != nil {
		return err
	}
	w := jsonWalk{tokens: json.NewDecoder(bytes.NewReader(body))}
	w.tokens.UseNumber()
	if p := w.value("", 0); p != nil {
		return p
	}
	return nil
}

// jsonWalk visits the values of a valid JSON text.
type jsonWalk struct {
	tokens *json.Decoder
}

func (w jsonWalk) value(path string, depth int) *Problem {
	switch t := w.next().(type) {
	case json.Delim:
		if depth++; depth > maxJSONDepth {
			return fieldProblem(
				InvalidField, named(path), fmt.Sprintf("must nest at most %d levels deep", maxJSONDepth),
			)
		}
		if t == '{' {
			return w.object(path, depth)
		}
		return w.array(path, depth)
	case string:
		if strings.IndexByte(t, 0) >= 0 {
			return fieldProblem(InvalidField, named(path), "must not contain NUL characters")
		}
	case json.Number:
		if _, err := strconv.ParseFloat(string(t), 64); err != nil {
			return fieldProblem(InvalidField, named(path), "must be a number in the range of a double")
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
			return fieldProblem(
				InvalidField, strings.ReplaceAll(field, "\x00", "\uFFFD"), "is not a field of this body",
			)
		case seen[name]:
			return fieldProblem(InvalidField, field, "must be given only once")
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

// next returns the next token of a valid text.
func (w jsonWalk) next() json.Token {
	token, err := w.tokens.Token()
	if err != nil {
		panic("api: valid JSON has an invalid token: " + err.Error())
	}
	return token
}

// named returns the path of a value, or "body" for the whole body.
func named(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

// isFieldName reports whether a field of this API can have a name. encoding/json ignores case and
// folds characters; this API does not.
func isFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return name != ""
}

// storableText reports whether PostgreSQL can store a text.
func storableText(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}
