package payload

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// Unstorable returns the rule that a valid JSON text violates, so that it cannot be stored as a
// payload: "must be …". It returns "" if the text can be stored. The size is not considered.
func Unstorable(raw []byte) (rule string) {
	if !utf8.Valid(raw) {
		return "must be valid UTF-8"
	}
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case b == '{' || b == '[':
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
		case b == '-' || '0' <= b && b <= '9':
			end := i + 1
			for end < len(raw) && isNumberByte(raw[end]) {
				end++
			}
			if !isStorableNumber(raw[i:end]) {
				return "must hold no number beyond PostgreSQL's numeric"
			}
			i = end - 1
		}
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
			return i, "must hold no NUL character"
		case 0xDC00 <= code && code <= 0xDFFF:
			return i, "must hold no lone surrogate"
		case 0xD800 <= code && code <= 0xDBFF:
			if raw[i+1] != '\\' || raw[i+2] != 'u' {
				return i, "must hold no lone surrogate"
			}
			if low := hex4(raw[i+3:]); low < 0xDC00 || low > 0xDFFF {
				return i, "must hold no lone surrogate"
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

// isStorableNumber reports whether a number is within the limits of numeric: 131,072 digits before
// the decimal point and 16,383 after it.
// https://www.postgresql.org/docs/current/datatype-numeric.html
func isStorableNumber(number []byte) bool {
	whole, fraction, ok := countDigits(number)
	return ok && whole <= 131072 && fraction <= 16383
}

// countDigits returns the numbers of digits before and after the decimal point in a number's text as
// numeric, which has no exponent. ok is false if the exponent is out of the range that numeric reads.
func countDigits(number []byte) (whole, fraction int, ok bool) {
	mantissa, exponent := bytes.TrimPrefix(number, []byte{'-'}), 0
	if at := bytes.IndexAny(mantissa, "eE"); at >= 0 {
		var err error
		exponent, err = strconv.Atoi(string(mantissa[at+1:]))
		if err != nil || exponent <= -math.MaxInt32/2 || exponent >= math.MaxInt32/2 {
			return 0, 0, false
		}
		mantissa = mantissa[:at]
	}
	before, after, _ := bytes.Cut(mantissa, []byte{'.'})
	fraction = max(len(after)-exponent, 0)
	// Leading zeros are not written.
	zeros := len(mantissa) - len(bytes.TrimLeft(mantissa, "0."))
	switch {
	case zeros == len(mantissa):
		return 1, fraction, true
	case zeros > len(before): // the decimal point was counted too
		zeros--
	}
	return max(len(before)+exponent-zeros, 1), fraction, true
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
				whole, fraction, _ := countDigits(raw[i:end])
				size += max(whole+fraction-(end-i), 0)
			}
			i = end - 1
		}
	}
	return size
}
