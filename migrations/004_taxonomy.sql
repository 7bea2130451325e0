-- The taxonomy: which actions there are, what each means, and what its payload must hold. fanfare
-- taxonomy apply writes it from the file that an application keeps beside its code; the function
-- that records activities reads it for every writer.

CREATE TABLE fanfare.taxonomy (
    updated_at        timestamptz NOT NULL DEFAULT now(),
    max_payload_bytes int         CHECK (max_payload_bytes BETWEEN 2 AND 1048576), -- null is the installation's
    action            text        COLLATE "C" PRIMARY KEY,
    category          text        NOT NULL,
    severity          text        NOT NULL DEFAULT 'info',
    visibility        text        NOT NULL DEFAULT 'resource',
    required_keys     text[]      NOT NULL DEFAULT '{}', -- of payload_schema: what the payload's first level must hold
    allowed_keys      text[],                          -- the first level keeps these and drops the others; null keeps all
    title             text        NOT NULL DEFAULT '', -- templates of the event's texts; '' leaves them to the action's words
    summary           text        NOT NULL DEFAULT '',
    icon              text        NOT NULL DEFAULT '', -- '' is the resource's type
    description       text        NOT NULL,
    payload_schema    jsonb                            -- JSON Schema, draft 2020-12; null asks nothing
);

---- create above / drop below ----

DROP TABLE fanfare.taxonomy;
