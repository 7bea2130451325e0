// Package activity is the domain of Fanfare: an Envelope is an activity that a service records, an
// Activity is one that the log keeps, and an Event is one as clients receive it.
//
// An activity never changes once it is recorded: the database rejects updates and deletions, except
// by redaction and retention. Its id is a UUIDv7, so that ids sort activities by the time of
// recording.
//
// The package depends on no database. Log is the port that package outbox implements in PostgreSQL
// and package memlog in memory.
package activity
