// Package retention holds the policies that limit how long rows are kept, and removes the rows that
// have expired: activities with their notifications and idempotency keys, and, by limits of their
// own, notifications, idempotency keys, dead letters, parked activities and ended service tokens.
//
// Invariants:
//
//   - An activity is not removed if it is younger than MinDays, pending (an outbox row, parked, a
//     fan-out job or a dead letter) or under a legal hold. The functions of the database enforce
//     this; the package only calls them.
//   - A hold is effective from the return of Place on, whether or not a run is in progress.
//   - A writer waits for a run for 400 milliseconds at most, the time for which
//     fanfare.drop_partition waits for a lock.
//   - Every step is a transaction of its own. A run may end after any step; the next run continues.
//   - The removed rows are recorded in the tenant's log, as retention.purged, once per run. If a
//     run cannot record them, the next run does.
//   - There is one run at a time, across all processes.
package retention
