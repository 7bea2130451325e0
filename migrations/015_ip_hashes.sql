-- Keyed hashes of IP addresses, which are stored instead of the addresses.

-- The keys of HMAC-SHA256, as its two pads (RFC 2104): the key xor bytes 0x36, and the key xor
-- bytes 0x5c. The newest key is in use.
CREATE TABLE fanfare.ip_hash_keys (
    key_id     smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inner_pad  bytea       NOT NULL,
    outer_pad  bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Adds a key of 32 random bytes and returns its id. gen_random_uuid() reads from the server's
-- cryptographically strong source of random numbers.
CREATE FUNCTION fanfare.add_ip_hash_key() RETURNS smallint
    LANGUAGE plpgsql AS $$
DECLARE
    key       bytea := sha256(
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
    added     smallint;
BEGIN
    FOR i IN 0..31 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
    END LOOP;
    INSERT INTO fanfare.ip_hash_keys AS k (inner_pad, outer_pad)
    VALUES (inner_pad, outer_pad)
    RETURNING k.key_id INTO added;
    RETURN added;
END
$$;

-- Returns the hash of an IP address and the key that it is made with, or nulls if the text is no IP
-- address. An octet with a leading zero, which some programs read as octal, is refused. An IPv4
-- address that is mapped to IPv6 has the hash of the IPv4 address.
CREATE FUNCTION fanfare.hash_ip(address text, OUT key_id smallint, OUT hash bytea)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    canonical text;
BEGIN
    IF octet_length(address) > 64 OR address !~ '^[0-9a-fA-F:.]+$' OR address ~ '(^|[.:])0[0-9]+[.]|[.]0[0-9]' THEN
        RETURN;
    END IF;
    canonical := host(address::inet);
    canonical := CASE WHEN canonical LIKE '::ffff:%.%' THEN substr(canonical, 8) ELSE canonical END;
    SELECT k.key_id, sha256(k.outer_pad || sha256(k.inner_pad || convert_to(canonical, 'UTF8')))
    INTO key_id, hash
    FROM fanfare.ip_hash_keys AS k
    ORDER BY k.key_id DESC
    LIMIT 1;
EXCEPTION WHEN data_exception THEN
    key_id := NULL;
    hash := NULL;
END
$$;

REVOKE ALL ON FUNCTION fanfare.add_ip_hash_key, fanfare.hash_ip FROM PUBLIC;

SELECT fanfare.add_ip_hash_key();

---- create above / drop below ----

DROP FUNCTION fanfare.hash_ip;
DROP FUNCTION fanfare.add_ip_hash_key;
DROP TABLE fanfare.ip_hash_keys;
