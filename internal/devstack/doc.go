// Package devstack runs a private PostgreSQL and a private Centrifugo for the demo, the tests and
// the benchmarks.
//
// Each server is a child of the calling process, listens on a free port of 127.0.0.1, requires a
// random secret, and keeps its files in a temporary directory of its own. Stop stops the server and
// removes the directory.
//
// Nothing is left behind. On Linux the kernel ends the children when the calling process dies, even
// by SIGKILL. The next start on the same machine removes the directories of processes that died,
// which no longer hold the directory's lock. Any number of processes can use this package at the
// same time.
package devstack
