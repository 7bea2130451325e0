package taxonomy

import (
	"encoding/json"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// maxDigits is the maximum number of digits that a number of a schema may have on either side of
// its point. A number of a payload may have as many as PostgreSQL's numeric type stores.
const maxDigits = 16383

// storedSize returns the length in bytes of a decoded JSON value as jsonb writes it, which is the
// size that the database limits. ok is false if the log cannot store the value: it is nested too
// deeply, or a number has too many digits.
// https://www.postgresql.org/docs/current/datatype-json.html
func storedSize(value any, depth int) (size int, ok bool) {
	switch v := value.(type) {
	case map[string]any:
		if depth == activity.MaxPayloadDepth {
			return 0, false
		}
		size = 2
		for key, inner := range v {
			n, ok := storedSize(inner, depth+1)
			if !ok {
				return 0, false
			}
			size += storedString(key) + len(`: `) + n
		}
		return size + len(`, `)*max(len(v)-1, 0), true
	case []any:
		if depth == activity.MaxPayloadDepth {
			return 0, false
		}
		size = 2
		for _, inner := range v {
			n, ok := storedSize(inner, depth+1)
			if !ok {
				return 0, false
			}
			size += n
		}
		return size + len(`, `)*max(len(v)-1, 0), true
	case string:
		return storedString(v), true
	case json.Number:
		return storedNumber(string(v))
	case bool:
		if v {
			return len("true"), true
		}
		return len("false"), true
	default:
		return len("null"), true
	}
}

// fits reports whether a JSON text is certain to have at most maxBytes as jsonb. jsonb adds a space
// after a colon and a comma and writes numbers without an exponent; it makes nothing else longer.
func fits(raw []byte, maxBytes int) bool {
	if 2*len(raw) > maxBytes {
		return false
	}
	for i, b := range raw[1:] {
		if (b == 'e' || b == 'E') && '0' <= raw[i] && raw[i] <= '9' {
			return false
		}
	}
	return true
}

func storedString(s string) int {
	size := len(s) + 2
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '"' || b == '\\' || b == '\b' || b == '\f' || b == '\n' || b == '\r' || b == '\t':
			size++
		case b < ' ':
			size += len(`\u0000`) - 1
		}
	}
	return size
}

// storedNumber returns the length of a JSON number as jsonb writes it. ok is false if jsonb cannot
// store it.
func storedNumber(text string) (size int, ok bool) {
	n, ok := jsontext.ParseNumber([]byte(text))
	if !ok || !n.FitsNumeric() {
		return 0, false
	}
	return n.NumericLen(), true
}

// plainNumber returns the canonical text of a number of a schema. ok is false if the number has
// more than maxDigits digits on either side of its point.
func plainNumber(text string) (plain string, ok bool) {
	n, ok := jsontext.ParseNumber([]byte(text))
	if !ok || n.Whole() > maxDigits || n.Fraction() > maxDigits {
		return "", false
	}
	return n.Plain(), true
}
