//go:build !unix

package daemon

// maxOpenFiles returns how many files the process may open.
func maxOpenFiles() (n int, known bool) { return 0, false }
