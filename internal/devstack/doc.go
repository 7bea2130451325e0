// Package devstack runs what Fanfare stands on, a private PostgreSQL and a
// real Centrifugo, for the demo and the tests.
//
// Each server is a child of the calling process, listens on 127.0.0.1 only, on
// ports that were free, behind a random secret, and keeps its files in a
// temporary directory of its own. Stop ends the server and removes the
// directory.
//
// Nothing stays behind. On Linux the kernel ends the children when the calling
// process dies, even by SIGKILL; the directory of a process that died is
// removed by the next start on the same machine, which knows it by a lock that
// only the living hold. So any number of processes may use this package at
// once.
package devstack
