package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/cells"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

// namedDatabase is a database with the name by which the other one of a move knows it.
type namedDatabase struct{ name, url string }

// databases returns the source and the destination.
func (m *tenantMove) databases(ctx context.Context, c *config.Config) (source, destination namedDatabase, err error) {
	file := c.Cells()
	switch {
	case file == nil && m.to != "":
		return source, destination, &usageError{"--to names a cell, so --cells is required"}
	case file == nil:
		source = namedDatabase{url: c.DatabaseURL}
		destination = namedDatabase{url: c.ToDatabaseURL}
		for _, d := range []*namedDatabase{&source, &destination} {
			if d.name, err = databaseName(d.url); err != nil {
				return source, destination, err
			}
		}
		return source, destination, nil
	case m.to == "":
		return source, destination, &usageError{"--to is required with --cells; the cells are " +
			strings.Join(file.Names(), ", ")}
	}
	to, known := file.Named(m.to)
	if !known {
		return source, destination, &usageError{fmt.Sprintf("--to %q: is not a cell of the file; the cells are %s",
			m.to, strings.Join(file.Names(), ", "))}
	}
	from, err := m.sourceCell(ctx, c, to)
	if err != nil {
		return source, destination, err
	}
	return namedDatabase{from.Name, from.DatabaseURL}, namedDatabase{to.Name, to.DatabaseURL}, nil
}

// sourceCell returns the cell that the tenant leaves: the one of --cell, else the one that is
// moving it to the destination, else the one that it belongs to. If it belongs to the destination
// already, that is the cell that has moved it there last.
func (m *tenantMove) sourceCell(ctx context.Context, c *config.Config, to *cells.Cell) (*cells.Cell, error) {
	file := c.Cells()
	if len(c.CellNames) > 1 {
		return nil, &usageError{"--cell must name one cell: the one that the tenant leaves"}
	}
	if len(c.CellNames) == 1 {
		cell, _ := file.Named(c.CellNames[0])
		return cell, nil
	}
	var last *cells.Cell // that has moved the tenant to the destination
	var lastAt time.Time
	for _, cell := range file.Cells() {
		if cell == to {
			continue
		}
		move, err := moveTo(ctx, cell, to, m.options.Tenant)
		switch {
		case err != nil:
			return nil, &cellError{cell.Name, database.Explain(err)}
		case move == nil:
		case move.MovedAt == nil:
			return cell, nil
		case move.MovedAt.After(lastAt):
			last, lastAt = cell, *move.MovedAt
		}
	}
	name, err := cellOf(ctx, file, m.options.Tenant)
	if err != nil {
		return nil, err
	}
	if name != to.Name {
		last, _ = file.Named(name)
	}
	if last == nil {
		return nil, fmt.Errorf("the tenant belongs to the cell %s already", name)
	}
	return last, nil
}

// moveTo returns the row of a move of the tenant from one cell to another, which may have ended, or
// nil.
func moveTo(ctx context.Context, from, to *cells.Cell, tenant uuid.UUID) (*tenantmove.Row, error) {
	conn, err := database.Connect(ctx, from.DatabaseURL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	moves, err := tenantmove.List(ctx, conn, tenant)
	if err != nil || len(moves) == 0 || moves[0].Role != tenantmove.Source || moves[0].Peer != to.Name {
		return nil, err
	}
	return &moves[0], nil
}

// openMove opens the connections of a move, each of which needs a session of its own. closeAll
// closes those that were opened.
func openMove(ctx context.Context, source, destination string) (db tenantmove.Databases, closeAll func(), err error) {
	var opened []*pgx.Conn
	closeAll = func() {
		for _, conn := range opened {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
	}
	for _, c := range []struct {
		url, name string
		conn      **pgx.Conn
	}{{source, "source", &db.Source}, {source, "source", &db.Lock}, {destination, "destination", &db.Destination}} {
		if *c.conn, err = database.Connect(ctx, c.url); err != nil {
			return db, closeAll, fmt.Errorf("%s: %w", c.name, err)
		}
		opened = append(opened, *c.conn)
		if err = database.RequireSession(ctx, *c.conn); err != nil {
			return db, closeAll, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return db, closeAll, nil
}

// databaseName returns the name by which the other database of a move knows a database: its host,
// port and name.
func databaseName(url string) (string, error) {
	parsed, err := pgx.ParseConfig(url)
	if err != nil {
		return "", errors.New("invalid database URL")
	}
	return fmt.Sprintf("%s:%d/%s", parsed.Host, parsed.Port, parsed.Database), nil
}
