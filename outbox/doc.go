// Package outbox records activities in the transaction of the change that they describe, and
// delivers them afterwards.
//
// A service uses the write side: Record inside its own transaction, or TxActivity around one. The
// daemon uses the read side: a Worker claims a lane, passes the batch to a Handler and settles the
// outcomes, all in one transaction.
//
// Invariants:
//
//   - The rows of the tables outbox, parked and fan_out_jobs are the pending activities. No other
//     state says so.
//   - An activity leaves these tables in the transaction that delivers it or that writes its dead
//     letter.
//   - A transaction that moves rows of a lane holds the lane's advisory lock, so the activities of
//     one resource are delivered in the order of their seq.
//   - A Worker remembers nothing that correctness depends on: it may stop at any statement.
package outbox
