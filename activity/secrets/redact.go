package secrets

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// RedactJSON returns a JSON text with its secrets replaced by [Redacted], at any depth: the value
// of a key that names a secret, a string that contains one, and a key that contains one together
// with its value. A name beside its value counts as a key, in an object with members such as "name"
// and "value", and in a list of two. keys are further keys that name a secret, in lower case. raw
// itself is returned if it contains no secret or is not valid JSON; it is never changed.
func RedactJSON(raw json.RawMessage, keys ...string) json.RawMessage {
	// A letter may be written as an escape.
	if len(keys) == 0 && bytes.IndexByte(raw, '\\') < 0 && !hints.in(LowerASCII(string(raw))) {
		return raw
	}
	r := redaction{decoder: json.NewDecoder(bytes.NewReader(raw)), keys: keys, out: make([]byte, 0, len(raw))}
	r.decoder.UseNumber()
	if _, err := r.value(false); err != nil || !r.found {
		return raw
	}
	return r.out
}

// JSON is a JSON text that was redacted. As the payload of an envelope, it is not redacted again on
// its way to the database. The zero value is null.
type JSON struct {
	text json.RawMessage
}

// Redact returns a valid JSON text as [RedactJSON] redacts it.
func Redact(raw json.RawMessage, keys ...string) JSON { return JSON{RedactJSON(raw, keys...)} }

// Raw returns the text. It must not be changed.
func (j JSON) Raw() json.RawMessage {
	if j.text == nil {
		return json.RawMessage("null")
	}
	return j.text
}

// String returns the text.
func (j JSON) String() string { return string(j.Raw()) }

// MarshalJSON implements [json.Marshaler].
func (j JSON) MarshalJSON() ([]byte, error) { return j.Raw(), nil }

// Filter returns an object with only the members whose key is accepted by keep. The error says that
// the text is not an object.
func (j JSON) Filter(keep func(key string) bool) (JSON, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(j.Raw(), &members); err != nil {
		return JSON{}, err
	}
	all := len(members)
	maps.DeleteFunc(members, func(key string, _ json.RawMessage) bool { return !keep(key) })
	if len(members) == all {
		return j, nil
	}
	text, err := json.Marshal(members)
	return JSON{text}, err
}

// redaction copies a JSON text without its secrets.
type redaction struct {
	decoder *json.Decoder
	keys    []string
	out     []byte
	found   bool
}

// A span is where the copy of a value is, and what decides whether it can be a secret.
type span struct {
	from, to int
	kind     kind
	text     string // of a string
}

// kind is the kind of a value.
type kind int

const (
	scalar kind = iota // a number, true, false or null
	text
	composite
)

// value copies a value. inList reports whether it is an element of a list.
func (r *redaction) value(inList bool) (span, error) {
	from := len(r.out)
	token, err := r.decoder.Token()
	if err != nil {
		return span{}, err
	}
	copied := span{from: from}
	switch v := token.(type) {
	case json.Delim:
		copied.kind = composite
		if v == '{' {
			err = r.object()
		} else {
			err = r.array(inList)
		}
	case string:
		copied.kind, copied.text = text, v
		redacted := RedactText(v)
		r.found = r.found || redacted != v
		err = r.append(redacted)
	default:
		err = r.append(v)
	}
	copied.to = len(r.out)
	return copied, err
}

func (r *redaction) object() error {
	r.out = append(r.out, '{')
	pair := pairing{}
	first, redactedKey := true, false
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return err
		}
		key := token.(string) // encoding/json permits no other type of key
		if InText(key) {
			redactedKey = true
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		if err := r.append(key); err != nil {
			return err
		}
		r.out = append(r.out, ':')
		value, err := r.value(false)
		if err != nil {
			return err
		}
		if r.isSecret(key, value) {
			r.replace(value)
			continue
		}
		pair.add(key, value)
	}
	for _, value := range pair.secrets(r) {
		r.replace(value)
	}
	if redactedKey { // as the last member, so that it wins over a member that has this key already
		if !first {
			r.out = append(r.out, ',')
		}
		r.out = append(r.out, `"`+Redacted+`":"`+Redacted+`"`...)
	}
	r.out = append(r.out, '}')
	_, err := r.decoder.Token()
	return err
}

// isSecret reports whether the value of a name must not be stored.
func (r *redaction) isSecret(name string, value span) bool {
	if InKey(name) || slices.Contains(r.keys, LowerASCII(name)) {
		return true
	}
	return value.kind != scalar && InTextKey(name) && (value.kind != text || !uuidPattern.MatchString(value.text))
}

// replace replaces the copy of a value, behind which no other value that is to be replaced lies.
func (r *redaction) replace(value span) {
	r.found = true
	r.out = slices.Replace(r.out, value.from, value.to, []byte(`"`+Redacted+`"`)...)
}

// skip reads a value that is replaced together with its key.
func (r *redaction) skip() error {
	r.found = true
	var skipped json.RawMessage
	return r.decoder.Decode(&skipped)
}

// array copies a list. One of two elements may be a name and its value: so it is read within a
// list, such as a list of headers, and elsewhere unless the second element is a word as well, as in
// a list of changed fields.
func (r *redaction) array(inList bool) error {
	r.out = append(r.out, '[')
	var pair [2]span
	count := 0
	for ; r.decoder.More(); count++ {
		if count > 0 {
			r.out = append(r.out, ',')
		}
		value, err := r.value(true)
		if err != nil {
			return err
		}
		if count < len(pair) {
			pair[count] = value
		}
	}
	name, value := pair[0], pair[1]
	if count == len(pair) && name.kind == text && r.isSecret(name.text, value) &&
		(inList || value.kind != text || !wordPattern.MatchString(value.text)) {
		r.replace(value)
	}
	r.out = append(r.out, ']')
	_, err := r.decoder.Token()
	return err
}

func (r *redaction) append(scalar any) error {
	text, err := json.Marshal(scalar)
	r.out = append(r.out, text...)
	return err
}

// pairing collects the members of an object that hold a name and its value.
type pairing struct {
	names  map[string]span
	values []span
}

func (p *pairing) add(key string, value span) {
	lower := LowerASCII(key)
	switch {
	case pairValueLower.MatchString(lower):
		p.values = append(p.values, value)
	case pairNameLower.MatchString(lower):
		if p.names == nil {
			p.names = map[string]span{}
		}
		p.names[key] = value // of equal keys, the last is stored
	}
}

// secrets returns the values of a name of a secret, the last first.
func (p *pairing) secrets(r *redaction) (found []span) {
	for _, value := range slices.Backward(p.values) {
		for _, name := range p.names {
			if name.kind == text && r.isSecret(name.text, value) {
				found = append(found, value)
				break
			}
		}
	}
	return found
}
