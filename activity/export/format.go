package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/activity"
)

// Format is the format of the output.
type Format string

// The formats.
const (
	CSV         Format = "csv"         // RFC 4180 with a heading, safe to open in a spreadsheet
	JSONL       Format = "jsonl"       // one JSON object per line
	CloudEvents Format = "cloudevents" // one CloudEvents 1.0 event in JSON per line
)

// Formats returns all formats.
func Formats() []Format { return []Format{CSV, JSONL, CloudEvents} }

// ParseFormat returns the format with the name.
func ParseFormat(name string) (Format, error) {
	if all := Formats(); slices.Contains(all, Format(name)) {
		return Format(name), nil
	}
	return "", fmt.Errorf("format %q must be one of csv, jsonl, cloudevents", name)
}

// MediaType returns the media type of the output.
func (f Format) MediaType() string {
	if f == CSV {
		return "text/csv"
	}
	return "application/x-ndjson"
}

// Extension returns the extension of the output's file name, with the dot.
func (f Format) Extension() string {
	if f == CSV {
		return ".csv"
	}
	return ".jsonl"
}

// The defaults of an Encoder for CloudEvents.
const (
	DefaultSource     = "/fanfare"
	DefaultTypePrefix = "com.fanfare."
)

// Encoder encodes activities. Format is required.
type Encoder struct {
	Format Format
	// Source and TypePrefix are for CloudEvents. Source is a URI reference to which the tenant is
	// appended, by default DefaultSource. TypePrefix precedes the action, by default
	// DefaultTypePrefix.
	Source     string
	TypePrefix string
}

// AppendHeading appends the heading that precedes the first activity, if the format has one.
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
		b = appendCloudEvent(b, a, cmp.Or(e.Source, DefaultSource), cmp.Or(e.TypePrefix, DefaultTypePrefix))
		return append(b, '\n')
	default:
		return append(appendObject(b, a), '\n')
	}
}
