-- UUIDs of version 7 (RFC 9562), which are ordered by time.

-- Returns the lowest UUIDv7 of a millisecond (RFC 9562, section 5.7): 48 bits of Unix time in
-- milliseconds, followed by zeros.
CREATE FUNCTION fanfare.uuidv7_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN encode(
        substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3) || '\x00000000000000000000'::bytea,
        'hex'
    )::uuid;

-- Returns a new UUIDv7 of a Unix time in microseconds (RFC 9562, section 5.7, with method 3 of
-- section 6.2): the milliseconds, 12 bits with the fraction of the millisecond, from which the
-- microsecond can be read again, and 62 random bits. Calls are inlined.
CREATE FUNCTION fanfare.uuidv7_of(micros bigint) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN encode(
        int8send((micros / 1000 << 16) + 28672 + micros % 1000 * 4096 / 1000)
            || substring(uuid_send(gen_random_uuid()) FROM 9),
        'hex'
    )::uuid;

-- Returns a new UUIDv7, of the current time by default. PostgreSQL has uuidv7() since version 18.
CREATE FUNCTION fanfare.uuidv7(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN fanfare.uuidv7_of((extract(epoch FROM at) * 1000000)::bigint);
END
$$;

-- uuidv7 and uuidv7_of remain executable by PUBLIC: the default of subscriptions.id calls them,
-- also when an application inserts subscriptions itself.
REVOKE ALL ON FUNCTION fanfare.uuidv7_floor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fanfare.uuidv7_floor TO fanfare_retention;

---- create above / drop below ----

DROP FUNCTION fanfare.uuidv7;
DROP FUNCTION fanfare.uuidv7_of;
DROP FUNCTION fanfare.uuidv7_floor;
