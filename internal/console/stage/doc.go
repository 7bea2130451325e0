// Package stage runs what browser tests and developers of the console work against: a private
// PostgreSQL and a private Centrifugo, the daemon with its worker and its API, and the console's
// files. A control endpoint creates worlds, which are tenants with a company's data, and does what
// no client can: it issues credentials, runs SQL, and interrupts Centrifugo.
//
// Invariants:
//   - Everything listens on free ports of 127.0.0.1. The control endpoint requires a random secret.
//   - Worlds share nothing but the servers, so that tests run concurrently.
//   - Stop ends every process and removes every file.
package stage
