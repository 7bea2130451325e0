package activity

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// storable returns the rule that a JSON text breaks which is valid and yet cannot be kept as jsonb,
// or "". PostgreSQL's jsonb holds no NUL, no lone surrogate and no number beyond numeric
// (https://www.postgresql.org/docs/current/datatype-json.html); the depth is ours.
func storable(raw []byte) string {
	if !utf8.Valid(raw) {
		return "must be valid UTF-8"
	}
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case b == '{' || b == '[':
			if depth++; depth > MaxPayloadDepth {
				return fmt.Sprintf("must nest at most %d levels deep", MaxPayloadDepth)
			}
		case b == '}' || b == ']':
			depth--
		case b == '"':
			end, rule := storableString(raw, i+1)
			if rule != "" {
				return rule
			}
			i = end
		case b == '-' || '0' <= b && b <= '9':
			end := i + 1
			for end < len(raw) && isNumberByte(raw[end]) {
				end++
			}
			if !storableNumber(raw[i:end]) {
				return "must hold no number beyond PostgreSQL's numeric"
			}
			i = end - 1
		}
	}
	return ""
}

// storableString walks a JSON string from after its opening quote and returns the place of its
// closing one.
func storableString(raw []byte, i int) (end int, rule string) {
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
		panic("activity: encoding/json let a bad escape pass: " + err.Error())
	}
	return code
}

func isNumberByte(b byte) bool {
	return '0' <= b && b <= '9' || b == '.' || b == 'e' || b == 'E' || b == '+' || b == '-'
}

// storableNumber holds a number to what numeric takes: 131,072 digits before the point and 16,383
// after it.
func storableNumber(number []byte) bool {
	whole, fraction, ok := digitsOf(number)
	return ok && whole <= 131072 && fraction <= 16383
}

// digitsOf returns how many digits a number has before the point and behind it, as numeric writes
// it out. ok is false if its exponent is beyond all that numeric reads.
func digitsOf(number []byte) (whole, fraction int, ok bool) {
	mantissa, exponent := bytes.TrimPrefix(number, []byte{'-'}), 0
	if at := bytes.IndexAny(mantissa, "eE"); at >= 0 {
		var err error
		exponent, err = strconv.Atoi(string(mantissa[at+1:]))
		if err != nil || exponent <= -math.MaxInt32/2 || exponent >= math.MaxInt32/2 {
			return 0, 0, false
		}
		mantissa = mantissa[:at]
	}
	before, behind, _ := bytes.Cut(mantissa, []byte{'.'})
	fraction = max(len(behind)-exponent, 0)
	// The digits before the point begin with the first that is no zero.
	zeros := len(mantissa) - len(bytes.TrimLeft(mantissa, "0."))
	switch {
	case zeros == len(mantissa):
		return 1, fraction, true
	case zeros > len(before): // the point is among them
		zeros--
	}
	return max(len(before)+exponent-zeros, 1), fraction, true
}

// writtenMore returns by how many bytes a JSON text that is storable grows when its numbers are
// written out, as jsonb's text is: 1e10000 is short, and a list of them is not.
func writtenMore(raw []byte) (more int) {
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case b == '"':
			i, _ = storableString(raw, i+1)
		case b == '-' || '0' <= b && b <= '9':
			end := i + 1
			for end < len(raw) && isNumberByte(raw[end]) {
				end++
			}
			if bytes.ContainsAny(raw[i:end], "eE") {
				whole, fraction, _ := digitsOf(raw[i:end])
				more += max(whole+fraction-(end-i), 0)
			}
			i = end - 1
		}
	}
	return more
}
