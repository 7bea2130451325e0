// Package doctor examines the PostgreSQL and the Centrifugo that Fanfare stands on, while they run,
// and says for each thing that is wrong what to change.
//
// What it looks at it leaves as it was: in PostgreSQL it only reads; at Centrifugo it publishes a
// few small messages to channels of ids that it makes up, so they reach nobody but its own
// connections. No secret is in anything it says.
package doctor
