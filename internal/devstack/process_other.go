//go:build unix && !linux

package devstack

import "syscall"

// procAttr makes a child run as the given account (nil for one's own), in a
// process group of its own so that a terminal's Ctrl-C reaches only the
// parent. This system cannot tell a child that its parent was killed.
func procAttr(as *account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Credential: as.credential(),
		Setpgid:    true,
	}
}
