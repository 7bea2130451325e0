package chart

import (
	"fmt"
	"math"
	"strings"
)

// Lines is a chart of lines over a logarithmic axis. The vertical axis begins at 0.
type Lines struct {
	Title      string
	Unit       string // of the vertical axis; below the title
	Horizontal string // the name of the horizontal axis
	Lines      []Line // not empty, as many as there are colors at most
	Format     Format // of a vertical value
}

// Line is a series of points, in the order of X.
type Line struct {
	Name   string
	Points []Point
}

// Point is a point of a line. X is positive.
type Point struct{ X, Y float64 }

// SVG returns the chart.
func (l Lines) SVG() []byte {
	const plot, left, right = 200, margin + 44, width - margin - 56
	c := &canvas{}
	y := float64(margin + 12)
	c.text(margin, y, "start", "title", l.Title)
	y += lineHeight
	c.text(margin, y, "start", "muted", l.Unit)
	y += lineHeight + 4
	names := make([]string, len(l.Lines))
	for i, line := range l.Lines {
		names[i] = line.Name
	}
	y += c.legend(y, names)
	low, high, top := l.bounds()
	bottom := y + plot
	across := func(x float64) float64 {
		if high == low {
			return left
		}
		return left + (right-left)*(math.Log(x)-math.Log(low))/(math.Log(high)-math.Log(low))
	}
	up := func(value float64) float64 { return bottom - plot*value/top }
	for _, share := range []float64{0, 0.5, 1} {
		c.line(left, up(share*top), right, up(share*top), "axis")
		c.text(left-6, up(share*top)+4, "end", "muted", l.Format(share*top))
	}
	ticks := map[float64]bool{}
	for i, line := range l.Lines {
		points := make([]string, len(line.Points))
		for k, p := range line.Points {
			points[k] = fmt.Sprintf("%.1f,%.1f", across(p.X), up(p.Y))
			c.add(`<circle cx="%.1f" cy="%.1f" r="3" class="f%d"/>`, across(p.X), up(p.Y), i%seriesCount)
			if !ticks[p.X] {
				ticks[p.X] = true
				c.text(across(p.X), bottom+lineHeight, "middle", "muted", Whole(p.X))
			}
		}
		c.add(`<polyline points="%s" class="line s%d"/>`, strings.Join(points, " "), i%seriesCount)
	}
	c.text((left+right)/2, bottom+2*lineHeight+2, "middle", "muted", l.Horizontal)
	c.height = bottom + 2*lineHeight + margin
	return c.document(l.Title, l.description())
}

// bounds returns the ends of the horizontal axis and that of the vertical one, a round number.
func (l Lines) bounds() (low, high, top float64) {
	low, high = math.Inf(1), 0
	for _, line := range l.Lines {
		for _, p := range line.Points {
			low, high, top = min(low, p.X), max(high, p.X), max(top, p.Y)
		}
	}
	if top <= 0 {
		return low, high, 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(top)))
	for _, factor := range []float64{1, 2, 4, 6, 8, 10} {
		if factor*unit >= top {
			return low, high, factor * unit
		}
	}
	return low, high, 10 * unit
}

func (l Lines) description() string {
	var list []string
	for _, line := range l.Lines {
		for _, p := range line.Points {
			list = append(list, fmt.Sprintf("%s at %s: %s", line.Name, Whole(p.X), l.Format(p.Y)))
		}
	}
	return l.Unit + ". " + strings.Join(list, "; ") + "."
}
