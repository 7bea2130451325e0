package capacity

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"1000/s": 1000, "0/s": 0, "1.5/s": 1.5, "2k/s": 2000, "60/min": 1, "3.6k/h": 1, "86.4M/day": 1000,
		"1B/day": 1e9 / 86400, "2592k/month": 1,
	} {
		if got, err := ParseRate(text); err != nil || math.Abs(got-want) > 1e-9*want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "1000", "1000/", "/s", "1000/sec", "1000 /s", "1000/ s", "-1/s", "+1/s", "1e3/s", "1,000/s", "0x10/s",
		"NaN/s", "Inf/s", "1_000/s", ".5/s", "5./s", "1K/s", "1m/s", "1MM/s", "1/S", "1/day/day", "1.2.3/s", "٣/s",
		"99999999999999999999999/s", "2000000B/s", "1/s ", "infinity/day",
	} {
		if got, err := ParseRate(text); err == nil || !strings.Contains(err.Error(), "must be a rate such as 1000/s") {
			t.Errorf("%q: got %v, %v, want the rule", text, got, err)
		}
	}
}

func TestParseOthers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"800 bytes": 800, "800bytes": 800, "1 byte": 1, "2kB": 2000, "1.5 GB": 1.5e9, "16TB": 16e12, "0 bytes": 0,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"90 days": 90 * 24 * time.Hour, "1 day": 24 * time.Hour, "12hours": 12 * time.Hour, "0 days": 0,
		"6 months": 180 * 24 * time.Hour, "1.5 years": 13140 * time.Hour,
	} {
		if got, err := ParsePeriod(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]float64{"0%": 0, "0.1%": 0.001, "60%": 0.6, "100%": 1} {
		if got, err := ParseShare(text); err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	refused := func(rule string, parse func(string) error, texts ...string) {
		for _, text := range texts {
			if err := parse(text); err == nil || !strings.Contains(err.Error(), rule) {
				t.Errorf("%q: got %v, want %q", text, err, rule)
			}
		}
	}
	refused("must be a size such as 800 bytes", func(s string) error { _, err := ParseBytes(s); return err },
		"", "800", "800 b", "800  bytes", "1KB", "1KiB", "-1 bytes", "1e3 bytes", "bytes", "9999999999 TB")
	refused("must be a period such as 12 hours", func(s string) error { _, err := ParsePeriod(s); return err },
		"", "90", "90d", "90 d", "-1 days", "200 years", "2 weeks", "1h", "days", "1e2 days")
	refused("must be a share from 0% to 100%", func(s string) error { _, err := ParseShare(s); return err },
		"", "0.5", "101%", "-1%", "%", "1 %", "5%%", "NaN%")
	refused("must be a number from 0 such as 20", func(s string) error { _, err := ParseCount(s); return err },
		"", "k", "-1", "1 k", "1G", "two", "1e9", "10000000B")
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		FormatCount(0): "0", FormatCount(0.0163): "0.0163", FormatCount(1.5): "1.5", FormatCount(999): "999",
		FormatCount(1234567 - 234567): "1M", FormatCount(12345): "12,345", FormatCount(31.5e9): "31.5B",
		FormatRate(2.5): "2.5/s", FormatBytes(0): "0 bytes", FormatBytes(1536): "1.54 kB", FormatBytes(2e12): "2 TB",
		FormatPeriod(12 * time.Hour): "12 hours", FormatPeriod(90 * 24 * time.Hour): "90 days",
		FormatShare(0.001): "0.1%",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzQuantities parses texts. What is accepted is finite, from 0 and within the bounds, and begins
// with a digit.
func FuzzQuantities(f *testing.F) {
	for _, text := range []string{"1000/s", "86M/day", "800 bytes", "90 days", "0.1%", "1e9/s", "-1", "1B", "", "NaN"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		days := func(s string) (float64, error) { d, err := ParsePeriod(s); return d.Hours() / 24, err }
		for name, parse := range map[string]func(string) (float64, error){
			"count": ParseCount, "rate": ParseRate, "bytes": ParseBytes, "share": ParseShare, "period": days,
		} {
			got, err := parse(text)
			if err != nil {
				if got != 0 || !strings.HasPrefix(err.Error(), "must be a ") {
					t.Errorf("%s %q: got %v and %q, want 0 and the rule", name, text, got, err)
				}
				continue
			}
			if math.IsNaN(got) || got < 0 || got > 1e18 || text[0] < '0' || text[0] > '9' {
				t.Errorf("%s %q: got %v", name, text, got)
			}
		}
	})
}
