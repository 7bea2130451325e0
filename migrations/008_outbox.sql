-- Activities that are not delivered yet. A row in outbox, parked or fan_out_jobs means that its
-- activity is pending; nothing else records that.

-- Returns the lane of a resource. A lane is claimed as a whole, so the activities of a resource,
-- which share a lane, are delivered in their order.
CREATE FUNCTION fanfare.lane_of(tenant_id uuid, resource_id uuid) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (uuid_hash_extended(resource_id, uuid_hash_extended(tenant_id, 0)) & 63)::smallint;
REVOKE ALL ON FUNCTION fanfare.lane_of FROM PUBLIC;

-- Recorded activities that no worker has settled. A writer's transaction takes seq after its
-- transaction id; the hints of the claim depend on that order, and on the sequence's CACHE of 1.
-- channels is set for a replayed dead letter only: the channels that are still to be published to;
-- null means all.
CREATE TABLE fanfare.outbox (
    lane        smallint    NOT NULL,
    seq         bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1),
    activity_id uuid        NOT NULL,
    tenant_id   uuid        NOT NULL,
    resource_id uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    channels    text[],
    PRIMARY KEY (lane, seq)
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 100000,
    autovacuum_vacuum_cost_delay = 0
);

-- Activities that are retried one by one, since their own delivery fails, and the later activities
-- of their resources. retry_at is null for an activity that waits behind a parked row or a fan-out
-- job of its resource. channels are those that are still to be published to; null means all.
CREATE TABLE fanfare.parked (
    lane        smallint    NOT NULL,
    seq         bigint      NOT NULL,
    activity_id uuid        NOT NULL UNIQUE,
    tenant_id   uuid        NOT NULL,
    resource_id uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    parked_at   timestamptz NOT NULL DEFAULT now(),
    attempts    int         NOT NULL DEFAULT 0,
    retry_at    timestamptz,
    channels    text[],
    error       text        NOT NULL DEFAULT '',
    PRIMARY KEY (lane, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX parked_resource ON fanfare.parked (tenant_id, resource_id, seq);
CREATE INDEX parked_due ON fanfare.parked (lane, seq) INCLUDE (retry_at) WHERE retry_at IS NOT NULL;

-- Activities with a wide audience, which are delivered in steps outside their lane, in the order of
-- the principals' ids. The recipients up to last_principal_id have been notified; notified counts
-- them. channels are those that may be published to; null means all.
CREATE TABLE fanfare.fan_out_jobs (
    activity_id       uuid        PRIMARY KEY,
    lane              smallint    NOT NULL,
    seq               bigint      NOT NULL,
    tenant_id         uuid        NOT NULL,
    resource_id       uuid        NOT NULL,
    recorded_at       timestamptz NOT NULL,
    started_at        timestamptz NOT NULL DEFAULT now(),
    last_principal_id uuid,
    notified          bigint      NOT NULL DEFAULT 0,
    channels          text[],
    attempts          int         NOT NULL DEFAULT 0,
    retry_at          timestamptz NOT NULL DEFAULT now(),
    error             text        NOT NULL DEFAULT ''
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX fan_out_jobs_resource ON fanfare.fan_out_jobs (tenant_id, resource_id, seq);
CREATE INDEX fan_out_jobs_due ON fanfare.fan_out_jobs (retry_at);

-- Activities that cannot be delivered, with the reason. They block no other activity, and can be
-- replayed.
CREATE TABLE fanfare.dead_letters (
    activity_id uuid        PRIMARY KEY,
    lane        smallint    NOT NULL,
    seq         bigint      NOT NULL,
    tenant_id   uuid        NOT NULL,
    resource_id uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    died_at     timestamptz NOT NULL DEFAULT now(),
    attempts    int         NOT NULL,
    channels    text[],
    error       text        NOT NULL
);
CREATE INDEX dead_letters_tenant ON fanfare.dead_letters (tenant_id, died_at);

-- The workers that have run lately, which divide their probes among themselves. Delivery does not
-- depend on it, so it is not logged: it is empty after a crash and on a standby.
CREATE UNLOGGED TABLE fanfare.workers (
    id      uuid        PRIMARY KEY,
    name    text        NOT NULL,
    seen_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

---- create above / drop below ----

DROP TABLE fanfare.workers;
DROP TABLE fanfare.dead_letters;
DROP TABLE fanfare.fan_out_jobs;
DROP TABLE fanfare.parked;
DROP TABLE fanfare.outbox;
DROP FUNCTION fanfare.lane_of;
