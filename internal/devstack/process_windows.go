package devstack

import "syscall"

// procAttr makes a child run in a process group of its own, so that Ctrl-C in a terminal reaches
// only the parent. This system cannot notify a child of its parent's death.
func procAttr(*account, syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
