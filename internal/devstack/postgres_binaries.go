package devstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// oldestPostgres is the oldest major version that Fanfare supports.
const oldestPostgres = 15

// ErrNoPostgres is returned if no supported PostgreSQL is installed.
var ErrNoPostgres = errors.New("no PostgreSQL 15 or newer found: install the server " +
	"(Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; " +
	"macOS: brew install postgresql@17) or put its bin directory on PATH")

// FindPostgres returns the directory of initdb and postgres: the argument, or if it is empty the
// one on PATH, else the newest in the usual directories. If there is none, the error is
// ErrNoPostgres.
func FindPostgres(ctx context.Context, binDir string) (string, error) {
	if binDir != "" {
		version, err := postgresVersion(ctx, binDir)
		if err != nil {
			return "", fmt.Errorf("PostgreSQL in %s: %w", binDir, err)
		}
		if version < oldestPostgres {
			return "", fmt.Errorf("PostgreSQL %d in %s is older than %d", version, binDir, oldestPostgres)
		}
		return binDir, nil
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			dir := filepath.Dir(initdb)
			if version, err := postgresVersion(ctx, dir); err == nil && version >= oldestPostgres {
				return dir, nil
			}
		}
	}
	return newestPostgres(ctx, []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
		"/opt/local/lib/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	})
}

// newestPostgres returns the directory with the newest PostgreSQL that matches the patterns, or
// ErrNoPostgres.
func newestPostgres(ctx context.Context, patterns []string) (string, error) {
	type installation struct {
		dir     string
		version int
	}
	var found []installation
	for _, pattern := range patterns {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, dir := range dirs {
			if version, err := postgresVersion(ctx, dir); err == nil && version >= oldestPostgres {
				found = append(found, installation{dir, version})
			}
		}
	}
	if len(found) == 0 {
		return "", ErrNoPostgres
	}
	return slices.MaxFunc(found, func(a, b installation) int { return cmp.Compare(a.version, b.version) }).dir, nil
}

// postgresVersion returns the major version of the server in dir, which must also contain initdb.
func postgresVersion(ctx context.Context, dir string) (int, error) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, err
	}
	match := regexp.MustCompile(`\) (\d+)`).FindSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("unknown version %q", out)
	}
	return strconv.Atoi(string(match[1]))
}
