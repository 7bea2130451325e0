package taxonomy

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/fanfarehq/fanfare/activity"
)

// maxDigits is how many digits a number of a schema may have on either side of its point. The
// payload's may have what PostgreSQL's numeric takes
// (https://www.postgresql.org/docs/current/datatype-numeric.html).
const (
	maxDigits   = 16383
	maxWhole    = 131072
	maxFraction = 16383
)

// storedSize returns how many bytes the text of a decoded JSON value has once it is jsonb: that is
// what the database measures. ok is false for what jsonb, or the log, does not take: too deep, or
// with a number too long. https://www.postgresql.org/docs/current/datatype-json.html
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

// fits reports whether a JSON text surely is within a bound once it is jsonb. That adds a space
// behind a colon and a comma, and writes out what has an exponent; nothing else gets longer.
func fits(raw []byte, most int) bool {
	if 2*len(raw) > most {
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

// storedNumber returns how long a number of JSON is as PostgreSQL's numeric, which writes every
// digit out and keeps the zeros that end a fraction.
func storedNumber(text string) (size int, ok bool) {
	n, ok := parseNumber(text)
	if !ok || n.scale > maxFraction || n.digits != "" && len(n.digits)-n.scale > maxWhole {
		return 0, false
	}
	size = 1
	if n.digits != "" {
		size = max(size, len(n.digits)-n.scale)
		if n.negative {
			size++
		}
	}
	if n.scale > 0 {
		size += len(".") + n.scale
	}
	return size, true
}

// number is digits × 10^-scale.
type number struct {
	negative bool
	digits   string // without leading zeros; empty is zero
	scale    int
}

// readNumber reads a number of a schema. ok is false if it is longer than a schema may hold it.
func readNumber(text string) (n number, ok bool) {
	n, ok = parseNumber(text)
	if !ok || n.scale > maxDigits || len(n.digits)-n.scale > maxDigits {
		return number{}, false
	}
	return n, true
}

// parseNumber reads a number of JSON. ok is false if its exponent is beyond everything.
func parseNumber(text string) (n number, ok bool) {
	mantissa, exponent := text, 0
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		var err error
		if exponent, err = strconv.Atoi(text[e+1:]); err != nil || max(exponent, -exponent) > 1<<30 {
			return number{}, false
		}
		mantissa = text[:e]
	}
	mantissa, n.negative = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	n.digits = strings.TrimLeft(whole+fraction, "0")
	n.scale = len(fraction) - exponent
	return n, true
}

// plain returns the one text of JSON that all ways of writing the number share: no exponent, no
// zeros that say nothing.
func (n number) plain() string {
	digits, scale := n.digits, n.scale
	for scale > 0 && strings.HasSuffix(digits, "0") {
		digits, scale = digits[:len(digits)-1], scale-1
	}
	switch {
	case digits == "":
		return "0"
	case scale <= 0:
		digits += strings.Repeat("0", -scale)
	case len(digits) <= scale:
		digits = "0." + strings.Repeat("0", scale-len(digits)) + digits
	default:
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.negative {
		return "-" + digits
	}
	return digits
}
