package capacity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The largest values that are accepted. They are beyond every real load, and small enough that no
// sum overflows.
const (
	maxCount  = 1e15
	maxPeriod = 100 * 365 * 24 * time.Hour
)

// multiples are the suffixes of numbers.
var multiples = []struct {
	suffix string
	factor float64
}{{"k", 1e3}, {"M", 1e6}, {"B", 1e9}}

// periods are the units of time after the slash of a rate, and of a period.
var perUnits = map[string]time.Duration{
	"s": time.Second, "min": time.Minute, "h": time.Hour, "day": 24 * time.Hour, "month": 30 * 24 * time.Hour,
}

var periodUnits = map[string]time.Duration{
	"hour": time.Hour, "hours": time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"month": 30 * 24 * time.Hour, "months": 30 * 24 * time.Hour, "year": 365 * 24 * time.Hour,
	"years": 365 * 24 * time.Hour,
}

var sizeUnits = map[string]float64{"bytes": 1, "byte": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}

// The rules of the parsers.
const (
	ruleCount  = "must be a number from 0 such as 20, 1.5, 10k, 2M or 1B"
	ruleRate   = "must be a rate such as 1000/s, 500k/h, 86M/day or 1B/month"
	ruleBytes  = "must be a size such as 800 bytes, 2kB, 64GB or 16TB"
	rulePeriod = "must be a period such as 12 hours, 90 days, 6 months or 2 years"
	ruleShare  = "must be a share from 0% to 100%, such as 0.1% or 60%"
)

// ruleError is the rule that a text violates.
type ruleError string

func (e ruleError) Error() string { return string(e) }

// ParseCount parses a number from 0 with an optional multiple: k, M or B.
func ParseCount(text string) (float64, error) {
	number, factor := text, 1.0
	for _, m := range multiples {
		if rest, ok := strings.CutSuffix(text, m.suffix); ok {
			number, factor = rest, m.factor
			break
		}
	}
	n, ok := parseNumber(number)
	if !ok || n*factor > maxCount {
		return 0, ruleError(ruleCount)
	}
	return n * factor, nil
}

// ParseRate parses a number and a unit of time, and returns the rate in a second.
func ParseRate(text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	per, known := perUnits[unit]
	n, err := ParseCount(number)
	if err != nil || !known {
		return 0, ruleError(ruleRate)
	}
	return n / per.Seconds(), nil
}

// ParseBytes parses a size in bytes.
func ParseBytes(text string) (float64, error) {
	number, unit := splitUnit(text)
	factor, known := sizeUnits[unit]
	n, ok := parseNumber(number)
	if !ok || !known || n*factor > maxCount*1e3 {
		return 0, ruleError(ruleBytes)
	}
	return n * factor, nil
}

// ParsePeriod parses a period. A month has 30 days, a year 365.
func ParsePeriod(text string) (time.Duration, error) {
	number, unit := splitUnit(text)
	each, known := periodUnits[unit]
	n, ok := parseNumber(number)
	if !ok || !known || n*float64(each) > float64(maxPeriod) {
		return 0, ruleError(rulePeriod)
	}
	return time.Duration(math.Round(n * float64(each))), nil
}

// ParseShare parses a percentage, and returns a number from 0 to 1.
func ParseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	n, ok := parseNumber(number)
	if !ok || !percent || n > 100 {
		return 0, ruleError(ruleShare)
	}
	return n / 100, nil
}

// splitUnit separates a number from its unit; one space may be between them.
func splitUnit(text string) (number, unit string) {
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimPrefix(text[end:], " ")
}

// parseNumber parses digits with an optional fraction, and nothing else that strconv accepts.
func parseNumber(text string) (float64, bool) {
	if text == "" || len(text) > 20 || strings.Trim(text, "0123456789.") != "" || text[0] == '.' ||
		strings.HasSuffix(text, ".") {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// FormatCount returns a number as people write it: 1,234, or with three digits from a million on.
func FormatCount(n float64) string {
	switch {
	case n >= 1e9:
		return trimmed(n/1e9) + "B"
	case n >= 1e6:
		return trimmed(n/1e6) + "M"
	case n >= 1000:
		return grouped(n)
	}
	return trimmed(n)
}

// FormatRate returns a rate in a second.
func FormatRate(perSecond float64) string { return FormatCount(perSecond) + "/s" }

// FormatBytes returns a size with three digits.
func FormatBytes(n float64) string {
	for _, unit := range []struct {
		name   string
		factor float64
	}{{"PB", 1e15}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if n >= unit.factor {
			return trimmed(n/unit.factor) + " " + unit.name
		}
	}
	return trimmed(n) + " bytes"
}

// FormatPeriod returns a period in days, or in hours if it is shorter than two days.
func FormatPeriod(d time.Duration) string {
	if d < 48*time.Hour {
		return trimmed(d.Hours()) + " hours"
	}
	return trimmed(d.Hours()/24) + " days"
}

// FormatShare returns a share as a percentage.
func FormatShare(share float64) string { return trimmed(100*share) + "%" }

// trimmed returns a number with three digits, without zeros at the end of its fraction.
func trimmed(n float64) string {
	digits := 0
	for limit := 100.0; n != 0 && n < limit && digits < 4; limit /= 10 {
		digits++
	}
	text := strconv.FormatFloat(n, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

func grouped(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
