// Package payload holds the rules for the JSON of payloads: which texts PostgreSQL can store as
// jsonb, and the text that jsonb then has. PostgreSQL's jsonb contains no NUL, no lone surrogate
// and no number beyond numeric, and its text differs from what was given:
// https://www.postgresql.org/docs/current/datatype-json.html
//
// All functions are pure, and safe for concurrent use.
package payload

// The bounds of a payload. An installation may permit fewer bytes (fanfare.settings).
const (
	MaxBytes = 1 << 20 // of its text as jsonb; the default of an installation is 64 KiB
	MaxDepth = 64      // levels of objects and arrays; the payload itself is the first
	MaxParts = 3 << 10 // names, texts, objects and lists, including the payload itself
)
