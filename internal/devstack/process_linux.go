package devstack

import "syscall"

// procAttr makes a child run as the given account (nil for one's own), in a
// process group of its own so that a terminal's Ctrl-C reaches only the
// parent, and be sent the signal when the parent dies.
func procAttr(as *account, onParentDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Credential: as.credential(),
		Setpgid:    true,
		Pdeathsig:  onParentDeath,
	}
}
