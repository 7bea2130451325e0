// Package export writes the activities of a tenant that pass a filter as CSV, JSON Lines or
// CloudEvents.
//
// An export reads the log in short steps and keeps one step in memory, so that its memory does not
// grow with its size, and neither a transaction nor a connection is held while the output is
// written.
package export
