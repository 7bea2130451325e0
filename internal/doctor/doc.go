// Package doctor checks the PostgreSQL and the Centrifugo that Fanfare runs on, while they run, and
// reports a diagnostic for each check, with a remedy for what has to change.
//
// The checks change nothing. In PostgreSQL they only read. To Centrifugo they publish a few small
// messages, on channels of random ids that only their own connections subscribe to. No diagnostic
// contains a secret.
package doctor
