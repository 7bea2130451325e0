// Package besteffort records activities where there is no transaction to record in and where
// recording must neither delay nor fail its caller.
//
// An activity that is recorded this way can be lost: when the queue is full, when the log refuses
// it, or when the process ends. A caller that must know that an activity is recorded uses an
// activity.Log, or outbox.Record in the transaction of the change.
package besteffort
