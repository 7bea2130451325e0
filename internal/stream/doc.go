// Package stream lets many readers follow the activity streams of tenants over one connection to
// Centrifugo.
//
// The contents and the order of a stream are those of the tenant's channel in Centrifugo. A reader
// that reconnects recovers the events after its position from the channel's history, or from the
// activity log if the history does not reach back that far.
//
// Invariants:
//
//   - A reader receives every event of its tenant's channel after its position, in order, or is
//     dropped with the reason. After recovery from the log, events may repeat.
//   - A position describes what was received, however late a transaction commits and however long
//     an activity was pending. A replayed dead letter is the exception: only the channel's history
//     recovers it.
//   - A reader buffers at most Buffer events. A reader that falls behind further is dropped and can
//     continue with its last position.
package stream
