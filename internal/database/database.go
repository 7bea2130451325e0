// Package database connects to Fanfare's database and explains its errors to operators.
package database

import (
	"context"
	"errors"
	"maps"
	"net"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout limits the time for opening a connection, unless the URL sets connect_timeout.
const connectTimeout = 5 * time.Second

// pingTimeout limits the wait for a connection that has been idle for a second to answer, before it
// is replaced: a network may have forgotten it.
const pingTimeout = 2 * time.Second

// keepAlive finds connections within half a minute whose other end no longer answers, and keeps a
// network from forgetting idle ones.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// errInvalidURL replaces the error of pgx, which may contain the password.
var errInvalidURL = errors.New("invalid database URL")

// Connect opens one connection, which the caller closes.
func Connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgxpool.ParseConfig(url) // which also takes the parameters of pools out
	if err != nil {
		return nil, errInvalidURL
	}
	setDefaults(&config.ConnConfig.Config)
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, err
	}
	registerTypes(conn.TypeMap())
	return conn, nil
}

// Open returns a pool of at most maxConns connections, which the caller closes. It connects when it
// is first used.
func Open(ctx context.Context, url string, maxConns int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errInvalidURL
	}
	setDefaults(&config.ConnConfig.Config)
	config.MaxConns = int32(maxConns)
	config.MinConns = min(config.MinConns, config.MaxConns)
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		registerTypes(conn.TypeMap())
		return nil
	}
	config.PingTimeout = pingTimeout
	config.BeforeClose = closeSoon
	return pgxpool.NewWithConfig(ctx, config)
}

// registerTypes registers uuid as the type of id parameters. In the modes that do not describe
// statements, such as default_query_exec_mode=exec behind a pooler, pgx cannot infer it.
func registerTypes(types *pgtype.Map) {
	for _, id := range []any{[16]byte{}, uuid.UUID{}, zeronull.UUID{}} {
		types.RegisterDefaultPgType(id, "uuid")
	}
	for _, ids := range []any{[][16]byte(nil), []uuid.UUID(nil), []zeronull.UUID(nil)} {
		types.RegisterDefaultPgType(ids, "_uuid")
	}
}

// sessionSettings are those that the meaning of a statement or of its result may depend on. They
// replace those of the server, the database, the role and the URL. PgBouncer keeps track of them.
var sessionSettings = map[string]string{
	"client_encoding":             "UTF8",
	"datestyle":                   "ISO, MDY",
	"standard_conforming_strings": "on",
	"timezone":                    "UTC",
}

func setDefaults(config *pgconn.Config) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.DialFunc = (&net.Dialer{Timeout: config.ConnectTimeout, KeepAliveConfig: keepAlive}).DialContext
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "fanfare"
	}
	maps.Copy(config.RuntimeParams, sessionSettings)
}

// closeSoon bounds the time for which a connection that was given up occupies its place in the
// pool: pgx waits up to 15 seconds for its end.
func closeSoon(conn *pgx.Conn) {
	server := conn.PgConn()
	if !server.IsClosed() {
		return
	}
	timer := time.NewTimer(pingTimeout)
	defer timer.Stop()
	select {
	case <-server.CleanupDone():
	case <-timer.C:
		_ = server.Conn().Close()
	}
}
