// Package jsontext appends the tokens of JSON (RFC 8259) to a buffer without reflection, and reads
// its numbers. The caller writes the punctuation. It also validates JSON.
package jsontext

import (
	"unicode/utf8"

	"github.com/google/uuid"
)

const digits = "0123456789abcdef"

// AppendString appends a string in quotes. It escapes what JSON requires, as PostgreSQL's jsonb
// does: the quote, the backslash and control characters. A byte that is not UTF-8 becomes U+FFFD.
func AppendString(b []byte, text string) []byte {
	start, from, ascii := len(b), 0, true
	b = append(b, '"')
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			ascii = ascii && c < utf8.RuneSelf
			continue
		}
		b = append(b, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
		}
	}
	if !ascii && !utf8.ValidString(text) {
		return AppendString(b[:start], string([]rune(text))) // which replaces each such byte
	}
	return append(append(b, text[from:]...), '"')
}

// AppendUUID appends the 36 characters of an id, without quotes.
func AppendUUID(b []byte, id uuid.UUID) []byte {
	var text [36]byte
	at := 0
	for i, octet := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		text[at], text[at+1] = digits[octet>>4], digits[octet&0xf]
		at += 2
	}
	return append(b, text[:]...)
}

// AppendOptionalUUID appends an id in quotes, and null for nil.
func AppendOptionalUUID(b []byte, id *uuid.UUID) []byte {
	if id == nil {
		return append(b, "null"...)
	}
	return append(AppendUUID(append(b, '"'), *id), '"')
}

// AppendUUIDOrNull appends an id in quotes, and null for uuid.Nil.
func AppendUUIDOrNull(b []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return AppendOptionalUUID(b, nil)
	}
	return AppendOptionalUUID(b, &id)
}
