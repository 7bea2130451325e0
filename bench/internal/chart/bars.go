package chart

import (
	"fmt"
	"strings"
)

// Bars is a chart of horizontal bars, each of one part or several.
type Bars struct {
	Title  string
	Unit   string   // of the values; below the title
	Parts  []string // the names of the parts; one or none for bars of one part
	Bars   []Bar
	Format Format // of a value
}

// Bar is a bar. Its length is the sum of its parts.
type Bar struct {
	Label string
	Parts []float64
	Ours  bool    // it is emphasized
	Low   float64 // the ends of a range that is marked; equal for none
	High  float64
}

func (b Bar) sum() (sum float64) {
	for _, part := range b.Parts {
		sum += part
	}
	return sum
}

// SVG returns the chart.
func (b Bars) SVG() []byte {
	const (
		labels, values, barHeight, step = 190, 84, 16, 26
	)
	c := &canvas{}
	y := float64(margin + 12)
	c.text(margin, y, "start", "title", b.Title)
	y += lineHeight
	c.text(margin, y, "start", "muted", b.Unit)
	y += lineHeight + 4
	y += c.legend(y, b.Parts)
	longest := 0.0
	for _, bar := range b.Bars {
		longest = max(longest, bar.sum(), bar.High)
	}
	scale := 0.0
	if longest > 0 {
		scale = (width - 2*margin - labels - values) / longest
	}
	left, top := float64(margin+labels), y-10
	for _, bar := range b.Bars {
		class := ""
		if bar.Ours {
			class = "ours"
		}
		c.text(left-8, y+barHeight-12, "end", class, bar.Label)
		x := left
		for i, part := range bar.Parts {
			fill := fmt.Sprintf("f%d", i%seriesCount)
			if len(bar.Parts) == 1 && !bar.Ours {
				fill = "other"
			}
			c.rect(x, y-10, part*scale, barHeight, fill)
			x += part * scale
		}
		end := x
		if bar.High > bar.Low {
			c.line(left+bar.Low*scale, y-2, left+bar.High*scale, y-2, "range")
			end = max(end, left+bar.High*scale)
		}
		c.text(end+6, y+barHeight-12, "start", class, b.Format(bar.sum()))
		y += step
	}
	c.line(left, top-4, left, y-step+barHeight-6, "axis")
	c.height = y - step + barHeight + margin
	return c.document(b.Title, b.description())
}

func (b Bars) description() string {
	list := make([]string, len(b.Bars))
	for i, bar := range b.Bars {
		list[i] = bar.Label + ": " + b.Format(bar.sum())
	}
	return b.Unit + ". " + strings.Join(list, "; ") + "."
}
