//go:build unix

package daemon

import (
	"math"
	"syscall"
)

// maxOpenFiles returns how many files the process may open.
func maxOpenFiles() (n int, known bool) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0, false
	}
	return int(min(limit.Cur, math.MaxInt32)), true
}
