-- Service tokens: opaque credentials with which a service acts as a principal of a tenant. hash is
-- the SHA-256 of the token, which is not stored. The longest lifetime is a year of 366 days, given
-- in hours since not all days have the same length.
CREATE TABLE fanfare.service_tokens (
    id           uuid        PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    scopes       text[]      NOT NULL,
    actions      text[], -- patterns of the actions that it may record; null permits all
    hash         bytea       NOT NULL CHECK (octet_length(hash) = 32),
    CONSTRAINT service_tokens_lifetime
        CHECK (expires_at > created_at AND expires_at <= created_at + interval '8784 hours')
);
CREATE INDEX service_tokens_tenant ON fanfare.service_tokens (tenant_id, id);

---- create above / drop below ----

DROP TABLE fanfare.service_tokens;
