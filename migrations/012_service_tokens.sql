-- Service tokens: opaque credentials by which a service acts as a principal of a tenant. hash is
-- SHA-256 of the token's text, which is nowhere else. A year is 366 days here, in hours because
-- days have not all the same length.
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
    hash         bytea       NOT NULL CHECK (octet_length(hash) = 32),
    CONSTRAINT service_tokens_lifetime CHECK (expires_at > created_at AND expires_at <= created_at + interval '8784 hours')
);

CREATE INDEX service_tokens_tenant ON fanfare.service_tokens (tenant_id, id);

---- create above / drop below ----

DROP TABLE fanfare.service_tokens;
