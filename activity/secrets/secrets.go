package secrets

import (
	"regexp"

	"github.com/fanfarehq/fanfare/activity/secrets/internal/detectors"
)

// Redacted replaces a secret.
const Redacted = "[redacted]"

// The matchers of all detectors. The patterns whose name ends with Lower are for texts in lower
// case, and so are the hints, one of which every text and key with a secret contains.
var (
	patterns       = detectors.Compose(detectors.All())
	keyLower       = regexp.MustCompile(patterns.Key.String())
	keyPattern     = regexp.MustCompile(patterns.Camel.String())
	textKeyLower   = regexp.MustCompile(patterns.TextKey.String())
	textKeyPattern = regexp.MustCompile(patterns.TextCamel.String())
	textMatchers   = newTextMatchers(patterns.Texts)
	pairNameLower  = regexp.MustCompile(detectors.PairName)
	pairValueLower = regexp.MustCompile(detectors.PairValue)
	wordPattern    = regexp.MustCompile(detectors.Word)
	uuidPattern    = regexp.MustCompile(detectors.UUID)
	hints          = newHints(detectors.Hints(detectors.All()))
)

// InKey reports whether a key of a payload names a secret, so that its value must not be stored.
func InKey(key string) bool {
	lower := LowerASCII(key)
	return hints.in(lower) && (keyLower.MatchString(lower) || keyPattern.MatchString(key))
}

// InTextKey reports whether a key of a payload names a secret if its value is a text: the same name
// is as often that of a number or an id.
func InTextKey(key string) bool {
	lower := LowerASCII(key)
	return hints.in(lower) && (textKeyLower.MatchString(lower) || textKeyPattern.MatchString(key))
}

// InText reports whether a text contains a secret: a private key, a token or key with a well-known
// form, a URL with a password, or the name of a secret with a value assigned to it.
func InText(text string) bool {
	lower := LowerASCII(text)
	if !hints.in(lower) {
		return false
	}
	for _, m := range textMatchers {
		if m.hints.in(lower) && (m.lower && m.pattern.MatchString(lower) || !m.lower && m.pattern.MatchString(text)) {
			return true
		}
	}
	return false
}

// textMatcher matches texts that contain one of its hints.
type textMatcher struct {
	pattern *regexp.Regexp
	lower   bool // the text is converted to lower case before
	hints   *hintSet
}

func newTextMatchers(patterns []detectors.TextPattern) []textMatcher {
	matchers := make([]textMatcher, len(patterns))
	for i, p := range patterns {
		matchers[i] = textMatcher{regexp.MustCompile(p.Pattern.String()), p.Lower, newHints(p.Hints)}
	}
	return matchers
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
