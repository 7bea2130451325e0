package tenantdata

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// settled is the age from which activities are regarded as complete: a transaction that has
// assigned an id and stays open for longer makes the comparison of numbers fail, which is then
// repeated chunk by chunk.
const settled = 5 * time.Second

// EnsurePartitions creates the partitions of the log that the destination lacks for the tenant's
// activities.
func (p *Pair) EnsurePartitions(ctx context.Context) error {
	months, err := monthsOf(ctx, p.Source, p.Tenant)
	if err != nil {
		return err
	}
	for _, low := range months {
		if err := ensurePartition(ctx, p.Destination, uuidv7.Time(low)); err != nil {
			return err
		}
	}
	return nil
}

// monthsOf returns the lowest ids of the partitions in which a tenant has activities.
func monthsOf(ctx context.Context, db pg.Querier, tenant uuid.UUID) ([]uuid.UUID, error) {
	rows, err := db.Query(ctx, `
		SELECT m.low FROM fanfare.activity_partitions() AS m
		WHERE EXISTS (
		    SELECT FROM fanfare.activities AS a WHERE a.tenant_id = $1 AND a.id >= m.low AND a.id < m.high)`,
		[16]byte(tenant))
	if err != nil {
		return nil, fmt.Errorf("find the months of the log: %w", err)
	}
	months, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (id uuid.UUID, err error) {
		return id, row.Scan((*[16]byte)(&id))
	})
	if err != nil {
		return nil, fmt.Errorf("find the months of the log: %w", err)
	}
	return months, nil
}

// ensurePartition creates the partition of a month, in up to ten attempts: each waits for the lock
// of the log for a moment only.
func ensurePartition(ctx context.Context, db pg.Execer, at time.Time) (err error) {
	for range 10 {
		_, err = db.Exec(ctx, `SELECT fanfare.ensure_partition($1)`, at)
		if err == nil || !pg.Contended(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("create the partition of %s: %w", at.Format("January 2006"), err)
	}
	return nil
}

// CopyLog copies the activities from an id on, with their idempotency keys, and compares them. It
// returns the number of copied activities, and the id below which all are equal and no more are to
// be expected, from on.
func (p *Pair) CopyLog(ctx context.Context, from uuid.UUID) (copied int64, upto uuid.UUID, err error) {
	floor, err := p.settledBelow(ctx)
	if err != nil {
		return 0, from, err
	}
	upto = from
	contiguous := true
	for c := (Chunk{From: Key{from}}); ; c = (Chunk{From: c.To}) {
		if c.To, err = p.nextBound(ctx, c.From); err != nil {
			return copied, upto, err
		}
		n, equal, err := p.copyLogChunk(ctx, c)
		if err != nil {
			return copied, upto, err
		}
		copied += n
		if c.To == nil {
			return copied, upto, nil
		}
		contiguous = contiguous && equal && uuidv7.Time(c.To[0]).Before(floor)
		if contiguous {
			upto = c.To[0]
		}
	}
}

// SettleLog makes the log equal while it cannot change, and compares it: the activities below upto,
// which were compared before, by their numbers. It returns the number of activities and of those
// that were copied.
func (p *Pair) SettleLog(ctx context.Context, upto uuid.UUID) (rows, copied int64, err error) {
	older, added, err := p.settleOlder(ctx, upto)
	if err != nil {
		return 0, 0, err
	}
	for c := (Chunk{From: Key{upto}}); ; c = (Chunk{From: c.To}) {
		if c.To, err = p.nextBound(ctx, c.From); err != nil {
			return 0, 0, err
		}
		n, equal, err := p.copyLogChunk(ctx, c)
		if err == nil && !equal {
			err = p.logDifference(ctx, c)
		}
		if err != nil {
			return 0, 0, err
		}
		copied += n
		if c.To == nil {
			break
		}
	}
	newer, err := p.count(ctx, p.Destination, Chunk{From: Key{upto}})
	return older + newer, added + copied, err
}

// settleOlder compares the numbers of the activities below upto, and copies the chunks in which
// they differ: those of transactions that stayed open for long.
func (p *Pair) settleOlder(ctx context.Context, upto uuid.UUID) (rows, copied int64, err error) {
	log, older := named("activities"), Chunk{To: Key{upto}}
	there, here, err := both(p, func(db *pgx.Conn) (int64, error) { return p.count(ctx, db, older) })
	if err != nil || here == there {
		return there, 0, err
	}
	bounds, err := p.bounds(ctx, p.Source, log, older, p.ChunkRows)
	if err != nil {
		return 0, 0, err
	}
	source, destination, err := both(p, func(db *pgx.Conn) ([]Digest, error) {
		return p.digests(ctx, db, log, division{within: older, bounds: bounds}, rowsOnly)
	})
	if err != nil {
		return 0, 0, err
	}
	for i, c := range chunksOf(bounds, older) {
		if source[i] == destination[i] {
			continue
		}
		n, equal, err := p.copyLogChunk(ctx, c)
		if err == nil && !equal {
			err = p.logDifference(ctx, c)
		}
		if err != nil {
			return 0, 0, err
		}
		copied += n
	}
	return there, copied, nil
}

// settledBelow returns the time before which the source's activities are complete.
func (p *Pair) settledBelow(ctx context.Context) (at time.Time, err error) {
	err = p.Source.QueryRow(ctx, `SELECT clock_timestamp() - make_interval(secs => $1)`, settled.Seconds()).Scan(&at)
	if err != nil {
		return at, fmt.Errorf("read the source's clock: %w", err)
	}
	return at, nil
}

// nextBound returns the id at which the chunk ends that begins at a key; nil if it is the last one.
func (p *Pair) nextBound(ctx context.Context, from Key) (Key, error) {
	var id [16]byte
	err := p.Source.QueryRow(ctx, `
		SELECT a.id FROM fanfare.activities AS a WHERE a.tenant_id = $1 AND a.id >= $2
		ORDER BY a.id OFFSET $3 LIMIT 1`, [16]byte(p.Tenant), [16]byte(from[0]), p.ChunkRows).Scan(&id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("divide fanfare.activities: %w", err)
	}
	return Key{id}, nil
}

// copyLogChunk copies what the destination lacks of a chunk of the log, and reports whether the
// chunk is equal then. Activities are only added, so the destination's are never replaced.
func (p *Pair) copyLogChunk(ctx context.Context, c Chunk) (copied int64, equal bool, err error) {
	here, err := p.count(ctx, p.Destination, c)
	if err != nil {
		return 0, false, err
	}
	if here > 0 { // copied before
		if equal, err = p.logEqual(ctx, c); err != nil || equal {
			return 0, equal, err
		}
	}
	err = p.Write(ctx, func(tx pgx.Tx) error {
		copied, err = p.addActivities(ctx, tx, c, here == 0)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	if copied > 0 {
		p.Progress("activities", copied)
	}
	equal, err = p.logEqual(ctx, c)
	return copied, equal, err
}

// addActivities adds the activities of a chunk and their keys that the destination lacks; empty
// states that it has none of them.
func (p *Pair) addActivities(ctx context.Context, tx pgx.Tx, c Chunk, empty bool) (n int64, err error) {
	log := named("activities")
	into, keysInto := "fanfare.activities", "fanfare.idempotency_keys"
	if !empty {
		into, keysInto = "pg_temp.moving_activities", "pg_temp.moving_keys"
		if _, err := tx.Exec(ctx, `
			CREATE TEMPORARY TABLE moving_activities (LIKE fanfare.activities) ON COMMIT DROP;
			CREATE TEMPORARY TABLE moving_keys (LIKE fanfare.idempotency_keys) ON COMMIT DROP`); err != nil {
			return 0, fmt.Errorf("copy fanfare.activities: %w", err)
		}
	}
	if n, err = p.copyChunk(ctx, tx, log, c, into); err != nil {
		return 0, err
	}
	keys := quoted(p.columns["idempotency_keys"])
	list := ""
	for i, k := range keys {
		if i > 0 {
			list += ", "
		}
		list += "k." + k
	}
	_, err = copyRows(ctx, p.Source, "SELECT "+list+" FROM "+p.keysIn(c), tx.Conn(),
		keysInto+" ("+p.columnList(named("idempotency_keys"))+")")
	if err != nil {
		return 0, fmt.Errorf("copy fanfare.idempotency_keys: %w", err)
	}
	if empty {
		return n, nil
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO fanfare.activities SELECT * FROM pg_temp.moving_activities ON CONFLICT (tenant_id, id) DO NOTHING`)
	if err == nil {
		_, err = tx.Exec(ctx, `
			INSERT INTO fanfare.idempotency_keys SELECT * FROM pg_temp.moving_keys ON CONFLICT DO NOTHING`)
	}
	if err != nil {
		return 0, fmt.Errorf("copy fanfare.activities: %w", err)
	}
	return tag.RowsAffected(), nil
}

// logEqual reports whether a chunk of the log and its idempotency keys are equal.
func (p *Pair) logEqual(ctx context.Context, c Chunk) (bool, error) {
	type logAndKeys struct{ log, keys Digest }
	there, here, err := both(p, func(db *pgx.Conn) (found logAndKeys, err error) {
		logs, err := p.digests(ctx, db, named("activities"), division{within: c}, wholeRows)
		if err != nil {
			return found, err
		}
		found.log = logs[0]
		found.keys, err = p.keysDigest(ctx, db, c)
		return found, err
	})
	return err == nil && there == here, err
}

// logDifference returns the error for a chunk of the log that differs.
func (p *Pair) logDifference(ctx context.Context, c Chunk) error {
	there, here, err := both(p, func(db *pgx.Conn) (int64, error) { return p.count(ctx, db, c) })
	if err != nil {
		return err
	}
	return &DifferenceError{"activities", there, here}
}

// count counts the activities in a range.
func (p *Pair) count(ctx context.Context, db pg.Querier, c Chunk) (int64, error) {
	digests, err := p.digests(ctx, db, named("activities"), division{within: c}, rowsOnly)
	if err != nil {
		return 0, err
	}
	return digests[0].Rows, nil
}
