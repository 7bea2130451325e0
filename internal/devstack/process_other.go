//go:build unix && !linux

package devstack

import "syscall"

// procAttr makes a child run as the account, in a process group of its own so that Ctrl-C in a
// terminal reaches only the parent. This system cannot notify a child of its parent's death.
func procAttr(as *account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Credential: as.credential(),
		Setpgid:    true,
	}
}
