package devstack

import "syscall"

// procAttr makes a child run as the account, in a process group of its own so that Ctrl-C in a
// terminal reaches only the parent, and receive the signal when the parent dies.
func procAttr(as *account, onParentDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Credential: as.credential(),
		Setpgid:    true,
		Pdeathsig:  onParentDeath,
	}
}
