package identity

import (
	"fmt"
	"io"
)

// Secret is text that is not printed: every verb of package fmt, and JSON, write "[redacted]"
// instead.
type Secret string

// Format writes "[redacted]".
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

const redacted = "[redacted]"
