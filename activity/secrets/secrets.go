package secrets

import (
	"regexp"
	"strings"

	"github.com/fanfarehq/fanfare/activity/secrets/internal/detectors"
)

// Redacted replaces a secret.
const Redacted = "[redacted]"

// The matchers of all detectors. lowerPattern is for texts in lower case, and so are the hints, one
// of which every text and key with a secret contains.
var (
	patterns     = detectors.Compose(detectors.All())
	keyPattern   = regexp.MustCompile(patterns.Key.String())
	textPattern  = regexp.MustCompile(patterns.Text.String())
	lowerPattern = regexp.MustCompile(patterns.Lower.String())
	hints        = detectors.Hints(detectors.All())
)

// InKey reports whether a key of a payload names a secret, so that its value must not be stored.
func InKey(key string) bool { return keyPattern.MatchString(LowerASCII(key)) }

// InText reports whether a text contains a secret: a private key, a token or key with a well-known
// form, a URL with a password, or the name of a secret with a value assigned to it.
func InText(text string) bool {
	lower := LowerASCII(text)
	return hasHint(lower) && (textPattern.MatchString(text) || lowerPattern.MatchString(lower))
}

// RedactText returns the text, or [Redacted] if it contains a secret.
func RedactText(text string) string {
	if InText(text) {
		return Redacted
	}
	return text
}

// LowerASCII returns the text with its ASCII letters in lower case, as lower() does in the
// database's collation "C". Other letters are left alone: by the rules of Unicode, the Kelvin sign
// would become a k.
func LowerASCII(text string) string {
	for i := range len(text) {
		if c := text[i]; 'A' <= c && c <= 'Z' {
			lower := []byte(text)
			for ; i < len(lower); i++ {
				if c := lower[i]; 'A' <= c && c <= 'Z' {
					lower[i] = c + 'a' - 'A'
				}
			}
			return string(lower)
		}
	}
	return text
}

// hasHint reports whether a text in lower case contains a hint, as fanfare.may_contain_secret does.
func hasHint(lower string) bool {
	for _, hint := range hints {
		if strings.Contains(lower, hint) {
			return true
		}
	}
	return false
}
