package devstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	workdirPrefix = "fanfare-devstack-"
	lockName      = "lock"
)

// workdir is a temporary directory with a lock. The kernel releases the lock when this process
// dies.
type workdir struct {
	path string
	lock *os.File
}

// TempDir creates a temporary directory that other users cannot list, and returns its path and what
// removes it. If this process dies first, the next one that uses this package removes it.
func TempDir() (path string, remove func() error, err error) {
	d, err := newWorkdir(true)
	if err != nil {
		return "", nil, err
	}
	return d.path, d.remove, nil
}

// newWorkdir removes the directories of processes that died and creates one that other users can
// traverse but not list. A directory that is not durable is in memory if there is space.
func newWorkdir(durable bool) (*workdir, error) {
	parent := tempParent()
	sweep(parent)
	if memory := memoryParent(); memory != "" {
		sweep(memory)
		if !durable {
			parent = memory
		}
	}
	path, err := os.MkdirTemp(parent, workdirPrefix)
	if err != nil {
		return nil, err
	}
	d := &workdir{path: path}
	if err := d.hold(); err != nil {
		return nil, errors.Join(err, d.remove())
	}
	return d, nil
}

// hold takes the lock. The lock file gets its name after it is locked, so that a sweep never finds
// it unlocked.
func (d *workdir) hold() error {
	if err := os.Chmod(d.path, 0o711); err != nil {
		return err
	}
	temporary := filepath.Join(d.path, lockName+".new")
	lock, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	d.lock = lock
	if err := flock(lock); err != nil {
		return fmt.Errorf("lock %s: %w", temporary, err)
	}
	return os.Rename(temporary, filepath.Join(d.path, lockName))
}

func (d *workdir) join(name string) string { return filepath.Join(d.path, name) }

// remove removes the directory and releases the lock. It retries, because a process that was killed
// may still write.
func (d *workdir) remove() error {
	err := os.RemoveAll(d.path)
	for deadline := time.Now().Add(2 * time.Second); err != nil && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
		err = os.RemoveAll(d.path)
	}
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

// sweep removes the directories in parent whose owner has died. It ignores errors: the next sweep
// tries again.
func sweep(parent string) {
	paths, err := filepath.Glob(filepath.Join(parent, workdirPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || !ownedByMe(info) {
			continue
		}
		lock, err := os.Open(filepath.Join(path, lockName))
		if errors.Is(err, fs.ErrNotExist) && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(path) // the owner died before it took the lock
			continue
		}
		if err != nil {
			continue
		}
		if flock(lock) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}

// tempParent returns the system's temporary directory, or /tmp if root's temporary directory is
// not accessible to other accounts.
func tempParent() string {
	parent := os.TempDir()
	if os.Geteuid() != 0 {
		return parent
	}
	for path := parent; path != filepath.Dir(path); path = filepath.Dir(path) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
	}
	return parent
}
