package recording_test

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"gorm.io/gorm"

	"github.com/fanfarehq/fanfare/activity"
)

// Project is a model of an application.
type Project struct {
	ID     uuid.UUID `db:"id"`
	Tenant uuid.UUID `db:"tenant"`
	Name   string    `db:"name"`
}

// created returns the envelope that records the creation of the project.
func (p Project) created(actor uuid.UUID) activity.Envelope {
	return activity.Envelope{
		TenantID: p.Tenant, ActorPrincipalID: actor, ResourceID: p.ID, ResourceType: "project", ResourceName: p.Name,
		Action: "project.created",
	}
}

func createWithSQL(ctx context.Context, db *sql.DB, actor uuid.UUID, p Project) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	const insert = `INSERT INTO projects (id, tenant, name) VALUES ($1, $2, $3)`
	if _, err := tx.ExecContext(ctx, insert, p.ID, p.Tenant, p.Name); err != nil {
		return err
	}
	envelope, err := json.Marshal(p.created(actor))
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `SELECT fanfare.record_activity($1::jsonb)`, string(envelope)); err != nil {
		return err
	}
	return tx.Commit()
}

func createWithSqlx(ctx context.Context, db *sqlx.DB, actor uuid.UUID, p Project) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	const insert = `INSERT INTO projects (id, tenant, name) VALUES (:id, :tenant, :name)`
	if _, err := tx.NamedExecContext(ctx, insert, p); err != nil {
		return err
	}
	envelope, err := json.Marshal(p.created(actor))
	if err != nil {
		return err
	}
	var id uuid.UUID
	if err := tx.GetContext(ctx, &id, `SELECT fanfare.record_activity($1::jsonb)`, string(envelope)); err != nil {
		return err
	}
	return tx.Commit()
}

func createWithGORM(ctx context.Context, db *gorm.DB, actor uuid.UUID, p Project) error {
	return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&p).Error; err != nil {
			return err
		}
		envelope, err := json.Marshal(p.created(actor))
		if err != nil {
			return err
		}
		return tx.Exec(`SELECT fanfare.record_activity(?::jsonb)`, string(envelope)).Error
	})
}
