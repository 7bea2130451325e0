package activity

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// normal returns a JSON text as PostgreSQL's jsonb writes it: of duplicate keys the last, keys by
// length and then bytewise, numbers written out, one space behind a colon and a comma. raw must be
// valid and storable.
func normal(raw json.RawMessage) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return appendNormal(nil, decoder, next(decoder))
}

func next(decoder *json.Decoder) json.Token {
	token, err := decoder.Token()
	if err != nil {
		panic("activity: JSON that was checked cannot be read: " + err.Error())
	}
	return token
}

func appendNormal(b []byte, decoder *json.Decoder, token json.Token) []byte {
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
			b = appendNormal(b, decoder, next(decoder))
		}
		next(decoder)
		return append(b, ']')
	case string:
		return appendString(b, value)
	case json.Number:
		return append(b, writtenOut(string(value))...)
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
		if _, again := values[key]; !again {
			keys = append(keys, key)
		}
		values[key] = appendNormal(nil, decoder, next(decoder))
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

// writtenOut returns a JSON number as numeric writes it: without an exponent, and with as many
// digits behind the point as it was given.
func writtenOut(number string) string {
	mantissa, exponent := number, 0
	if at := strings.IndexAny(number, "eE"); at >= 0 {
		mantissa = number[:at]
		exponent, _ = strconv.Atoi(number[at+1:]) // storable: a small one
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
	if short := point + scale - len(digits); short > 0 {
		digits += strings.Repeat("0", short)
	}
	whole = strings.TrimLeft(digits[:point], "0")
	written := cmp.Or(whole, "0")
	if scale > 0 {
		written += "." + digits[point:point+scale]
	}
	if negative {
		return "-" + written
	}
	return written
}
