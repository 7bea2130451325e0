// Package chart draws small charts as SVG: bars and lines. They are readable on light and on dark
// backgrounds, and their texts are text, so that they can be searched, selected and read aloud.
package chart

import (
	"fmt"
	"html"
	"strings"
)

// Format formats a value for a label.
type Format func(value float64) string

// Whole formats a value without decimals, with thousands separated by commas.
func Whole(value float64) string {
	text := fmt.Sprintf("%.0f", value)
	digits := strings.TrimPrefix(text, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if strings.HasPrefix(text, "-") {
		return "-" + digits
	}
	return digits
}

// Decimal formats a value with one decimal.
func Decimal(value float64) string { return fmt.Sprintf("%.1f", value) }

const (
	width      = 720
	margin     = 16
	textSize   = 13
	lineHeight = 18
)

// style has a color for each series, which contrast with the background, and with each other for
// readers who do not distinguish red and green. prefers-color-scheme also applies in an <img>.
const style = `
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 15px; }
.muted { fill: #59636e; }
.ours { font-weight: 600; }
.background { fill: #ffffff; }
.axis { stroke: #c9d1d9; stroke-width: 1; }
.range { stroke: #1f2328; stroke-width: 1.5; }
.line { fill: none; stroke-width: 2; }
.f0 { fill: #2f6fde; } .f1 { fill: #e08a1e; } .f2 { fill: #1f9e89; } .f3 { fill: #8e6bbf; }
.s0 { stroke: #2f6fde; } .s1 { stroke: #e08a1e; } .s2 { stroke: #1f9e89; } .s3 { stroke: #8e6bbf; }
.other { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .muted { fill: #9198a1; }
  .background { fill: #0d1117; }
  .axis { stroke: #3d444d; }
  .range { stroke: #e6edf3; }
  .f0 { fill: #5b9bff; } .f1 { fill: #f0a848; } .f2 { fill: #3fc1a9; } .f3 { fill: #b594e3; }
  .s0 { stroke: #5b9bff; } .s1 { stroke: #f0a848; } .s2 { stroke: #3fc1a9; } .s3 { stroke: #b594e3; }
  .other { fill: #6e7681; }
}
`

// seriesCount is the number of series that have a color.
const seriesCount = 4

// canvas collects the elements of a chart.
type canvas struct {
	strings.Builder
	height float64
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.Builder, format+"\n", args...) }

// text adds a text. anchor is start, middle or end; y is its baseline.
func (c *canvas) text(x, y float64, anchor, class, text string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(text))
}

func (c *canvas) rect(x, y, w, h float64, class string) {
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s"/>`, x, y, w, h, class)
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

// legend adds the names of the series in a line, and returns its height; 0 for one series.
func (c *canvas) legend(y float64, names []string) float64 {
	if len(names) < 2 {
		return 0
	}
	x := float64(margin)
	for i, name := range names {
		c.rect(x, y-10, 11, 11, fmt.Sprintf("f%d", i%seriesCount))
		c.text(x+16, y, "start", "muted", name)
		x += 16 + 7.2*float64(len([]rune(name))) + 18 // wide enough for most fonts
	}
	return lineHeight + 4
}

// document returns the chart with its title and what a screen reader reads.
func (c *canvas) document(title, description string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%d" height="%.0f" `,
		width, c.height, width, c.height)
	b.WriteString(`role="img" aria-labelledby="title description">` + "\n")
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n", html.EscapeString(title))
	fmt.Fprintf(&b, "<desc id=\"description\">%s</desc>\n", html.EscapeString(description))
	fmt.Fprintf(&b, "<style>%s</style>\n", style)
	fmt.Fprintf(&b, `<rect width="%d" height="%.0f" rx="6" class="background"/>`+"\n", width, c.height)
	b.WriteString(c.String())
	b.WriteString("</svg>\n")
	return []byte(b.String())
}
