-- The taxonomy: the registered actions, their defaults and the rules of their payloads. The command
-- fanfare taxonomy apply writes it from the application's taxonomy file; recording applies it to
-- every writer.
CREATE TABLE fanfare.taxonomy (
    updated_at        timestamptz NOT NULL DEFAULT now(),
    max_payload_bytes int         CHECK (max_payload_bytes BETWEEN 2 AND 1048576), -- null: as in fanfare.settings
    action            text        COLLATE "C" PRIMARY KEY,
    category          text        NOT NULL,
    severity          text        NOT NULL DEFAULT 'info',
    visibility        text        NOT NULL DEFAULT 'resource',
    -- Whether the action notifies principals whose filter mode is mutations: default, it does;
    -- optional, it does not; mandatory, it notifies those with any other mode too. null: the
    -- patterns of the worker's setting mutations decide.
    notify            text        CHECK (notify IN ('default', 'optional', 'mandatory')),
    required_keys     text[]      NOT NULL DEFAULT '{}', -- that payload_schema requires at the first level
    allowed_keys      text[],     -- that are stored of the first level, all others being dropped; null: all
    title             text        NOT NULL DEFAULT '', -- template of the event's title; '': made of the action
    summary           text        NOT NULL DEFAULT '', -- template of the event's summary
    icon              text        NOT NULL DEFAULT '', -- '': the type of the resource
    description       text        NOT NULL,
    payload_schema    jsonb       -- JSON Schema, draft 2020-12; null: any payload
);

---- create above / drop below ----

DROP TABLE fanfare.taxonomy;
