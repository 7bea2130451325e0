package centrifugo

import (
	"fmt"
	"strings"
)

// MaxChannelBytes is the longest channel name that a client can subscribe to
// with Centrifugo's default channel_max_length. Publishing to a longer one
// would succeed and reach nobody.
const MaxChannelBytes = 255

// minNamespaceBytes is from Centrifugo's rule for namespace names,
// ^[-a-zA-Z0-9_.]{2,}$.
const minNamespaceBytes = 2

// ChannelError names a channel and the rule it breaks.
type ChannelError struct {
	Channel string
	Rule    string
}

func (e *ChannelError) Error() string {
	return fmt.Sprintf("channel %q: %s", e.Channel, e.Rule)
}

// CheckChannel tells whether clients can subscribe to a channel of this name
// and Centrifugo can have a namespace for it: 1 to [MaxChannelBytes] printable
// ASCII characters without spaces, and what stands before the first colon,
// if there is one, a namespace of at least two letters, digits, "-", "_" or
// ".". A "$" before the namespace marks a private channel and is no part of it.
// The error is a *[ChannelError].
func CheckChannel(name string) error {
	if rule := channelRule(name); rule != "" {
		return &ChannelError{Channel: name, Rule: rule}
	}
	return nil
}

// channelRule returns the rule that name breaks, or "".
func channelRule(name string) string {
	if name == "" {
		return "must not be empty"
	}
	if len(name) > MaxChannelBytes {
		return fmt.Sprintf("is %d bytes long, %d are allowed", len(name), MaxChannelBytes)
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' {
			return "must be printable ASCII without spaces"
		}
	}
	if namespace, _, ok := strings.Cut(strings.TrimPrefix(name, "$"), ":"); ok {
		return namespaceRule(namespace)
	}
	return ""
}

// namespaceRule returns the rule that a namespace's name breaks, or "".
func namespaceRule(namespace string) string {
	if len(namespace) < minNamespaceBytes {
		return fmt.Sprintf("the namespace %q needs at least two characters", namespace)
	}
	for i := range len(namespace) {
		switch c := namespace[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return fmt.Sprintf("the namespace %q may hold only letters, digits, '-', '_' and '.'", namespace)
		}
	}
	return ""
}
