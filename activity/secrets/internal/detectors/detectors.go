// Package detectors describes the secrets that Fanfare does not store: a table of named detectors,
// and the patterns that package secrets and the database compose of them.
//
// The table is the only source. Package secrets compiles its matchers from it; go generate writes
// the migration with the database's matchers and the page docs/secrets.md; the tests hold every
// example in it against both matchers. To add a detector, add it to names, formats or vendors and
// run
//
//	go generate ./activity/secrets
package detectors

import "slices"

// A Detector finds the secrets of one kind.
//
// Its patterns are regular expressions in the syntax that Go's regexp and PostgreSQL's advanced
// regular expressions have in common, without backslashes. A pattern may be an alternation.
//
// In an example, … stands for forty decimal digits. So the source holds nothing that looks like a
// real secret.
type Detector struct {
	Name  string // of the kind, unique
	Finds string // what it finds, as docs/secrets.md describes it

	// These match keys of a payload, regardless of the case of ASCII letters.

	Key      string // matches anywhere in a key
	KeyEnd   string // matches at the end of a key, before any characters that are not alphanumeric
	LastWord string // words of which a key ends with one, as db_pwd and dbPwd end with pwd

	// As KeyEnd and LastWord, for names that are as often those of counts and ids: the value of
	// such a key is a secret unless it is a number, true, false, null or a UUID.

	TextKeyEnd   string
	TextLastWord string

	// These match texts, including payload keys.

	Text  string // matches anywhere, in the case that it is written in
	Token string // as Text, but no letter, digit or underscore may precede it

	// These match texts converted to lower case.

	Lower    string // matches anywhere
	Assigned string // a name with a value assigned to it, as in a query string, a setting or JSON
	Header   string // the end of an HTTP header's name, with a value behind a colon

	// Hints are strings in lower case. Every text and key that the detector matches contains one of
	// them in lower case, so that a search for the hints of all detectors finds out quickly that
	// none matches.
	Hints []string

	Keys     []string // keys that it matches
	TextKeys []string // keys that it matches for a text as value
	NotKeys  []string // similar keys that no detector matches
	Texts    []string // texts that it matches
	NotTexts []string // similar texts that no detector matches
}

// All returns all detectors.
func All() []Detector { return slices.Concat(names(), formats(), vendors()) }
