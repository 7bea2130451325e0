package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/bench/internal/chart"
)

// texts parses an SVG and returns the contents of its text elements.
func texts(t *testing.T, svg []byte) (list []string) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("got invalid XML: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "text" {
			continue
		}
		var text string
		if err := decoder.DecodeElement(&text, &start); err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	svg := chart.Bars{
		Title: "Drain", Unit: "activities per second", Format: chart.Whole,
		Bars: []chart.Bar{
			{Label: "Fanfare", Parts: []float64{12000}, Ours: true, Low: 11000, High: 13000},
			{Label: "a <peer> & more", Parts: []float64{6000}},
		},
	}.SVG()
	got := strings.Join(texts(t, svg), "|")
	const want = "Drain|activities per second|Fanfare|12,000|a <peer> & more|6,000"
	if got != want {
		t.Errorf("got the texts %q, want %q", got, want)
	}
	for _, want := range []string{
		"<desc id=\"description\">activities per second. Fanfare: 12,000; a &lt;peer&gt; &amp; more: 6,000.</desc>",
		"prefers-color-scheme: dark", `class="range"`,
	} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("got %s, want it to contain %q", svg, want)
		}
	}
}

func TestBarsOfParts(t *testing.T) {
	t.Parallel()
	svg := chart.Bars{
		Title: "CPU", Unit: "µs", Parts: []string{"worker", "PostgreSQL"}, Format: chart.Decimal,
		Bars: []chart.Bar{{Label: "Fanfare", Parts: []float64{10, 20.5}}},
	}.SVG()
	if got, want := strings.Join(texts(t, svg), "|"), "CPU|µs|worker|PostgreSQL|Fanfare|30.5"; got != want {
		t.Errorf("got the texts %q, want %q", got, want)
	}
}

func TestEmptyBars(t *testing.T) {
	t.Parallel()
	svg := chart.Bars{
		Title: "Nothing", Unit: "s", Format: chart.Whole, Bars: []chart.Bar{{Label: "none", Parts: []float64{0}}},
	}.SVG()
	if got, want := strings.Join(texts(t, svg), "|"), "Nothing|s|none|0"; got != want {
		t.Errorf("got the texts %q, want %q", got, want)
	}
	if bytes.Contains(svg, []byte("NaN")) {
		t.Errorf("got a coordinate that is not a number in %s", svg)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	svg := chart.Lines{
		Title: "Growth", Unit: "µs per activity", Horizontal: "rows", Format: chart.Whole,
		Lines: []chart.Line{
			{Name: "log", Points: []chart.Point{{X: 1000, Y: 31}, {X: 1_000_000, Y: 38}}},
			{Name: "outbox", Points: []chart.Point{{X: 1000, Y: 30}}},
		},
	}.SVG()
	const want = "Growth|µs per activity|log|outbox|0|20|40|1,000|1,000,000|rows"
	if got := strings.Join(texts(t, svg), "|"); got != want {
		t.Errorf("got the texts %q, want %q", got, want)
	}
	if !bytes.Contains(svg, []byte("log at 1,000,000: 38")) {
		t.Errorf("got %s, want a description of the points", svg)
	}
}

func TestLinesOfOnePoint(t *testing.T) {
	t.Parallel()
	svg := chart.Lines{
		Title: "One", Unit: "µs", Horizontal: "rows", Format: chart.Decimal,
		Lines: []chart.Line{{Name: "log", Points: []chart.Point{{X: 10, Y: 0}}}},
	}.SVG()
	if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
		t.Errorf("got a coordinate that is not a number in %s", svg)
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	cases := map[float64]string{0: "0", 12: "12", 999.6: "1,000", 1234567: "1,234,567", -1234: "-1,234"}
	for value, want := range cases {
		if got := chart.Whole(value); got != want {
			t.Errorf("Whole(%v): got %q, want %q", value, got, want)
		}
	}
}
