package devstack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"syscall"
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

// copyTo makes the files of a standby.
func (p *Postgres) copyTo(ctx context.Context, s *Postgres) error {
	if err := os.Mkdir(s.data(), 0o700); err != nil {
		return err
	}
	if err := s.server.as.own(s.data()); err != nil {
		return err
	}
	output := new(tail)
	cmd := s.command("pg_basebackup", "--pgdata="+s.data(), "--dbname="+p.URL("postgres"),
		"--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync")
	cmd.Stdout, cmd.Stderr = output, output
	child, err := startProcess(cmd, s.server.as, syscall.SIGTERM)
	if err != nil {
		return err
	}
	if err := child.wait(ctx); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, output)
	}
	return nil
}
