package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

// binary is a server to test with.
type binary struct {
	version string // the major version alone if the server cannot be had
	path    string // of Centrifugo, or of the directory of PostgreSQL's programs
	err     error  // why it cannot be had
}

// finder finds servers, and fetches or builds those that are not installed.
type finder struct {
	log  io.Writer
	temp []string // directories to remove
}

func (f *finder) postgres(ctx context.Context, major int) binary {
	fail := func(err error) binary { return binary{version: strconv.Itoa(major), err: err} }
	dir, err := devstack.InstalledPostgres(ctx, major)
	if errors.Is(err, devstack.ErrNoPostgres) {
		dir, err = f.output(ctx, ".ci/fetch-postgres", strconv.Itoa(major))
	}
	if err != nil {
		return fail(err)
	}
	if dir, err = f.reachable(dir); err != nil {
		return fail(err)
	}
	version, err := devstack.PostgresVersion(ctx, dir)
	switch {
	case err != nil:
		return fail(err)
	case version.Major != major:
		return fail(fmt.Errorf("%s is PostgreSQL %s", dir, version.Text))
	}
	return binary{version: version.Text, path: dir}
}

func (f *finder) centrifugo(ctx context.Context, major int) binary {
	fail := func(err error) binary { return binary{version: fmt.Sprintf("v%d", major), err: err} }
	if path, err := devstack.InstalledCentrifugo(); err == nil {
		if version, err := devstack.CentrifugoVersion(path); err == nil && version.Major == major {
			return binary{version: version.Text, path: path}
		}
	}
	target, ok := map[int]string{6: "bin/centrifugo", 5: "bin/centrifugo-v5"}[major]
	if !ok {
		return fail(errors.New("there is no module in deploy/centrifugo"))
	}
	if _, err := f.output(ctx, "make", "--no-print-directory", target); err != nil {
		return fail(err)
	}
	path, err := filepath.Abs(target)
	if err != nil {
		return fail(err)
	}
	version, err := devstack.CentrifugoVersion(path)
	switch {
	case err != nil:
		return fail(err)
	case version.Major != major:
		return fail(fmt.Errorf("%s is Centrifugo %s", target, version.Text))
	}
	return binary{version: version.Text, path: path}
}

// output runs a command, copies all of its output to the log, and returns the last line of its
// standard output. The error of a command that failed ends with its last line.
func (f *finder) output(ctx context.Context, name string, args ...string) (string, error) {
	var out, all bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = io.MultiWriter(&all, f.log)
	cmd.Stdout = io.MultiWriter(&out, cmd.Stderr)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, lastLine(all.String()))
	}
	return lastLine(out.String()), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// reachable returns the directory of PostgreSQL's programs, or, if it is root's alone, that of a
// copy: PostgreSQL does not run as root.
func (f *finder) reachable(bin string) (string, error) {
	if os.Geteuid() != 0 || openToAll(bin) {
		return bin, nil
	}
	dir, err := os.MkdirTemp("/tmp", "fanfare-postgres-")
	if err != nil {
		return "", err
	}
	f.temp = append(f.temp, dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(bin))); err != nil {
		return "", fmt.Errorf("copy PostgreSQL to where the server's account can read it: %w", err)
	}
	return filepath.Join(dir, filepath.Base(bin)), nil
}

// openToAll reports whether every account can reach the directory.
func openToAll(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// remove removes the copies.
func (f *finder) remove() {
	for _, dir := range f.temp {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(f.log, "testmatrix:", err)
		}
	}
}
