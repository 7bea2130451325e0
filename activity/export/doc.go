// Package export writes a tenant's log, or what of it passes a filter, as CSV, JSON Lines or
// CloudEvents.
//
// It reads in short steps and holds one of them at a time, so that memory stays flat whatever the
// size, and neither a transaction nor a connection waits for whoever takes the output.
package export
