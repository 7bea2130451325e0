package demo

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	width  = 100
	indent = 4
)

// paint colours text if it is true.
type paint bool

func (p paint) bold(s string) string   { return p.in("1", s) }
func (p paint) dim(s string) string    { return p.in("2", s) }
func (p paint) red(s string) string    { return p.in("1;31", s) }
func (p paint) green(s string) string  { return p.in("32", s) }
func (p paint) yellow(s string) string { return p.in("33", s) }
func (p paint) cyan(s string) string   { return p.in("36", s) }

func (p paint) in(style, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// cell is a part of a line with its visible width.
type cell struct {
	shown string
	width int
}

// plain returns a cell without colour.
func plain(s string) cell { return cell{s, runes(s)} }

// painted returns a cell in a style.
func painted(style func(string) string, s string) cell { return cell{style(s), runes(s)} }

// join concatenates cells.
func join(cells ...cell) cell {
	var all cell
	for _, c := range cells {
		all.shown += c.shown
		all.width += c.width
	}
	return all
}

// to pads the cell to a width.
func (c cell) to(n int) cell {
	if c.width >= n {
		return c
	}
	return cell{c.shown + blank(n-c.width), n}
}

// beside returns two columns of cells; the second begins at an offset.
func beside(first, second []cell, offset int) string {
	var b strings.Builder
	for i := range max(len(first), len(second)) {
		var line cell
		if i < len(first) {
			line = first[i]
		}
		if i < len(second) {
			line = join(line.to(offset), second[i])
		}
		b.WriteString(strings.TrimRight(blank(indent)+line.shown, " ") + "\n")
	}
	return b.String()
}

// wrap breaks text between words into lines of at most n characters; longer words keep a line.
func wrap(s string, n int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case runes(line)+1+runes(word) <= n:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

func pad(s string, n int) string { return plain(s).to(n).shown }
func runes(s string) int         { return utf8.RuneCountInString(s) }
func blank(n int) string         { return strings.Repeat(" ", n) }

// first returns the first word of a name.
func first(name string) string {
	word, _, _ := strings.Cut(name, " ")
	return word
}

func ms(v float64) string { return fmt.Sprintf("%.1f ms", v) }

// cut shortens text to n characters.
func cut(s string, n int) string {
	if runes(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
