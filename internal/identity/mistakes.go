package identity

import (
	"errors"
	"fmt"
	"time"
)

// mistakes collects what is wrong with options.
type mistakes []error

func (m *mistakes) add(format string, args ...any) { *m = append(*m, fmt.Errorf(format, args...)) }

func (m *mistakes) duration(name string, d, low, high time.Duration) {
	if d < low || d > high {
		m.add("%s: is %s, must be from %s to %s", name, d, low, high)
	}
}

// err returns the mistakes as one error, or nil.
func (m mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return fmt.Errorf("identity: %w", errors.Join(m...))
}
