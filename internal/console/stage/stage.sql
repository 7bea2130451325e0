-- What a stage adds to the private database of the tests. A world begins with a history: its
-- activities are recorded by the real function, whose clock the session may set back.
CREATE SCHEMA stage;

DO $$
DECLARE
    definition text := pg_get_functiondef('fanfare.record_fields'::regproc);
    clock      text := $c$coalesce(nullif(current_setting('stage.clock', true), '')::timestamptz, clock_timestamp())$c$;
BEGIN
    IF definition NOT LIKE '%clock_timestamp()%' OR definition NOT LIKE '%tenant, resource, at FROM recorded;%' THEN
        RAISE EXCEPTION 'fanfare.record_fields does not read its clock as the stage expects';
    END IF;
    definition := replace(definition, 'clock_timestamp()', clock);
    -- The worker measures how long a row of the outbox waits.
    EXECUTE replace(
        definition, 'tenant, resource, at FROM recorded;', 'tenant, resource, clock_timestamp() FROM recorded;');
END
$$;

-- Records envelopes in their order and returns the ids of the activities. With backdated, each is
-- recorded at its time occurred_at.
CREATE FUNCTION stage.record(envelopes jsonb, backdated boolean) RETURNS SETOF uuid
    LANGUAGE plpgsql AS $$
DECLARE
    e jsonb;
BEGIN
    FOR e IN SELECT x.value FROM jsonb_array_elements(envelopes) WITH ORDINALITY AS x (value, n) ORDER BY x.n LOOP
        PERFORM set_config('stage.clock', CASE WHEN backdated THEN coalesce(e ->> 'occurred_at', '') ELSE '' END, true);
        RETURN NEXT fanfare.record_activity(e);
    END LOOP;
    PERFORM set_config('stage.clock', '', true);
END
$$;

-- What a world's troubles hold, so that no worker delivers it.
CREATE TABLE stage.held (tenant_id uuid NOT NULL, activity_id uuid PRIMARY KEY);

CREATE FUNCTION stage.hold() RETURNS void
    LANGUAGE sql AS $$
    UPDATE fanfare.parked SET retry_at = now() + interval '45 seconds'
    WHERE retry_at IS NOT NULL AND attempts > 0 AND activity_id IN (SELECT activity_id FROM stage.held);
    UPDATE fanfare.fan_out_jobs SET retry_at = now() + interval '45 seconds'
    WHERE activity_id IN (SELECT activity_id FROM stage.held);
$$;

CREATE FUNCTION stage.release(tenant uuid) RETURNS void
    LANGUAGE sql AS $$
    DELETE FROM stage.held WHERE tenant_id = tenant;
    UPDATE fanfare.parked SET retry_at = now() WHERE tenant_id = tenant AND retry_at IS NOT NULL;
    UPDATE fanfare.fan_out_jobs SET retry_at = now() WHERE tenant_id = tenant;
$$;

-- Reports whether every activity of a tenant is delivered, but those that are held and those that
-- wait for them.
CREATE FUNCTION stage.is_settled(tenant uuid) RETURNS boolean
    LANGUAGE sql
    RETURN NOT EXISTS (SELECT FROM fanfare.outbox WHERE tenant_id = tenant)
        AND NOT EXISTS (
            SELECT FROM fanfare.parked
            WHERE tenant_id = tenant AND retry_at IS NOT NULL
                AND activity_id NOT IN (SELECT activity_id FROM stage.held))
        AND NOT EXISTS (
            SELECT FROM fanfare.fan_out_jobs
            WHERE tenant_id = tenant AND activity_id NOT IN (SELECT activity_id FROM stage.held));
