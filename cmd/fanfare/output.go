package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"
)

// writeJSON writes a value as JSON. Characters that a terminal would interpret are escaped.
func writeJSON(w io.Writer, v any) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, escapedJSON(text.String()))
	return err
}

// escapedJSON escapes the control and format characters of a JSON text, which encoding/json leaves
// as they are from U+007F. They can only be in strings.
func escapedJSON(text string) string {
	isSafe := func(r rune) bool { return r < 0x7f || !unicode.Is(unicode.Cc, r) && !unicode.Is(unicode.Cf, r) }
	if strings.IndexFunc(text, func(r rune) bool { return !isSafe(r) }) < 0 {
		return text
	}
	var escaped strings.Builder
	for _, r := range text {
		switch {
		case isSafe(r):
			escaped.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&escaped, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&escaped, `\u%04x`, r)
		}
	}
	return escaped.String()
}

// writeTable writes rows of cells with aligned columns. White space in a cell becomes one space and
// characters that a terminal would interpret are replaced, so that a cell cannot break the table.
func writeTable(w io.Writer, rows [][]string) error {
	var aligned bytes.Buffer
	table := tabwriter.NewWriter(&aligned, 0, 0, 3, ' ', 0)
	for _, cells := range rows {
		for _, cell := range cells {
			fmt.Fprint(table, strings.Join(strings.Fields(printable(cell)), " "), "\t")
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(aligned.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}
