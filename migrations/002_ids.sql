-- The lowest UUIDv7 of a millisecond (RFC 9562, 5.7): 48 bits of Unix milliseconds, everything
-- after them zero.
CREATE FUNCTION fanfare.uuidv7_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN encode(substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3) || '\x00000000000000000000'::bytea, 'hex')::uuid;

-- A UUIDv7 (RFC 9562, 5.7 with 6.2 method 3) of a time in microseconds since 1970: milliseconds,
-- then 12 bits of the fraction of a millisecond, from which the microsecond can be read again, then
-- 62 random bits. It is inlined where it is called.
CREATE FUNCTION fanfare.uuidv7_of(micros bigint) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN encode(int8send((micros / 1000 << 16) + 28672 + micros % 1000 * 4096 / 1000) || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid;

-- A UUIDv7 of now. PostgreSQL brings its own from version 18 on.
CREATE FUNCTION fanfare.uuidv7(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN fanfare.uuidv7_of((extract(epoch FROM at) * 1000000)::bigint);
END
$$;

REVOKE ALL ON FUNCTION fanfare.uuidv7_floor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fanfare.uuidv7_floor TO fanfare_retention;

---- create above / drop below ----

DROP FUNCTION fanfare.uuidv7;
DROP FUNCTION fanfare.uuidv7_of;
DROP FUNCTION fanfare.uuidv7_floor;
