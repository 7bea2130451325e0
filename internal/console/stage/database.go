package stage

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/migrations"
)

const database = "fanfare"

//go:embed stage.sql
var stageSQL string

// prepareDatabase creates the database with Fanfare's schema, the default taxonomy, and the
// functions of stage.sql.
func (s *Stage) prepareDatabase(ctx context.Context) error {
	err := pg.WithConn(ctx, s.postgres.URL("postgres"), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+database)
		return err
	})
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	s.DatabaseURL = s.postgres.URL(database)
	if s.pool, err = pgxpool.New(ctx, s.DatabaseURL); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { s.pool.Close(); return nil })
	if err := s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		return migrations.Apply(ctx, c.Conn())
	}); err != nil {
		return err
	}
	actions, err := taxonomy.Parse(strings.NewReader(taxonomy.DefaultFile))
	if err != nil {
		return err
	}
	if _, err := taxonomy.Apply(ctx, s.pool, actions, taxonomy.ApplyOptions{}); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, stageSQL); err != nil {
		return fmt.Errorf("add the stage's functions: %w", err)
	}
	return nil
}
