-- What the workers have done lately: for operators, not for delivery.

ALTER TABLE fanfare.workers
    ADD COLUMN version                 text             NOT NULL DEFAULT '',
    ADD COLUMN started_at              timestamptz      NOT NULL DEFAULT now(),
    ADD COLUMN settled_per_second      double precision NOT NULL DEFAULT 0, -- since its registration before
    ADD COLUMN publications_per_second double precision NOT NULL DEFAULT 0,
    -- The last migration of the worker's program, and the last one without which it does not work;
    -- 0 if they are not known.
    ADD COLUMN schema_version          int              NOT NULL DEFAULT 0,
    ADD COLUMN schema_needed           int              NOT NULL DEFAULT 0;

-- The work of all workers in periods of ten seconds, for a day. A period's place is its number
-- modulo 8640, so a row is overwritten after a day, and the table does not grow. Workers add what
-- they have done when they register. latency has the number of deliveries by time since recording,
-- in the buckets of the worker. One of the workers measures the backlog; its columns are null if it
-- could not be measured in time.
CREATE TABLE fanfare.samples (
    place        int         PRIMARY KEY CHECK (place BETWEEN 0 AND 8639),
    began_at     timestamptz NOT NULL,
    settled      bigint      NOT NULL,
    publications bigint      NOT NULL,
    latency      bigint[]    NOT NULL,
    pending      bigint,
    oldest_age   double precision, -- in seconds; 0 without a pending activity
    parked       bigint,
    dead_letters bigint
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

---- create above / drop below ----

DROP TABLE fanfare.samples;
ALTER TABLE fanfare.workers
    DROP COLUMN version,
    DROP COLUMN started_at,
    DROP COLUMN settled_per_second,
    DROP COLUMN publications_per_second,
    DROP COLUMN schema_version,
    DROP COLUMN schema_needed;
