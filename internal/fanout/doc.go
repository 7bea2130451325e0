// Package fanout delivers activities. It resolves the candidates, drops those without permission or
// interest, writes the inbox rows of the recipients, and publishes. It is the Handler of the
// outbox.
//
// A batch takes one statement to resolve, pure decisions, and one statement for the inbox rows,
// which runs while the publications are in flight. Inbox rows commit together with the removal of
// the outbox rows. A publication that precedes a crash is repeated after it, with the same
// idempotency key.
package fanout
