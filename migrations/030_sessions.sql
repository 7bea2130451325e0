-- Sign-in to the console. A session is a service token that is accepted only in a cookie, and never
-- as a bearer token.
ALTER TABLE fanfare.service_tokens
    ADD COLUMN purpose text NOT NULL DEFAULT 'service' CHECK (purpose IN ('service', 'session'));

-- One-time codes: each begins one session, once, until it expires. hash is the SHA-256 of the code,
-- which is not stored. The row is deleted when the code is used.
CREATE TABLE fanfare.sign_in_codes (
    hash         bytea       PRIMARY KEY CHECK (octet_length(hash) = 32),
    tenant_id    uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    lifetime     interval    NOT NULL, -- of the session
    scopes       text[]      NOT NULL,
    CONSTRAINT sign_in_codes_lifetime
        CHECK (expires_at > created_at AND expires_at <= created_at + interval '5 minutes')
);
CREATE INDEX sign_in_codes_expiry ON fanfare.sign_in_codes (expires_at);

---- create above / drop below ----

DROP TABLE fanfare.sign_in_codes;
DELETE FROM fanfare.service_tokens WHERE purpose = 'session';
ALTER TABLE fanfare.service_tokens DROP COLUMN purpose;
