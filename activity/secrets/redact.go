package secrets

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// RedactJSON returns a JSON text with its secrets replaced by [Redacted], at any depth: the value
// of a key that names a secret, a string that contains one, and a key that contains one together
// with its value. keys are further keys that name a secret, in lower case. raw itself is returned
// if it contains no secret or is not valid JSON; it is never changed.
func RedactJSON(raw json.RawMessage, keys ...string) json.RawMessage {
	// A letter may be written as an escape.
	if len(keys) == 0 && bytes.IndexByte(raw, '\\') < 0 && !hasHint(LowerASCII(string(raw))) {
		return raw
	}
	r := redaction{decoder: json.NewDecoder(bytes.NewReader(raw)), keys: keys, out: make([]byte, 0, len(raw))}
	r.decoder.UseNumber()
	if err := r.value(); err != nil || !r.found {
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

func (r *redaction) value() error {
	token, err := r.decoder.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return r.object()
		}
		return r.array()
	case string:
		text := RedactText(v)
		r.found = r.found || text != v
		return r.append(text)
	default:
		return r.append(v)
	}
}

func (r *redaction) object() error {
	r.out = append(r.out, '{')
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
		if InKey(key) || slices.Contains(r.keys, LowerASCII(key)) {
			r.out = append(r.out, `"`+Redacted+`"`...)
			err = r.skip()
		} else {
			err = r.value()
		}
		if err != nil {
			return err
		}
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

// skip reads a value that is replaced.
func (r *redaction) skip() error {
	r.found = true
	var skipped json.RawMessage
	return r.decoder.Decode(&skipped)
}

func (r *redaction) array() error {
	r.out = append(r.out, '[')
	for first := true; r.decoder.More(); first = false {
		if !first {
			r.out = append(r.out, ',')
		}
		if err := r.value(); err != nil {
			return err
		}
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
