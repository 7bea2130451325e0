package devstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// postgresVariable is the environment variable with the directory of PostgreSQL's programs.
	postgresVariable = "FANFARE_POSTGRES_BIN"

	// oldestPostgres is the oldest major version that Fanfare supports.
	oldestPostgres = 15
)

// ErrNoPostgres is returned if no supported PostgreSQL is installed.
var ErrNoPostgres = errors.New("no PostgreSQL 15 or newer found: install the server " +
	"(Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; " +
	"macOS: brew install postgresql@17), put its bin directory on PATH, or name it in " + postgresVariable)

// FindPostgres returns the directory of initdb and postgres: the argument, else the value of the
// environment variable FANFARE_POSTGRES_BIN, else the one on PATH, else the newest in the usual
// directories. If there is none, the error is ErrNoPostgres.
func FindPostgres(ctx context.Context, binDir string) (string, error) {
	if binDir = cmp.Or(binDir, os.Getenv(postgresVariable)); binDir != "" {
		if _, err := PostgresVersion(ctx, binDir); err != nil {
			return "", err
		}
		return binDir, nil
	}
	if dir, ok := postgresOnPath(); ok {
		if _, err := PostgresVersion(ctx, dir); err == nil {
			return dir, nil
		}
	}
	return newestPostgres(ctx, usualPostgres())
}

// FindPostgresPrograms returns the directory of the newest PostgreSQL that contains other programs
// besides the server, such as pg_dump: the one of FindPostgres, or one on PATH or in the usual
// directories. If there is none, the error is ErrNoPostgres.
func FindPostgresPrograms(ctx context.Context, names ...string) (string, error) {
	found, err := postgresIn(ctx, usualPostgres())
	if err != nil {
		return "", err
	}
	for _, find := range []func() (string, bool){
		postgresOnPath,
		func() (string, bool) { dir, err := FindPostgres(ctx, ""); return dir, err == nil },
	} {
		if dir, ok := find(); ok {
			if version, err := PostgresVersion(ctx, dir); err == nil {
				found = append(found, installation{dir, version})
			}
		}
	}
	found = slices.DeleteFunc(found, func(each installation) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			_, err := exec.LookPath(filepath.Join(each.dir, name))
			return err != nil
		})
	})
	if len(found) == 0 {
		return "", fmt.Errorf("%w (with %s)", ErrNoPostgres, strings.Join(names, ", "))
	}
	return slices.MaxFunc(found, compareVersions).dir, nil
}

// InstalledPostgres returns the directory of initdb and postgres of a major version, on PATH or in
// the usual directories. If there is none, the error is ErrNoPostgres.
func InstalledPostgres(ctx context.Context, major int) (string, error) {
	found, err := postgresIn(ctx, usualPostgres())
	if err != nil {
		return "", err
	}
	if dir, ok := postgresOnPath(); ok {
		if version, err := PostgresVersion(ctx, dir); err == nil {
			found = append(found, installation{dir, version})
		}
	}
	for _, each := range found {
		if each.version.Major == major {
			return each.dir, nil
		}
	}
	return "", ErrNoPostgres
}

// installation is a PostgreSQL in a directory.
type installation struct {
	dir     string
	version Version
}

func compareVersions(a, b installation) int { return cmp.Compare(a.version.Major, b.version.Major) }

// postgresOnPath returns the directory of initdb on PATH, which may be a link to it.
func postgresOnPath() (dir string, ok bool) {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", false
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return "", false
	}
	return filepath.Dir(initdb), true
}

// usualPostgres returns patterns of the directories in which packages install PostgreSQL.
func usualPostgres() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
		"/opt/local/lib/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}
}

// newestPostgres returns the directory with the newest PostgreSQL that matches the patterns, or
// ErrNoPostgres.
func newestPostgres(ctx context.Context, patterns []string) (string, error) {
	found, err := postgresIn(ctx, patterns)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", ErrNoPostgres
	}
	return slices.MaxFunc(found, compareVersions).dir, nil
}

// postgresIn returns the supported installations whose directories match the patterns.
func postgresIn(ctx context.Context, patterns []string) (found []installation, err error) {
	for _, pattern := range patterns {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			if version, err := PostgresVersion(ctx, dir); err == nil {
				found = append(found, installation{dir, version})
			}
		}
	}
	return found, nil
}

// PostgresVersion returns the version of the server in a directory, which must also contain initdb.
// It fails if Fanfare does not support the version.
func PostgresVersion(ctx context.Context, dir string) (Version, error) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return Version{}, fmt.Errorf("PostgreSQL in %s: %w", dir, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return Version{}, fmt.Errorf("PostgreSQL in %s: %w", dir, err)
	}
	match := regexp.MustCompile(`\) ((\d+)\S*)`).FindSubmatch(out)
	if match == nil {
		return Version{}, fmt.Errorf("PostgreSQL in %s: unknown version %q", dir, out)
	}
	major, err := strconv.Atoi(string(match[2]))
	if err != nil {
		return Version{}, err
	}
	if major < oldestPostgres {
		return Version{}, fmt.Errorf("PostgreSQL %s in %s is older than %d", match[1], dir, oldestPostgres)
	}
	return Version{Major: major, Text: string(match[1])}, nil
}
