// Package standby sends reads to hot standbys of PostgreSQL, and to the primary server while they
// are away or too far behind.
//
// A process asks the primary for its position in the write-ahead log now and then, and each standby
// for the position up to which it has replayed the log. A standby that has replayed the log up to a
// position that the primary had at a time t shows everything that was committed before t. The age
// of the newest such t is the standby's lag: an upper bound, which needs no clock but that of the
// process, and holds while nothing is committed, too.
//
// Reads follow writes, also across processes: a write is answered only when each standby has
// replayed it, or after the maximum lag, when no process uses a standby that has not. A process
// leaves out a standby that it has not reached for the maximum lag; if another process still
// reaches it, reads there may be behind by as much.
package standby
