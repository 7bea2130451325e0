package payload

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// JSONB returns a storable JSON text as PostgreSQL's jsonb writes it: the last of duplicate keys,
// keys ordered by length and then by bytes, numbers without exponents, and one space after each
// colon and comma. It panics if raw is not valid JSON.
func JSONB(raw json.RawMessage) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return appendValue(nil, decoder, next(decoder))
}

func next(decoder *json.Decoder) json.Token {
	token, err := decoder.Token()
	if err != nil {
		panic("payload: read JSON: " + err.Error())
	}
	return token
}

func appendValue(b []byte, decoder *json.Decoder, token json.Token) []byte {
	switch value := token.(type) {
	case json.Delim:
		if value == '{' {
			return appendObject(b, decoder)
		}
		b = append(b, '[')
		for n := 0; decoder.More(); n++ {
			if n > 0 {
				b = append(b, ", "...)
			}
			b = appendValue(b, decoder, next(decoder))
		}
		next(decoder)
		return append(b, ']')
	case string:
		return jsontext.AppendString(b, value)
	case json.Number:
		number, _ := jsontext.ParseNumber([]byte(value)) // a storable one is in range
		return append(b, number.Numeric()...)
	case bool:
		return strconv.AppendBool(b, value)
	default:
		return append(b, "null"...)
	}
}

func appendObject(b []byte, decoder *json.Decoder) []byte {
	values := map[string][]byte{}
	var keys []string
	for decoder.More() {
		key := next(decoder).(string)
		if _, duplicate := values[key]; !duplicate {
			keys = append(keys, key)
		}
		values[key] = appendValue(nil, decoder, next(decoder))
	}
	next(decoder)
	slices.SortFunc(keys, func(x, y string) int { return cmp.Or(len(x)-len(y), strings.Compare(x, y)) })
	b = append(b, '{')
	for n, key := range keys {
		if n > 0 {
			b = append(b, ", "...)
		}
		b = append(jsontext.AppendString(b, key), ": "...)
		b = append(b, values[key]...)
	}
	return append(b, '}')
}

// Kind returns the type of a valid JSON text as jsonb_typeof names it.
func Kind(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}
