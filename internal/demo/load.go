package demo

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/preferences"
)

// The sample application's own schema, and the two roles that its processes connect as. Neither has
// a right on Fanfare's tables of activities: fanfare_writer lets them record. The application keeps
// its directory in Fanfare's three tables, so demo_app writes those.
const sampleSchema = `
CREATE SCHEMA demo;
CREATE TABLE demo.signals (
    tenant_id uuid NOT NULL,
    id        uuid NOT NULL,
    name      text NOT NULL,
    lookback  int  NOT NULL DEFAULT 20 CHECK (lookback BETWEEN 1 AND 250),
    stage     text NOT NULL DEFAULT 'draft',
    runs      int  NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE demo.notes (
    tenant_id uuid NOT NULL,
    signal_id uuid NOT NULL,
    author_id uuid NOT NULL,
    body      text NOT NULL
);
CREATE ROLE demo_app LOGIN PASSWORD '%s' IN ROLE fanfare_writer;
GRANT USAGE ON SCHEMA demo TO demo_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON demo.signals, demo.notes, fanfare.resources, fanfare.role_bindings TO demo_app;
CREATE ROLE demo_ledger LOGIN PASSWORD '%s' IN ROLE fanfare_writer;`

// load creates the sample application and its two tenants. The passwords are letters and digits.
func load(ctx context.Context, conn *pgx.Conn, tenants []tenant, appPassword, ledgerPassword string) error {
	if _, err := conn.Exec(ctx, fmt.Sprintf(sampleSchema, appPassword, ledgerPassword)); err != nil {
		return fmt.Errorf("create the sample application: %w", err)
	}
	for _, t := range tenants {
		if err := loadTenant(ctx, conn, t); err != nil {
			return fmt.Errorf("load %s: %w", t.name, err)
		}
	}
	return nil
}

func loadTenant(ctx context.Context, conn *pgx.Conn, t tenant) error {
	batch := &pgx.Batch{}
	for _, n := range t.tree {
		batch.Queue(
			`INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type, name) VALUES ($1, $2, $3, $4, $5, $6)`,
			t.id,
			n.id(),
			optional(n.parent, resourceID),
			optional(n.owner, principalID),
			n.kind,
			n.name,
		)
		if n.kind == "signal" {
			batch.Queue(`INSERT INTO demo.signals (tenant_id, id, name) VALUES ($1, $2, $3)`, t.id, n.id(), n.name)
		}
	}
	for _, p := range t.people {
		batch.Queue(
			`INSERT INTO fanfare.principals (tenant_id, id, kind, display_name, active) VALUES ($1, $2, $3, $4, $5)`,
			t.id,
			p.id(),
			p.kind,
			p.name,
			!p.inactive,
		)
		for _, r := range p.roles {
			batch.Queue(`
				INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name, revoked_at)
				VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)`, t.id, p.id(), resourceID(r.on), r.name, r.revoked)
		}
		for _, s := range p.watches {
			batch.Queue(`
				INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope, revoked_at)
				VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)`, t.id, p.id(), resourceID(s.on), s.scope, s.revoked)
		}
		if p.wants != nil {
			batch.Queue(`
				INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode, custom_actions, muted)
				VALUES ($1, $2, $3, $4, $5)`, t.id, p.id(), string(p.wants.Mode), patternsOf(*p.wants), p.wants.Muted)
		}
	}
	return conn.SendBatch(ctx, batch).Close()
}

func optional(name string, id func(string) uuid.UUID) *uuid.UUID {
	if name == "" {
		return nil
	}
	made := id(name)
	return &made
}

// patternsOf returns the patterns as the column wants them, which is never null.
func patternsOf(p preferences.Preference) []string { return append([]string{}, p.CustomActions...) }
