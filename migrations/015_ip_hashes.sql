-- Keys for the hashes of IP addresses, kept as HMAC's two pads (RFC 2104: the key xor 0x36… and
-- 0x5c…). The newest is in use.
CREATE TABLE fanfare.ip_hash_keys (
    key_id     smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inner_pad  bytea       NOT NULL,
    outer_pad  bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Adds a key of 32 random bytes (gen_random_uuid draws from the server's strong source) and returns
-- its id.
CREATE FUNCTION fanfare.add_ip_hash_key() RETURNS smallint
    LANGUAGE plpgsql AS $$
DECLARE
    key    bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    inside bytea := decode(repeat('36', 64), 'hex');
    beyond bytea := decode(repeat('5c', 64), 'hex');
    made   smallint;
BEGIN
    FOR i IN 0..31 LOOP
        inside := set_byte(inside, i, get_byte(key, i) # 54);
        beyond := set_byte(beyond, i, get_byte(key, i) # 92);
    END LOOP;
    INSERT INTO fanfare.ip_hash_keys (inner_pad, outer_pad) VALUES (inside, beyond) RETURNING key_id INTO made;
    RETURN made;
END
$$;

-- The keyed hash of an IP address (HMAC, RFC 2104) and which key it is made with; null if the text
-- is none. An octet with a zero in front, which some read as octal, is none, and an IPv4 address in
-- IPv6's clothes is the IPv4 address.
CREATE FUNCTION fanfare.hash_ip(address text, OUT key_id smallint, OUT hash bytea)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    plain text;
BEGIN
    IF address !~ '^[0-9a-fA-F:.]+$' OR address ~ '(^|[.:])0[0-9]+[.]|[.]0[0-9]' THEN
        RETURN;
    END IF;
    plain := host(address::inet);
    plain := CASE WHEN plain LIKE '::ffff:%.%' THEN substr(plain, 8) ELSE plain END;
    SELECT k.key_id, sha256(k.outer_pad || sha256(k.inner_pad || convert_to(plain, 'UTF8'))) INTO key_id, hash
    FROM fanfare.ip_hash_keys AS k ORDER BY k.key_id DESC LIMIT 1;
EXCEPTION WHEN data_exception THEN
    key_id := NULL; hash := NULL;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.add_ip_hash_key,
    fanfare.hash_ip
FROM PUBLIC;

SELECT fanfare.add_ip_hash_key();

---- create above / drop below ----

DROP FUNCTION fanfare.hash_ip;
DROP FUNCTION fanfare.add_ip_hash_key;
DROP TABLE fanfare.ip_hash_keys;
