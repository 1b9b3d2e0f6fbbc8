-- Counters are carried on when the client's start again, and are not inflated
-- by reports in the wrong order or by several processes under one name.
CREATE FUNCTION pg_temp.reported(instance text, checkouts bigint, pid int DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
	SELECT pgpool_stats.report('counters',
		jsonb_strip_nulls(jsonb_build_object('checkouts', checkouts, 'pid', pid,
			'host', CASE WHEN pid IS NOT NULL THEN 'h' END)), instance);
	SELECT i.checkouts FROM pgpool_stats.instances i
	WHERE i.pool = 'counters' AND i.instance = reported.instance;
$$;

-- grows, starts again, grows
SELECT pg_temp.reported('restart', v) FROM unnest('{10, 100, 100, 5, 6, 200}'::bigint[]) v;
-- a step back that is not below the half: late, unless the same reporter repeats it
SELECT pg_temp.reported('late', v, p) FROM (VALUES (100, 1), (99, 2), (101, 1)) AS t(v, p);
SELECT pg_temp.reported('repeated', v, p) FROM (VALUES (100, 1), (90, 1), (91, 1), (95, 1)) AS t(v, p);
-- restarted to 0, reported or not
SELECT pg_temp.reported('zero', v) FROM unnest('{10, 0, 0, 3}'::bigint[]) v;

-- two processes: back above the old mark at once was no restart
SELECT pg_temp.reported('undone', v, p) FROM (VALUES (1000, 1), (10, 2), (1005, 1)) AS t(v, p);

-- four processes under one name are noticed, and the counters stand still
SELECT pg_temp.reported('shared', v, p) FROM (VALUES
	(1000, 1), (10, 2), (500, 3), (700, 4), (1001, 1), (11, 2), (501, 3), (701, 4), (1002, 1), (12, 2),
	(502, 3), (702, 4), (1003, 1)) AS t(v, p);
SELECT notes FROM pgpool_stats.instances WHERE pool = 'counters' AND instance = 'shared';
-- a whole window of good order, and they count again
SELECT pg_temp.reported('shared', 1003 + n, 1) FROM generate_series(1, 12) n;
SELECT notes FROM pgpool_stats.instances WHERE pool = 'counters' AND instance = 'shared';
-- pools without counters are noticed by who reports
SELECT pgpool_stats.report('sharedgauges', jsonb_build_object('used', 1, 'minconn', 1, 'maxconn', 5, 'host', 'h', 'pid', n % 4), 'static')
FROM generate_series(1, 12) n;
SELECT notes FROM pgpool_stats.instances WHERE pool = 'sharedgauges';
-- one process over several connections is none
SELECT pg_temp.reported('single', n, 1) FROM generate_series(1, 12) n;
SELECT notes FROM pgpool_stats.instances WHERE pool = 'counters' AND instance = 'single';

-- a counter is as large as it can be, and stays there
SELECT pg_temp.reported('largest', v) FROM unnest('{9223372036854775807, 5, 10}'::bigint[]) v;

-- a counter not reported keeps its total
SELECT pgpool_stats.report('counters', '{"checkouts": 7, "timeouts": 2}', 'partial');
SELECT pgpool_stats.report('counters', '{"checkouts": 8}', 'partial');
SELECT checkouts, timeouts, errors FROM pgpool_stats.instances WHERE pool = 'counters' AND instance = 'partial';

-- a rolled-back transaction has reported all the same
BEGIN;
SELECT pg_temp.reported('rollback', 5);
ROLLBACK;
SELECT checkouts FROM pgpool_stats.instances WHERE pool = 'counters' AND instance = 'rollback';
BEGIN READ ONLY;
SELECT pg_temp.reported('readonly', 5);
COMMIT;
