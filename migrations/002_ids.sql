-- UUIDs: those of version 7 (RFC 9562), which are ordered by time, and those of names.

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

-- Returns the SHA-1 hash of some bytes (FIPS 180-4), which UUIDs of version 5 need, and which
-- PostgreSQL has in extensions only.
CREATE FUNCTION fanfare.sha1(message bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bits   CONSTANT bigint := x'ffffffff'::bigint;
    padded CONSTANT bytea  := message
        || decode('80' || repeat('00', (119 - octet_length(message) % 64) % 64), 'hex')
        || int8send(octet_length(message)::bigint * 8);
    h0     bigint := x'67452301'::bigint;
    h1     bigint := x'efcdab89'::bigint;
    h2     bigint := x'98badcfe'::bigint;
    h3     bigint := x'10325476'::bigint;
    h4     bigint := x'c3d2e1f0'::bigint;
    w      bigint[];
    a      bigint;
    b      bigint;
    c      bigint;
    d      bigint;
    e      bigint;
    f      bigint;
    t      bigint;
BEGIN
    FOR chunk IN 0..octet_length(padded) / 64 - 1 LOOP
        FOR i IN 0..15 LOOP
            t := chunk * 64 + i * 4;
            w[i] := (get_byte(padded, t::int)::bigint << 24) | (get_byte(padded, t::int + 1) << 16)
                | (get_byte(padded, t::int + 2) << 8) | get_byte(padded, t::int + 3);
        END LOOP;
        FOR i IN 16..79 LOOP
            t := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
            w[i] := ((t << 1) | (t >> 31)) & bits;
        END LOOP;
        a := h0;
        b := h1;
        c := h2;
        d := h3;
        e := h4;
        FOR i IN 0..79 LOOP
            CASE i / 20
                WHEN 0 THEN f := (d # (b & (c # d))) + x'5a827999'::bigint;
                WHEN 1 THEN f := (b # c # d) + x'6ed9eba1'::bigint;
                WHEN 2 THEN f := ((b & c) | (d & (b | c))) + x'8f1bbcdc'::bigint;
                ELSE f := (b # c # d) + x'ca62c1d6'::bigint;
            END CASE;
            t := (((a << 5) | (a >> 27)) & bits) + f + e + w[i] & bits;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & bits;
            b := a;
            a := t;
        END LOOP;
        h0 := h0 + a & bits;
        h1 := h1 + b & bits;
        h2 := h2 + c & bits;
        h3 := h3 + d & bits;
        h4 := h4 + e & bits;
    END LOOP;
    RETURN substring(int8send(h0) FROM 5) || substring(int8send(h1) FROM 5) || substring(int8send(h2) FROM 5)
        || substring(int8send(h3) FROM 5) || substring(int8send(h4) FROM 5);
END
$$;

-- Returns the id of something whose id in the application is no UUID: the UUID of version 5 (RFC
-- 9562, section 5.5) of "<kind>:<external>" in a namespace of Fanfare. kind must be 1 to 50 of a-z,
-- 0-9, _ and -, so that no two pairs have the same name. The function is immutable: an index of the
-- expression makes the id of a view searchable. In Go, it is activity.IDOf.
CREATE FUNCTION fanfare.id_of(kind text, external text) RETURNS uuid
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hash bytea;
BEGIN
    IF kind !~ '^[a-z0-9_-]{1,50}$' THEN
        RAISE EXCEPTION 'kind must be 1 to 50 of a-z, 0-9, _ and -' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    hash := fanfare.sha1(
        uuid_send('3e369202-955b-5ac5-9bcc-fc9e93eac88c'::uuid) || convert_to(kind || ':' || external, 'UTF8'));
    hash := set_byte(hash, 6, get_byte(hash, 6) & 15 | 80);
    hash := set_byte(hash, 8, get_byte(hash, 8) & 63 | 128);
    RETURN encode(substring(hash FROM 1 FOR 16), 'hex')::uuid;
END
$$;

-- uuidv7 and uuidv7_of remain executable by PUBLIC: the default of subscriptions.id calls them,
-- also when an application inserts subscriptions itself. So do id_of and sha1, which views of the
-- directory call.
REVOKE ALL ON FUNCTION fanfare.uuidv7_floor FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.id_of;
DROP FUNCTION fanfare.sha1;
DROP FUNCTION fanfare.uuidv7;
DROP FUNCTION fanfare.uuidv7_of;
DROP FUNCTION fanfare.uuidv7_floor;
