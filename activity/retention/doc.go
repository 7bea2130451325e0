// Package retention says how long what is kept, and removes what has had its time: activities, and
// with them their notifications and idempotency keys; notifications, idempotency keys, dead
// letters, parked activities and ended service tokens by bounds of their own.
//
// What holds:
//
// - Nothing goes that is younger than MinDays, that is pending (in the outbox, parked, being
// broadcast, a dead letter), or that
//
//	is under a legal hold. The database's functions see to it (migrations/019_retention_policies.sql and those after it); this package only calls them.
//
// - A hold that Place has returned from holds from then on, whatever run is under way.
// - Writers are never held up for longer than the 400 milliseconds that a lock is waited for; see
// fanfare.drop_partition.
// - Every step is a transaction of its own. A run may end after any of them, in whatever way; the
// next one goes on.
// - What was removed is recorded in the tenant's log, as retention.purged, once a run; if the run
// cannot, the next one does.
// - One run at a time, across all processes.
package retention
