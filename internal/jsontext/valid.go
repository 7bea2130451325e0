package jsontext

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// maxDepth is the maximum depth of nested arrays and objects, as of encoding/json.
const maxDepth = 10_000

// Valid reports whether data is one JSON value in UTF-8, with white space around it or without. The
// result is that of json.Valid and utf8.Valid together, at a fraction of the cost: names may occur
// twice, numbers have any size, and arrays and objects nest up to a depth of 10,000.
func Valid(data []byte) bool {
	end := skipValue(data, skipSpace(data, 0), 0)
	return end >= 0 && skipSpace(data, end) == len(data) && utf8.Valid(data)
}

// Each function below returns the index behind what it skips, or -1 if that is not at i or not
// valid. skipValue, skipString, skipByte and skipSpace accept -1 for i and return it, so that calls
// can be nested; the others require an index, which may be len(data).

func skipValue(data []byte, i, depth int) int {
	if i < 0 || i >= len(data) {
		return -1
	}
	switch data[i] {
	case '"':
		return skipString(data, i)
	case '{':
		return skipObject(data, i+1, depth+1)
	case '[':
		return skipArray(data, i+1, depth+1)
	case 't':
		return skipText(data, i, "true")
	case 'f':
		return skipText(data, i, "false")
	case 'n':
		return skipText(data, i, "null")
	}
	return skipNumber(data, i)
}

// skipObject skips an object whose brace has been read.
func skipObject(data []byte, i, depth int) int {
	if i = skipSpace(data, i); depth > maxDepth {
		return -1
	}
	if i < len(data) && data[i] == '}' {
		return i + 1
	}
	for {
		if i = skipSpace(data, skipString(data, i)); i < 0 || i >= len(data) || data[i] != ':' {
			return -1
		}
		i = skipSpace(data, skipValue(data, skipSpace(data, i+1), depth))
		if i < 0 || i >= len(data) || data[i] != ',' {
			return skipByte(data, i, '}')
		}
		i = skipSpace(data, i+1)
	}
}

// skipArray skips an array whose bracket has been read.
func skipArray(data []byte, i, depth int) int {
	if i = skipSpace(data, i); depth > maxDepth {
		return -1
	}
	if i < len(data) && data[i] == ']' {
		return i + 1
	}
	for {
		i = skipSpace(data, skipValue(data, i, depth))
		if i < 0 || i >= len(data) || data[i] != ',' {
			return skipByte(data, i, ']')
		}
		i = skipSpace(data, i+1)
	}
}

// Each byte of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// skipString skips a string, eight bytes at a time. The expression for a word sets the high bit of
// the first byte that is a quote, a backslash or a control character, and perhaps of bytes behind
// it (https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord).
func skipString(data []byte, i int) int {
	if i = skipByte(data, i, '"'); i < 0 {
		return -1
	}
	for {
		for i+8 <= len(data) {
			word := binary.LittleEndian.Uint64(data[i:])
			quote, backslash := word^('"'*ones), word^('\\'*ones)
			found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-' '*ones)&^word) & highs
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		for i < len(data) && data[i] >= ' ' && data[i] != '"' && data[i] != '\\' {
			i++
		}
		switch {
		case i >= len(data) || data[i] < ' ':
			return -1
		case data[i] == '"':
			return i + 1
		}
		if i = skipEscape(data, i+1); i < 0 {
			return -1
		}
	}
}

// skipEscape skips what follows a backslash.
func skipEscape(data []byte, i int) int {
	if i >= len(data) {
		return -1
	}
	switch data[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for end := i + 5; end <= len(data); {
			if i++; i == end {
				return end
			}
			if c := data[i]; !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				break
			}
		}
	}
	return -1
}

func skipNumber(data []byte, i int) int {
	if i < len(data) && data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if i = skipDigits(data, i); i < 0 {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		if i = skipDigits(data, i+1); i < 0 {
			return -1
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		return skipDigits(data, i)
	}
	return i
}

// skipDigits skips one digit or more.
func skipDigits(data []byte, i int) int {
	from := i
	for i < len(data) && isDigit(data[i]) {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// spaces has a bit for each character of white space.
const spaces uint64 = 1<<' ' | 1<<'\n' | 1<<'\r' | 1<<'\t'

// skipSpace skips white space, of which there may be none.
func skipSpace(data []byte, i int) int {
	for uint(i) < uint(len(data)) && data[i] <= ' ' && uint64(1)<<data[i]&spaces != 0 {
		i++
	}
	return i
}

func skipByte(data []byte, i int, c byte) int {
	if i < 0 || i >= len(data) || data[i] != c {
		return -1
	}
	return i + 1
}

func skipText(data []byte, i int, text string) int {
	if len(data)-i < len(text) || string(data[i:i+len(text)]) != text {
		return -1
	}
	return i + len(text)
}
