package activity

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// secretName is what fanfare.names_secret finds in a payload's key, in lower case.
var secretName = regexp.MustCompile(
	`(password|passwd|passphrase|passcode|secret|authori[sz]ation|credential|cookie|(api|private|access|signing|encryption)[^a-z0-9]{0,2}key|(access|refresh|auth)[^a-z0-9]{0,2}token)|(token|(^|[^a-z])(pwd|jwt|bearer))[^a-z0-9]*$`,
)

// secretValue and secretPhrase are what fanfare.looks_secret finds in a text, the latter in lower
// case.
var (
	secretValue = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY` +
		`|(^|[^A-Za-z0-9_])(` +
		`eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]{8,}[.]|A[KS]IA[0-9A-Z]{16}|gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}` +
		`|xox[a-z]-[A-Za-z0-9-]{10,}|[rs]k_(live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}` +
		`|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}|SG[.][A-Za-z0-9_-]{16,}[.][A-Za-z0-9_-]{16,}|dop_v1_[0-9a-f]{32,}|shp(at|ca|pa|ss)_[0-9a-fA-F]{32}` +
		`)` +
		`|[Bb][Ee][Aa][Rr][Ee][Rr][ +]+[A-Za-z0-9._~+/=-]{12,}` +
		`|[A-Za-z0-9+.-]://[^/?# :]*:[^/?# @]+@`)
	secretPhrase = regexp.MustCompile(
		`(password|passwd|passphrase|passcode|pwd|secret|token|(api|access|account|private|signing|encryption)[-_. ]?key|authori[sz]ation|credentials?|cookie)` +
			`([^a-z0-9 =:]{0,8}=[^a-z0-9]{0,8}[^ ]{3}|[^a-z0-9 =:]{1,8} ?: ?[^a-z0-9 ]{1,8}[^ ]{3}|[^a-z0-9 =:]{0,7}["'] ?: ?[0-9]{4})` +
			`|(authorization|cookie|api-key|-token|-secret|-password): *((basic|digest|token) +)?[^ ]{6}`,
	)
)

// secretHints are what a text must hold, in lower case, before it is worth looking closer, as in
// fanfare.may_hold_secret.
var secretHints = []string{
	"pass", "secret", "authori", "credential", "cookie", "key", "token", "pwd", "jwt", "bearer",
	"eyj", "akia", "asia", "ghp_", "gho_", "ghr_", "ghs_", "ghu_", "github_pat", "glpat-", "xox", "k_live", "k_test", "sk-", "whsec",
	"aiza", "npm_", "hf_", "sg.", "dop_v", "shp", "://",
}

func mayHoldSecret(lower string) bool {
	for _, hint := range secretHints {
		if strings.Contains(lower, hint) {
			return true
		}
	}
	return false
}

// lowerASCII folds the case of ASCII letters alone, as the database does: by Unicode's rules the
// Kelvin sign would become a k.
func lowerASCII(text string) string {
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

// namesSecret tells whether a payload's key names something that must not be kept.
func namesSecret(key string) bool { return secretName.MatchString(lowerASCII(key)) }

// looksSecret tells whether a text holds what looks like a secret: a private key, a bearer or web
// token, a key with a well-known beginning, an address with a password in it; or a name of one with
// a value behind it, as in a query or in JSON that became a text.
func looksSecret(text string) bool {
	lower := lowerASCII(text)
	return mayHoldSecret(lower) && (secretValue.MatchString(text) || secretPhrase.MatchString(lower))
}

// scrubText returns the text, or redacted if it holds a secret.
func scrubText(text string) string {
	if looksSecret(text) {
		return redacted
	}
	return text
}

// Scrub returns a JSON text without its secrets: at any depth, the value of a key that names one, a
// string that looks like one, and a key that does, are replaced by "[redacted]". What has none is
// returned as it is, and so is what is no JSON. The function fanfare.scrub does the same with what
// is recorded, in whatever way; more are further names of keys, in lower case.
func Scrub(raw json.RawMessage, more ...string) json.RawMessage {
	// An escape may hide a letter.
	if len(more) == 0 && bytes.IndexByte(raw, '\\') < 0 && !mayHoldSecret(lowerASCII(string(raw))) {
		return raw
	}
	s := scrubber{decoder: json.NewDecoder(bytes.NewReader(raw)), more: more, out: make([]byte, 0, len(raw))}
	s.decoder.UseNumber()
	if err := s.value(); err != nil || !s.found {
		return raw
	}
	return s.out
}

// scrubber copies a JSON text, but for its secrets.
type scrubber struct {
	decoder *json.Decoder
	more    []string
	out     []byte
	found   bool
}

func (s *scrubber) value() error {
	token, err := s.decoder.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return s.object()
		}
		return s.array()
	case string:
		clean := scrubText(v)
		s.found = s.found || clean != v
		return s.append(clean)
	default:
		return s.append(v)
	}
}

func (s *scrubber) object() error {
	s.out = append(s.out, '{')
	first, hidden := true, false
	for s.decoder.More() {
		token, err := s.decoder.Token()
		if err != nil {
			return err
		}
		key := token.(string) // encoding/json lets nothing else be a key
		if looksSecret(key) {
			hidden = true
			if err := s.skip(); err != nil {
				return err
			}
			continue
		}
		if !first {
			s.out = append(s.out, ',')
		}
		first = false
		if err := s.append(key); err != nil {
			return err
		}
		s.out = append(s.out, ':')
		if namesSecret(key) || s.named(key) {
			s.out = append(s.out, `"`+redacted+`"`...)
			err = s.skip()
		} else {
			err = s.value()
		}
		if err != nil {
			return err
		}
	}
	if hidden { // last, so that it counts where there was such a key before
		if !first {
			s.out = append(s.out, ',')
		}
		s.out = append(s.out, `"`+redacted+`":"`+redacted+`"`...)
	}
	s.out = append(s.out, '}')
	_, err := s.decoder.Token()
	return err
}

// skip leaves out a value that must not be kept.
func (s *scrubber) skip() error {
	s.found = true
	var skipped json.RawMessage
	return s.decoder.Decode(&skipped)
}

func (s *scrubber) array() error {
	s.out = append(s.out, '[')
	for first := true; s.decoder.More(); first = false {
		if !first {
			s.out = append(s.out, ',')
		}
		if err := s.value(); err != nil {
			return err
		}
	}
	s.out = append(s.out, ']')
	_, err := s.decoder.Token()
	return err
}

func (s *scrubber) named(key string) bool {
	lower := lowerASCII(key)
	for _, name := range s.more {
		if lower == name {
			return true
		}
	}
	return false
}

func (s *scrubber) append(scalar any) error {
	text, err := json.Marshal(scalar)
	s.out = append(s.out, text...)
	return err
}
