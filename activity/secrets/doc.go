// Package secrets finds secrets in what is recorded and redacts them: passwords, tokens, keys and
// other credentials that must not be stored or logged.
//
// What counts as a secret is defined in one table of detectors, of which the matchers here, those
// of the database and the page docs/secrets.md are made. The database redacts the same secrets,
// with the function fanfare.redact_json, for every writer.
//
// All functions are safe for concurrent use.
package secrets

//go:generate go run ./internal/generate ../..
