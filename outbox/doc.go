// Package outbox writes activities in the transaction of the change they tell of, and hands them on
// afterwards.
//
// The write side is what a service calls: Record in its own transaction, TxActivity around one. The
// read side is the daemon's: a Worker claims a lane, gives the batch to a Handler, and settles what
// came of it, all in one transaction.
//
// Invariants:
// - What is in the table outbox, parked or fan_out_jobs is what is pending; nothing else says so.
// - An activity leaves them in the transaction that delivers it or that writes its dead letter.
// - Whoever moves rows of a lane holds its advisory lock, so activities of one resource go out in
// the order of their seq.
// - Nothing that a Worker remembers is needed for correctness: it may die at any statement.
package outbox
