package devstack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// StartStandby copies a running cluster and returns when the copy follows it, as a hot standby with
// the same superuser and databases. settings are added to its configuration. ctx limits the start
// only; the standby runs until Stop.
func (p *Postgres) StartStandby(ctx context.Context, settings map[string]string) (*Postgres, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	dir, err := newWorkdir(false)
	if err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	s := &Postgres{bin: p.bin, password: p.password, settings: maps.Clone(p.settings)}
	maps.Copy(s.settings, settings)
	s.server = &server{
		name:        "standby",
		dir:         dir,
		log:         &tail{},
		as:          p.server.as,
		command:     s.serve,
		ready:       s.ready,
		stopSignals: []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT},
		crashSignal: syscall.SIGQUIT,
	}
	err = p.copyTo(ctx, s)
	if err == nil {
		err = s.server.startOnFreePorts(ctx, s.choosePort)
	}
	if err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return s, nil
}

// copyTo makes the files of a standby by the functions of a low-level base backup
// (https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP):
// the packages of some versions contain no pg_basebackup.
func (p *Postgres) copyTo(ctx context.Context, s *Postgres) (err error) {
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, "SELECT pg_backup_start('standby', true)"); err != nil {
		return err
	}
	if err := p.copyFiles(s, "", func(path string) bool { return !strings.HasPrefix(path, "pg_wal/") }); err != nil {
		return err
	}
	var label string
	if err := conn.QueryRow(ctx, "SELECT labelfile FROM pg_backup_stop(false)").Scan(&label); err != nil {
		return err
	}
	if err := p.copyFiles(s, "pg_wal", func(string) bool { return true }); err != nil {
		return err
	}
	const follow = "primary_conninfo = 'host=127.0.0.1 port=%d user=postgres password=%s'\n"
	return errors.Join(
		s.writeFile("backup_label", label),
		s.writeFile("standby.signal", ""),
		s.writeFile("postgresql.auto.conf", fmt.Sprintf(follow, p.port, p.password)),
	)
}

// copyFiles copies what is under a directory of the data, without what belongs to the running
// server. A file that is removed meanwhile is not missed: the log removes it again.
func (p *Postgres) copyFiles(to *Postgres, under string, wanted func(path string) bool) error {
	return filepath.WalkDir(filepath.Join(p.data(), under), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		name, relErr := filepath.Rel(p.data(), path)
		if err = errors.Join(err, relErr); err != nil {
			return err
		}
		target := filepath.Join(to.data(), name)
		switch {
		case entry.IsDir():
			if err := os.MkdirAll(target, 0o700); err != nil {
				return err
			}
			return to.server.as.own(target)
		case name == "postmaster.pid" || name == "postmaster.opts" || !wanted(name):
			return nil
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return to.writeFile(name, string(content))
	})
}

// writeFile writes a file of the data.
func (p *Postgres) writeFile(name, content string) error {
	path := filepath.Join(p.data(), name)
	return errors.Join(os.WriteFile(path, []byte(content), 0o600), p.server.as.own(path))
}
