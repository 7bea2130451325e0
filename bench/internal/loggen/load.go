package loggen

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/bench/internal/bulk"
)

// Settings returns the settings of a PostgreSQL for a log. With wal_level minimal, a table that is
// created and filled in one transaction is not logged; without fsync, its files are not awaited;
// without autovacuum, tables are vacuumed only on request.
func Settings() map[string]string {
	return map[string]string{
		"shared_buffers": "2GB", "maintenance_work_mem": "512MB", "max_wal_size": "16GB", "checkpoint_timeout": "30min",
		"wal_level": "minimal", "max_wal_senders": "0", "fsync": "off", "full_page_writes": "off", "autovacuum": "off",
	}
}

const activities = "fanfare.activities"

// month is the part of a log in one partition.
type month struct {
	name      string // of the partition
	low, high time.Time
	generator *generator
}

// months splits the period into months.
func (l *Log) months() (list []month) {
	every := l.ended.Sub(l.began) / time.Duration(l.options.Activities)
	left := l.options.Activities
	first := time.Date(l.began.Year(), l.began.Month(), 1, 0, 0, 0, 0, time.UTC)
	for low := first; low.Before(l.ended); low = low.AddDate(0, 1, 0) {
		m := month{name: low.Format("fanfare.activities_y2006m01"), low: low, high: low.AddDate(0, 1, 0)}
		from, to := later(l.began, m.low), earlier(l.ended, m.high)
		n := min(left, int(to.Sub(from)/every))
		if !m.high.Before(l.ended) {
			n = left
		}
		left -= n
		m.generator = l.newGenerator(uint64(len(list)), from, every, n)
		list = append(list, m)
	}
	return list
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Load writes the log by COPY into empty tables: each month into a table that becomes its
// partition, several at a time. It may be called once.
func (l *Log) Load(ctx context.Context, pool *pgxpool.Pool) error {
	indexes, err := bulk.Indexes(ctx, pool, activities)
	if err != nil {
		return err
	}
	months := l.months()
	for _, m := range months {
		if err := m.clear(ctx, pool); err != nil {
			return err
		}
	}
	var attaching sync.Mutex
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(l.options.Connections)
	for _, m := range months {
		g.Go(func() error {
			conn, err := pool.Acquire(working)
			if err != nil {
				return err
			}
			defer conn.Release()
			if err := m.fill(working, conn.Conn(), indexes, l.options.IndexesFirst); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			attaching.Lock()
			defer attaching.Unlock()
			return m.attach(working, conn.Conn())
		})
	}
	return g.Wait()
}

// clear drops the month's partition, if it exists. It fails if the partition is not empty.
func (m *month) clear(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var exists, filled bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", m.name).Scan(&exists); err != nil || !exists {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+m.name+")").Scan(&filled); err != nil {
			return err
		}
		if filled {
			return fmt.Errorf("%s is not empty", m.name)
		}
		_, err := tx.Exec(ctx, "ALTER TABLE "+activities+" DETACH PARTITION "+m.name+"; DROP TABLE "+m.name)
		return err
	})
}

// fill creates the table with its rows, frozen, and its indexes.
func (m *month) fill(ctx context.Context, conn *pgx.Conn, indexes []bulk.Index, indexesFirst bool) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL max_parallel_maintenance_workers = 0; "+m.create()); err != nil {
			return err
		}
		steps := []func() error{
			func() error {
				return bulk.Copy(
					ctx,
					conn,
					fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary, FREEZE)", m.name, columns),
					m.generator.next,
				)
			},
			func() error {
				for _, i := range indexes {
					if _, err := tx.Exec(ctx, i.On(activities, m.name)); err != nil {
						return fmt.Errorf("%s: %w", i.Name, err)
					}
				}
				return nil
			},
		}
		if indexesFirst {
			steps[0], steps[1] = steps[1], steps[0]
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *month) create() string {
	return fmt.Sprintf(`
		CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
		    CONSTRAINT in_month CHECK (id >= fanfare.uuidv7_floor('%s') AND id < fanfare.uuidv7_floor('%s')))`,
		m.name, activities, m.low.Format(time.RFC3339), m.high.Format(time.RFC3339))
}

// attach attaches the table as a partition, as fanfare.ensure_partitions does.
func (m *month) attach(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s "+
				"FOR VALUES FROM (fanfare.uuidv7_floor('%s')) TO (fanfare.uuidv7_floor('%s'))",
				activities, m.name, m.low.Format(time.RFC3339), m.high.Format(time.RFC3339)),
			"ALTER TABLE " + m.name + " DROP CONSTRAINT in_month",
			"CREATE TRIGGER never_truncated BEFORE TRUNCATE ON " + m.name +
				" FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change()",
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// LoadKeys writes the idempotency keys of activities that share a correlation, and, if all, of all
// activities.
func (l *Log) LoadKeys(ctx context.Context, pool *pgxpool.Pool, all bool) error {
	return bulk.WithoutIndexes(
		ctx,
		pool,
		"fanfare.idempotency_keys",
		func(ctx context.Context, pool *pgxpool.Pool) error {
			_, err := pool.Exec(ctx, `
			INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, resource_id, activity_id, action)
			SELECT tenant_id, correlation_id, resource_id, id, action
			FROM fanfare.activities WHERE correlation_id = id AND $1
			UNION ALL
			(SELECT DISTINCT ON (tenant_id, correlation_id, action, resource_id)
			     tenant_id, correlation_id, resource_id, id, action
			 FROM fanfare.activities WHERE correlation_id <> id)`, all)
			return err
		},
	)
}
