package payload

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// Unstorable returns the rule that a valid JSON text violates, so that it cannot be stored as a
// payload: "must be …". It returns "" if the text can be stored. The size is not considered.
func Unstorable(raw []byte) (rule string) {
	if !utf8.Valid(raw) {
		return "must be valid UTF-8"
	}
	depth, parts := 0, 0
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case b == '{' || b == '[':
			parts++
			if depth++; depth > MaxDepth {
				return fmt.Sprintf("must nest at most %d levels deep", MaxDepth)
			}
		case b == '}' || b == ']':
			depth--
		case b == '"':
			end, rule := checkString(raw, i+1)
			if rule != "" {
				return rule
			}
			i = end
			parts++
		case b == '-' || '0' <= b && b <= '9':
			end := i + 1
			for end < len(raw) && isNumberByte(raw[end]) {
				end++
			}
			if !isStorableNumber(raw[i:end]) {
				return "must not contain a number beyond PostgreSQL's numeric"
			}
			i = end - 1
		}
	}
	if parts > MaxParts {
		return fmt.Sprintf("must have at most %d names, texts, objects and lists", MaxParts)
	}
	return ""
}

// checkString returns the offset of the quote that closes the JSON string that begins at offset i,
// behind its opening quote, or the rule that the string violates.
func checkString(raw []byte, i int) (end int, rule string) {
	for ; raw[i] != '"'; i++ {
		if raw[i] != '\\' {
			continue
		}
		if i++; raw[i] != 'u' {
			continue
		}
		code := hex4(raw[i+1:])
		i += 4
		switch {
		case code == 0:
			return i, "must not contain a NUL character"
		case 0xDC00 <= code && code <= 0xDFFF:
			return i, "must not contain a lone surrogate"
		case 0xD800 <= code && code <= 0xDBFF:
			if raw[i+1] != '\\' || raw[i+2] != 'u' {
				return i, "must not contain a lone surrogate"
			}
			if low := hex4(raw[i+3:]); low < 0xDC00 || low > 0xDFFF {
				return i, "must not contain a lone surrogate"
			}
			i += 6
		}
	}
	return i, ""
}

func hex4(raw []byte) uint64 {
	code, err := strconv.ParseUint(string(raw[:4]), 16, 32)
	if err != nil {
		panic("payload: encoding/json accepted an invalid escape: " + err.Error())
	}
	return code
}

func isNumberByte(b byte) bool {
	return '0' <= b && b <= '9' || b == '.' || b == 'e' || b == 'E' || b == '+' || b == '-'
}

// isStorableNumber reports whether numeric can store a number.
func isStorableNumber(number []byte) bool {
	n, ok := jsontext.ParseNumber(number)
	return ok && n.FitsNumeric()
}

// StoredSize returns the size in bytes of a storable JSON text once its numbers are written without
// exponents, as jsonb writes them: 1e10000 is short, and a list of such numbers is not. Spaces and
// the order of keys, which jsonb changes too, are not considered.
func StoredSize(raw []byte) int {
	size := len(raw)
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case b == '"':
			i, _ = checkString(raw, i+1)
		case b == '-' || '0' <= b && b <= '9':
			end := i + 1
			for end < len(raw) && isNumberByte(raw[end]) {
				end++
			}
			if bytes.ContainsAny(raw[i:end], "eE") {
				n, _ := jsontext.ParseNumber(raw[i:end])
				size += max(n.Whole()+n.Fraction()-(end-i), 0)
			}
			i = end - 1
		}
	}
	return size
}
