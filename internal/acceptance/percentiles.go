package acceptance

import (
	"fmt"
	"slices"
	"time"
)

// Milliseconds is a duration in milliseconds.
type Milliseconds float64

// InMilliseconds converts a duration, with a resolution of a microsecond.
func InMilliseconds(d time.Duration) Milliseconds {
	return Milliseconds(float64(d.Microseconds()) / 1000)
}

// String returns the value with one decimal and the unit.
func (m Milliseconds) String() string { return fmt.Sprintf("%.1f ms", float64(m)) }

// Percentiles summarize a distribution of durations.
type Percentiles struct {
	P50 Milliseconds `json:"p50_ms"`
	P99 Milliseconds `json:"p99_ms"`
	Max Milliseconds `json:"max_ms"`
}

// NewPercentiles sorts the durations and returns their percentiles by the nearest rank; of none,
// zeros.
func NewPercentiles(durations []time.Duration) Percentiles {
	if len(durations) == 0 {
		return Percentiles{}
	}
	slices.Sort(durations)
	at := func(q float64) Milliseconds { return InMilliseconds(durations[int(q*float64(len(durations)-1))]) }
	return Percentiles{at(0.5), at(0.99), at(1)}
}
