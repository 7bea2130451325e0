-- Functions with another body and the same signature: the ones that every recording calls, and one
-- that resolves every batch.
--
-- Programs before: from @before: nothing changes for them.
-- Programs after: work without it.
--
-- Reason for do: it writes the functions of this tree, which change, with another body.
DO $$
DECLARE
    function regproc;
BEGIN
    FOREACH function IN ARRAY ARRAY['fanfare.record_fields', 'fanfare.candidates']::regproc[] LOOP
        EXECUTE regexp_replace(pg_get_functiondef(function), '\yBEGIN\y', 'BEGIN -- of the next version');
    END LOOP;
END
$$;

---- create above / drop below ----

DO $$
DECLARE
    function regproc;
BEGIN
    FOREACH function IN ARRAY ARRAY['fanfare.record_fields', 'fanfare.candidates']::regproc[] LOOP
        EXECUTE replace(pg_get_functiondef(function), 'BEGIN -- of the next version', 'BEGIN');
    END LOOP;
END
$$;
