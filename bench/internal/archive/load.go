package archive

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/bench/internal/bulk"
)

// Loaded counts the rows that Load wrote.
type Loaded struct {
	Principals    int `json:"principals"`
	Resources     int `json:"resources"`
	Roles         int `json:"roles"`
	Subscriptions int `json:"subscriptions"`
	Preferences   int `json:"preferences"`
	Activities    int `json:"activities"`
	Notifications int `json:"notifications"`
}

// Settings returns the settings of a PostgreSQL for an archive.
func Settings() map[string]string {
	return map[string]string{
		"shared_buffers":       "2GB",
		"max_wal_size":         "8GB",
		"maintenance_work_mem": "512MB",
		"checkpoint_timeout":   "30min",
	}
}

// Load writes the archive by COPY into an empty database, and creates the indexes of the large
// tables after their rows. It may be called once.
func (a *Archive) Load(ctx context.Context, pool *pgxpool.Pool) (Loaded, error) {
	d, h := a.directory(), &history{archive: a}
	if err := d.copy(ctx, pool); err != nil {
		return Loaded{}, err
	}
	if _, err := pool.Exec(ctx, formerMonths); err != nil {
		return Loaded{}, fmt.Errorf("create partitions: %w", err)
	}
	if err := bulk.WithoutIndexes(ctx, pool, "fanfare.activities", h.copy); err != nil {
		return Loaded{}, err
	}
	if err := bulk.WithoutIndexes(ctx, pool, "fanfare.notifications", h.copyInbox); err != nil {
		return Loaded{}, err
	}
	if _, err := pool.Exec(ctx, "VACUUM (ANALYZE)"); err != nil {
		return Loaded{}, err
	}
	_, err := pool.Exec(ctx, "CHECKPOINT")
	return Loaded{
		Principals: len(d.principals), Resources: len(d.resources), Roles: len(d.roles),
		Subscriptions: len(d.subscriptions),
		Preferences:   len(d.preferences), Activities: h.made, Notifications: len(h.notifications),
	}, err
}

// formerMonths creates the partitions of the previous months.
const formerMonths = `
DO $$
DECLARE
    month timestamp;
BEGIN
    FOR i IN 1..3 LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => i);
        EXECUTE format('CREATE TABLE fanfare.%I PARTITION OF fanfare.activities FOR VALUES FROM (%L) TO (%L)',
            'activities_' || to_char(month, '"y"YYYY"m"MM'),
            fanfare.uuidv7_floor(month AT TIME ZONE 'UTC'),
            fanfare.uuidv7_floor((month + interval '1 month') AT TIME ZONE 'UTC'));
    END LOOP;
END
$$`
