package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/activity"
)

// Format is a form of the output.
type Format string

// The formats.
const (
	CSV         Format = "csv"         // RFC 4180 with a heading; cells that a spreadsheet would take for a formula are defused
	JSONL       Format = "jsonl"       // one JSON object a line
	CloudEvents Format = "cloudevents" // one CloudEvents 1.0 event in JSON a line
)

// Formats lists them all.
func Formats() []Format { return []Format{CSV, JSONL, CloudEvents} }

// ParseFormat reads a format's name.
func ParseFormat(name string) (Format, error) {
	if all := Formats(); slices.Contains(all, Format(name)) {
		return Format(name), nil
	}
	return "", fmt.Errorf("format %q must be one of csv, jsonl, cloudevents", name)
}

// MediaType is what an output is served as.
func (f Format) MediaType() string {
	if f == CSV {
		return "text/csv"
	}
	return "application/x-ndjson"
}

// Extension is what the name of a file ends with.
func (f Format) Extension() string {
	if f == CSV {
		return ".csv"
	}
	return ".jsonl"
}

// What CloudEvents name, unless they are told otherwise.
const (
	DefaultSource     = "/fanfare"
	DefaultTypePrefix = "com.fanfare."
)

// Encoder turns activities into text. The zero value is of no format.
type Encoder struct {
	Format     Format
	Source     string // of CloudEvents: a URI reference, to which the tenant is added; DefaultSource if it is empty
	TypePrefix string // of CloudEvents: what stands before the action; DefaultTypePrefix if it is empty
}

// AppendHeading appends what stands before the first activity.
func (e Encoder) AppendHeading(b []byte) []byte {
	if e.Format == CSV {
		b = append(append(b, strings.Join(columns, ",")...), "\r\n"...)
	}
	return b
}

// Append appends an activity.
func (e Encoder) Append(b []byte, a *activity.Activity) []byte {
	switch e.Format {
	case CSV:
		return appendRecord(b, a)
	case CloudEvents:
		return append(
			appendCloudEvent(b, a, cmp.Or(e.Source, DefaultSource), cmp.Or(e.TypePrefix, DefaultTypePrefix)),
			'\n',
		)
	default:
		return append(appendObject(b, a), '\n')
	}
}
