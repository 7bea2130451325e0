package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/bench/internal/loggen"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
)

// The dimensions.
const (
	pendingInOutbox  = "outbox"        // pending activities, of which the first are delivered
	recordedInLog    = "log"           // activities in the log
	subscribed       = "subscriptions" // subscriptions to other resources
	depthOfTree      = "depth"         // ancestors of each resource
	patternsOfPeople = "patterns"      // patterns of each person, all different
)

func dimensionNames() []string {
	return []string{pendingInOutbox, recordedInLog, subscribed, depthOfTree, patternsOfPeople}
}

// matchingPatterns match the actions of the fixture.
var matchingPatterns = []string{"transfer.*", "promotion.*", "resource.*"}

// growthStep is a size of a dimension, in a database of its own.
type growthStep struct {
	options   *growthOptions
	dimension string
	size      int
	name      string // of the database
	db        *stack.Database
}

func newGrowthStep(
	ctx context.Context, server *stack.Database, dimension string, size int, o *growthOptions,
) (s *growthStep, err error) {
	s = &growthStep{options: o, dimension: dimension, size: size, name: fmt.Sprintf("growth_%s_%d", dimension, size)}
	if s.db, err = server.Create(ctx, s.name); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.drop(ctx, server))
	}
	return s, nil
}

// drop drops the database, also when ctx has ended.
func (s *growthStep) drop(ctx context.Context, server *stack.Database) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	drop := "DROP DATABASE " + pgx.Identifier{s.name}.Sanitize() + " WITH (FORCE)"
	return errors.Join(s.db.Stop(), server.Exec(ctx, drop))
}

func (s *growthStep) prepare(ctx context.Context) error {
	if s.dimension == recordedInLog {
		log := loggen.New(loggen.Options{Activities: s.size})
		if err := log.Load(ctx, s.db.Pool); err != nil {
			return err
		}
	}
	world, err := prepareDrain(ctx, s.db, &drainOptions{activities: s.options.activities}, false)
	if err != nil {
		return err
	}
	switch s.dimension {
	case subscribed:
		err = s.subscribe(ctx, world)
	case depthOfTree:
		err = s.deepen(ctx, world)
	case patternsOfPeople:
		err = s.choose(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.db.Exec(ctx, "TRUNCATE fanfare.outbox"); err != nil {
		return err
	}
	return s.db.Settle(ctx, "fanfare.activities", "fanfare.subscriptions", "fanfare.resources", "fanfare.preferences")
}

// subscribe adds subscriptions of other principals to other resources of the same tenants.
func (s *growthStep) subscribe(ctx context.Context, world *fixture.World) error {
	for i, t := range world.Tenants {
		_, err := s.db.Pool.Exec(ctx, `
			INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
			SELECT $1, md5('person ' || i % 10007)::uuid, md5('resource ' || i / 10)::uuid
			FROM generate_series(1, $2::int) AS i`,
			t.ID, (s.size+len(world.Tenants)-1-i)/len(world.Tenants))
		if err != nil {
			return err
		}
	}
	return nil
}

// deepen adds ancestors between the folders and the root of each tenant.
func (s *growthStep) deepen(ctx context.Context, world *fixture.World) error {
	more := s.size - 2 // besides the folder and the root
	if more < 1 {
		return nil
	}
	for _, t := range world.Tenants {
		_, err := s.db.Pool.Exec(ctx, `
			INSERT INTO fanfare.resources (tenant_id, id, parent_id, type, name)
			SELECT $1, md5($2::uuid::text || ' ' || i)::uuid,
			    CASE i WHEN 1 THEN $2::uuid ELSE md5($2::uuid::text || ' ' || i - 1)::uuid END,
			    'folder', 'Level ' || i
			FROM generate_series(1, $3::int) AS i`, t.ID, t.Root, more)
		if err != nil {
			return err
		}
		_, err = s.db.Pool.Exec(ctx, `
			UPDATE fanfare.resources SET parent_id = md5($2::uuid::text || ' ' || $3::int)::uuid
			WHERE tenant_id = $1 AND id = ANY ($4)`, t.ID, t.Root, more, t.Folders)
		if err != nil {
			return err
		}
	}
	return nil
}

// choose gives each person patterns of its own, of which the last match.
func (s *growthStep) choose(ctx context.Context) error {
	_, err := s.db.Pool.Exec(ctx, `
		INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode, custom_actions)
		SELECT tenant_id, id, 'custom',
		    (SELECT coalesce(array_agg(left(md5(id::text), 8) || '-' || i || '.*' ORDER BY i), '{}')
		     FROM generate_series(1, $1::int) AS i) || $2::text[]
		FROM fanfare.principals
		ON CONFLICT (tenant_id, principal_id)
		DO UPDATE SET filter_mode = excluded.filter_mode, custom_actions = excluded.custom_actions`,
		s.size-len(matchingPatterns), matchingPatterns)
	return err
}
