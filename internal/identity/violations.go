package identity

import (
	"errors"
	"fmt"
	"time"
)

// violations are the rules that options violate.
type violations []error

func (v *violations) add(format string, args ...any) { *v = append(*v, fmt.Errorf(format, args...)) }

// duration adds a violation unless d is from low to high.
func (v *violations) duration(name string, d, low, high time.Duration) {
	if d < low || d > high {
		v.add("%s %s: must be from %s to %s", name, d, low, high)
	}
}

// err returns all violations as one error, or nil.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	return fmt.Errorf("identity: %w", errors.Join(v...))
}
