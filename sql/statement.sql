-- One statement sees one state; the next one sees what is new.
SELECT pgpool_stats.report('one', '{"checked_out": 1, "max_size": 9}', 'a'),
	pgpool_stats.report('one', '{"checked_out": 1, "max_size": 9}', 'b');

-- info counts both
SELECT instances_used >= 2 AS both, instances_used <= instances_max AS fit FROM pgpool_stats.info;

-- what is reported between two views of a statement is in neither
WITH before AS MATERIALIZED (
	SELECT sum(checked_out) AS lent FROM pgpool_stats.pools WHERE pool = 'one'
), report AS MATERIALIZED (
	SELECT pgpool_stats.report('one', '{"checked_out": 5, "max_size": 9}', 'a') AS done FROM before
), after AS MATERIALIZED (
	SELECT sum(checked_out) AS lent, count(xact_time_p50) AS percentiles FROM pgpool_stats.instances
	WHERE pool = 'one' AND (SELECT done FROM report)
), line AS MATERIALIZED (
	SELECT trim(used) AS used FROM pgpool_stats.overview WHERE pool = 'one' AND (SELECT lent FROM after) > 0
), series AS MATERIALIZED (
	SELECT value FROM pgpool_stats.metrics
	WHERE name = 'pgpool_stats_client_connections' AND labels @> '{"pool": "one", "state": "used"}'
		AND (SELECT used FROM line) IS NOT NULL
)
SELECT before.lent, after.lent, percentiles, used, value FROM before, after, line, series;
SELECT checked_out FROM pgpool_stats.pools WHERE pool = 'one';
-- the other way round
WITH before AS MATERIALIZED (
	SELECT sum(checked_out) AS lent FROM pgpool_stats.instances WHERE pool = 'one'
), report AS MATERIALIZED (
	SELECT pgpool_stats.report('one', '{"checked_out": 9, "max_size": 9}', 'b') AS done FROM before
), after AS MATERIALIZED (
	SELECT sum(checked_out) AS lent FROM pgpool_stats.pools WHERE pool = 'one' AND (SELECT done FROM report)
)
SELECT before.lent, after.lent FROM before, after;

-- a loop that polls, and a function that reads twice
DO $$
DECLARE
	lent int;
BEGIN
	FOR i IN 1 .. 3 LOOP
		PERFORM pgpool_stats.report('one', format('{"checked_out": %s, "max_size": 9}', i)::jsonb, 'a');
		SELECT checked_out INTO lent FROM pgpool_stats.instances WHERE pool = 'one' AND instance = 'a';
		RAISE INFO '%', lent;
	END LOOP;
END $$;
CREATE FUNCTION lent_twice(OUT first bigint, OUT second bigint) LANGUAGE plpgsql AS $$
BEGIN
	first := (SELECT checked_out FROM pgpool_stats.pools WHERE pool = 'one');
	PERFORM pgpool_stats.report('one', '{"checked_out": 4, "max_size": 9}', 'a');
	second := (SELECT checked_out FROM pgpool_stats.pools WHERE pool = 'one');
END $$;
SELECT first, second FROM pgpool_stats.pools, lent_twice() WHERE pool = 'one';
-- also after an error in between
DO $$
BEGIN
	PERFORM 1 / (count(*) - count(*)) FROM pgpool_stats.pools;
EXCEPTION WHEN division_by_zero THEN
	RAISE INFO '% lent', (SELECT checked_out FROM pgpool_stats.pools WHERE pool = 'one');
END $$;
DROP FUNCTION lent_twice;

-- a cursor goes on with what it saw first, whatever happens between its rows
BEGIN;
DECLARE late CURSOR FOR
	SELECT checked_out FROM pgpool_stats.pools WHERE pool = 'one'
	UNION ALL SELECT sum(checked_out) FROM pgpool_stats.instances WHERE pool = 'one';
FETCH late;
SAVEPOINT before;
SELECT 1 / (count(*) - count(*)) FROM pgpool_stats.pools;
ROLLBACK TO before;
SELECT pgpool_stats.report('one', '{"checked_out": 1, "max_size": 9}', 'a');
SELECT checked_out FROM pgpool_stats.pools WHERE pool = 'one';
FETCH late;
COMMIT;

-- each reader of a statement sees what its own role may see
CREATE ROLE regress_pgps_reader;
GRANT CREATE ON SCHEMA public TO regress_pgps_reader;
SET ROLE regress_pgps_reader;
CREATE FUNCTION seen_by_reader() RETURNS bigint LANGUAGE sql SECURITY DEFINER
	AS $$SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'one'$$;
RESET ROLE;
SELECT count(*) AS mine, seen_by_reader() FROM pgpool_stats.instances WHERE pool = 'one';
SET ROLE regress_pgps_reader;
SELECT count(*) AS by_number FROM generate_series(0, 100) AS n, LATERAL pgpool_stats.get_instances(n);
RESET ROLE;
DROP FUNCTION seen_by_reader;
REVOKE CREATE ON SCHEMA public FROM regress_pgps_reader;
DROP ROLE regress_pgps_reader;

-- a condition on the names leaves out other pools before they are looked at
EXPLAIN (COSTS off) SELECT instance FROM pgpool_stats.instances WHERE pool = 'one';
SELECT pgpool_stats.forget('one', 'a'), pgpool_stats.forget('one', 'b');
