package devstack

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// flock locks the file. It fails if another process holds the lock.
func flock(file *os.File) error {
	return windows.LockFileEx(windows.Handle(file.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{})
}

// ownedByMe returns true: each user has a directory of temporary files.
func ownedByMe(fs.FileInfo) bool { return true }
