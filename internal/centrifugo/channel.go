package centrifugo

import (
	"fmt"
	"strings"
)

// MaxChannelBytes is the maximum length of a channel name that a client can subscribe to with
// Centrifugo's default channel_max_length. Publishing to a longer one succeeds and reaches no
// client.
const MaxChannelBytes = 255

// minNamespaceBytes is part of Centrifugo's rule for namespace names, ^[-a-zA-Z0-9_.]{2,}$.
const minNamespaceBytes = 2

// ChannelError describes a channel name and the rule that it violates.
type ChannelError struct {
	Channel string
	Rule    string
}

func (e *ChannelError) Error() string {
	return fmt.Sprintf("channel %q: %s", e.Channel, e.Rule)
}

// CheckChannel validates a channel name for subscriptions: 1 to [MaxChannelBytes] printable ASCII
// characters without spaces. The text before the first colon, if any, is a namespace of at least
// two letters, digits, "-", "_" or "."; a "$" before it marks a private channel and is not part of
// it. The error is a *[ChannelError].
func CheckChannel(name string) error {
	if rule := channelRule(name); rule != "" {
		return &ChannelError{Channel: name, Rule: rule}
	}
	return nil
}

// channelRule returns the rule that a channel name violates, or "".
func channelRule(name string) string {
	if name == "" {
		return "must not be empty"
	}
	if len(name) > MaxChannelBytes {
		return fmt.Sprintf("has %d bytes; the maximum is %d", len(name), MaxChannelBytes)
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

// namespaceRule returns the rule that the name of a namespace violates, or "".
func namespaceRule(namespace string) string {
	if len(namespace) < minNamespaceBytes {
		return fmt.Sprintf("the namespace %q needs at least two characters", namespace)
	}
	for i := range len(namespace) {
		switch c := namespace[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return fmt.Sprintf("the namespace %q must consist of letters, digits, '-', '_' and '.'", namespace)
		}
	}
	return ""
}
