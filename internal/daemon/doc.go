// Package daemon wires and runs Fanfare's daemon: the worker, the API, or both in one process.
//
// Invariants:
//   - All goroutines of a daemon run in one group: when one returns an error, or the context of Run
//     ends, all stop.
//   - An unavailable PostgreSQL or Centrifugo does not stop a daemon. It reports the outage in its
//     log, in its metrics and at /readyz, and continues when the dependency is available again.
//   - No secret is logged.
package daemon
