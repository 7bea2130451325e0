// Package activity holds the facts that Fanfare records and tells of: the Envelope that a service
// writes, the Activity that stands in the log, and the Event that goes out on the wire.
//
// An Activity never changes once it is recorded; the database refuses to update or delete one. Its
// id is a UUIDv7, so activities sort by the time of their recording.
package activity
