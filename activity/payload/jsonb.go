package payload

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
		return appendString(b, value)
	case json.Number:
		return append(b, numericText(string(value))...)
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
		b = append(appendString(b, key), ": "...)
		b = append(b, values[key]...)
	}
	return append(b, '}')
}

func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// numericText returns a storable JSON number as numeric writes it: without an exponent, and with the
// given digits after the decimal point, trailing zeros included.
func numericText(number string) string {
	mantissa, exponent := number, 0
	if at := strings.IndexAny(number, "eE"); at >= 0 {
		mantissa = number[:at]
		exponent, _ = strconv.Atoi(number[at+1:]) // a storable number has one in range
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if strings.Trim(digits, "0") == "" {
		negative = false
	}
	scale := max(len(fraction)-exponent, 0)
	point := len(whole) + exponent
	if point < 1 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	if missing := point + scale - len(digits); missing > 0 {
		digits += strings.Repeat("0", missing)
	}
	whole = strings.TrimLeft(digits[:point], "0")
	text := cmp.Or(whole, "0")
	if scale > 0 {
		text += "." + digits[point:point+scale]
	}
	if negative {
		return "-" + text
	}
	return text
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
