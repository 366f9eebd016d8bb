-- What the worker asks several times a second, whether there is anything to do, for all organizations. Postgres plans
-- the body of a function in SQL anew at each call, which takes many times longer than finding that there is nothing;
-- that of one in PL/pgSQL it plans once for each session.
DO $$
DECLARE
    asked record;
BEGIN
    FOR asked IN
        SELECT p.oid::regprocedure AS function, p.prosrc AS body, pg_get_functiondef(p.oid) AS definition
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE l.lanname = 'sql' AND p.pronamespace = 'public'::regnamespace
            AND (p.proname LIKE 'organizations\_with\_%' OR p.proname IN ('claim_backtest', 'claim_import'))
    LOOP
        EXECUTE replace(replace(asked.definition, ' LANGUAGE sql', ' LANGUAGE plpgsql'), asked.body, format(
            E'\n#variable_conflict use_column\nBEGIN\n    RETURN QUERY %s;\nEND\n', btrim(asked.body, E' \n;')));
        -- A plan that was made while a table was small is kept while it grows.
        EXECUTE format('ALTER FUNCTION %s SET enable_seqscan = off', asked.function);
    END LOOP;
END
$$;
