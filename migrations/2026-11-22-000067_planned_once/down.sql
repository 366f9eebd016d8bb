DO $$
DECLARE
    asked record;
BEGIN
    FOR asked IN
        SELECT p.oid::regprocedure AS function, p.prosrc AS body, pg_get_functiondef(p.oid) AS definition
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE l.lanname = 'plpgsql' AND p.pronamespace = 'public'::regnamespace
            AND (p.proname LIKE 'organizations\_with\_%' OR p.proname IN ('claim_backtest', 'claim_import'))
    LOOP
        EXECUTE replace(replace(asked.definition, ' LANGUAGE plpgsql', ' LANGUAGE sql'), asked.body,
            substring(asked.body FROM 'RETURN QUERY (.*);\s+END'));
        EXECUTE format('ALTER FUNCTION %s RESET enable_seqscan', asked.function);
    END LOOP;
END
$$;
