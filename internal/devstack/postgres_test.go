package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestPostgresForTests(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, PostgresOptions{Settings: map[string]string{"work_mem": "7MB"}})
	for setting, want := range map[string]string{
		"fsync":                     "off",
		"synchronous_commit":        "on",
		"max_prepared_transactions": "20",
		"listen_addresses":          "127.0.0.1",
		"unix_socket_directories":   "",
		"server_encoding":           "UTF8",
		"TimeZone":                  "UTC",
		"work_mem":                  "7MB",
	} {
		if got := show(t, p, setting); got != want {
			t.Errorf("%s: got %q, want %q", setting, got, want)
		}
	}
	stop(t, p)
	if exists(p.server.dir.path) {
		t.Error("the directory outlived Stop")
	}
	if _, err := pgx.Connect(t.Context(), p.URL("postgres")); err == nil {
		t.Error("the server outlived Stop")
	}
	if err := p.Restart(t.Context()); err == nil {
		t.Error("restart after Stop: got no error")
	}
}

func TestDurablePostgres(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, PostgresOptions{Durable: true})
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		if got := show(t, p, setting); got != "on" {
			t.Errorf("%s: got %q, want on", setting, got)
		}
	}
	execute(t, p, `CREATE TABLE kept ()`)
	if err := p.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, p, `DROP TABLE kept`)
}

func TestCommitsSurviveACrash(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, PostgresOptions{})
	execute(t, p, `CREATE TABLE kept ()`)
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.Connect(t.Context(), p.URL("postgres")); err == nil {
		t.Error("the server outlived Kill")
	}
	if err := p.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, p, `DROP TABLE kept`)
}

func TestPostgresRequiresItsPassword(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, PostgresOptions{})
	config, err := pgx.ParseConfig(p.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "guess"
	_, err = pgx.ConnectConfig(t.Context(), config)
	if refused := (*pgconn.PgError)(nil); !errors.As(err, &refused) || refused.Code != "28P01" {
		t.Errorf("connect with a wrong password: got %v, want invalid_password", err)
	}
	info, err := os.Stat(p.data())
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("mode of the data: got %o, want 700", got)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid == 0 {
		t.Error("the data belongs to root, so the server runs as root")
	}
	if exists(p.server.dir.join("password")) {
		t.Error("the password's file outlived the start")
	}
	if shown := fmt.Sprintf("%v %+v %s", p, p, p); strings.Contains(shown, p.password) {
		t.Error("printing the server shows its password")
	}
}

func TestPostgresStartError(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, err := StartPostgres(t.Context(), PostgresOptions{
		Settings: map[string]string{"no_such_setting": "1"},
		Output:   &log,
	})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("got %v, want the server's error", err)
	}
	if !strings.Contains(log.String(), "no_such_setting") {
		t.Errorf("output: got %q, want the server's error", log.String())
	}
}

func TestPostgresNotInstalled(t *testing.T) {
	t.Parallel()
	if _, err := StartPostgres(t.Context(), PostgresOptions{BinDir: t.TempDir()}); err == nil {
		t.Error("start from an empty directory: got no error")
	}
	if _, err := newestPostgres(t.Context(), []string{t.TempDir() + "/*/bin"}); !errors.Is(err, ErrNoPostgres) {
		t.Errorf("got %v, want ErrNoPostgres", err)
	}
}

// TestNewestPostgresIsUsed is not parallel, for the reason of TestCentrifugoVersions.
func TestNewestPostgresIsUsed(t *testing.T) {
	dir := t.TempDir()
	for name, version := range map[string]string{
		"9": "9.6.24", "14": "14.1", "15": "15.4 (Debian 15.4-1)", "17": "17beta1",
	} {
		bin := dir + "/" + name + "/bin"
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, program := range []string{"initdb", "postgres"} {
			script := "#!/bin/sh\necho '" + program + " (PostgreSQL) " + version + "'\n"
			if err := os.WriteFile(bin+"/"+program, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := newestPostgres(t.Context(), []string{dir + "/*/bin"})
	if want := dir + "/17/bin"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := FindPostgres(t.Context(), dir+"/14/bin"); err == nil {
		t.Error("an explicit PostgreSQL 14: got no error")
	}
	version, err := PostgresVersion(t.Context(), dir+"/15/bin")
	if want := (Version{15, "15.4"}); err != nil || version != want {
		t.Errorf("got %v, %v; want %v", version, err, want)
	}
}

func TestNamedPostgresIsUsed(t *testing.T) {
	t.Setenv(postgresVariable, t.TempDir())
	if got, err := FindPostgres(t.Context(), ""); err == nil {
		t.Errorf("an empty directory: got %q, want an error", got)
	}
}

func show(t testing.TB, p *Postgres, setting string) (value string) {
	t.Helper()
	conn := connect(t, p)
	if err := conn.QueryRow(t.Context(), `SELECT current_setting($1)`, setting).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func execute(t testing.TB, p *Postgres, sql string) {
	t.Helper()
	if _, err := connect(t, p).Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func connect(t testing.TB, p *Postgres) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) }) // already closed in some tests
	return conn
}
