-- Wrong arguments raise; wrong content leaves a field unknown and is listed,
-- unless the session asked for errors.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.sqlstate_of(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ': ' || sqlerrm;
END $$;

CREATE TEMP TABLE call (n serial, what text, command text);
INSERT INTO call (what, command) VALUES
	('pool is null', $$SELECT pgpool_stats.report(NULL, '{"open": 1}')$$),
	('pool is empty', $$SELECT pgpool_stats.report('', '{"open": 1}')$$),
	('pool of 64 bytes', $$SELECT pgpool_stats.report(repeat('x', 64), '{"open": 1}')$$),
	('pool of 1 MB', $$SELECT pgpool_stats.report(repeat('x', 1000000), '{"open": 1}')$$),
	('pool is not ASCII', $$SELECT pgpool_stats.report(chr(228), '{"open": 1}')$$),
	('pool has a control character', $$SELECT pgpool_stats.report(E'a\tb', '{"open": 1}')$$),
	('stats are null', $$SELECT pgpool_stats.report('bad', NULL)$$),
	('stats are JSON null', $$SELECT pgpool_stats.report('bad', 'null')$$),
	('stats are a number', $$SELECT pgpool_stats.report('bad', '1')$$),
	('stats are true', $$SELECT pgpool_stats.report('bad', 'true')$$),
	('stats are an empty object', $$SELECT pgpool_stats.report('bad', '{}')$$),
	('stats are an empty array', $$SELECT pgpool_stats.report('bad', '[]')$$),
	('stats are an array of numbers', $$SELECT pgpool_stats.report('bad', '[1, 2]')$$),
	('stats are an unknown text', $$SELECT pgpool_stats.report('bad', '"Pool of size 3"')$$),
	('stats are JSON in a text', $$SELECT pgpool_stats.report('bad', '"{\"open\": 1}"')$$),
	('no known key', $$SELECT pgpool_stats.report('bad', '{"foo": 1, "bar": 2}')$$),
	('a key that maps to nothing', $$SELECT pgpool_stats.report('bad', '{"name": "anything at all"}')$$),
	('only common words, of what there may be', $$SELECT pgpool_stats.report('bad', '{"max": 10, "timeout": 30}')$$),
	('another database''s, but not all keys of it', $$SELECT pgpool_stats.report('bad', '{"pool_name": "a", "idle": 1}')$$),
	('only host and pid', $$SELECT pgpool_stats.report('bad', '{"host": "a", "pid": 1}')$$),
	('one row of several without a known key', $$SELECT pgpool_stats.report('bad', '[{"open": 1}, {"foo": 1}]')$$),
	('1001 rows', $$SELECT pgpool_stats.report('bad', (SELECT jsonb_agg('{"open": 1}'::jsonb) FROM generate_series(1, 1001)))$$);

CREATE TEMP TABLE content (n serial, what text, stats jsonb);
INSERT INTO content (what, stats) VALUES
	('unknown key', '{"open": 1, "opne": 2}'),
	('text for a count', '{"open": "many", "pool_size": 5}'),
	('object for a count', '{"open": {"now": 1}, "pool_size": 5}'),
	('array for a count', '{"open": [1], "pool_size": 5}'),
	('boolean for a count', '{"open": true, "pool_size": 5}'),
	('number for a boolean', '{"unlimited": 1, "pool_size": 5}'),
	('negative', '{"open": -1, "pool_size": 5}'),
	('negative counter', '{"checkouts": -1, "pool_size": 5}'),
	('negative time', '{"max_wait": -0.5, "pool_size": 5}'),
	('NaN', '{"open": "NaN", "pool_size": 5}'),
	('Infinity', '{"open": "Infinity", "pool_size": 5}'),
	('infinite time', '{"max_wait": "Infinity", "pool_size": 5}'),
	('hexadecimal', '{"open": "0x10", "pool_size": 5}'),
	('fraction', '{"open": 1.5, "pool_size": 5}'),
	('over int4', '{"open": 2147483648, "pool_size": 5}'),
	('over int8', '{"checkouts": 9223372036854775808, "pool_size": 5}'),
	('far over int8', '{"checkouts": 1e400, "pool_size": 5}'),
	('time over the range', '{"total_wait_time": 1e17, "pool_size": 5}'),
	('empty text', '{"open": "", "pool_size": 5}'),
	('more lent than open', '{"open": 2, "checked_out": 3, "pool_size": 5}'),
	('unknown dialect', '{"dialect": "klingon", "pool_size": 5}'),
	('host is an object', '{"host": {}, "pool_size": 5}'),
	('key with control characters', E'{"op\\u0007nn": 1, "pool_size": 5}'),
	('deep nesting', ('{"pool_size": 5, "open": ' || repeat('[', 5000) || repeat(']', 5000) || '}')::jsonb),
	('key of 1 MB', jsonb_build_object('pool_size', 5, repeat('k', 1000000), 1)),
	('value of 1 MB', jsonb_build_object('pool_size', 5, 'open', repeat('9', 1000000))),
	('10000 unknown keys', (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 10000) i) || '{"pool_size": 5}');

\echo -- arguments, not strict
SET pgpool_stats.strict_reports = off;
SELECT what, left(pg_temp.sqlstate_of(command), 110) AS result FROM call ORDER BY n;
\echo -- arguments, strict
SET pgpool_stats.strict_reports = on;
SELECT count(*), count(*) FILTER (WHERE pg_temp.sqlstate_of(command) LIKE '22%') AS class_22,
	count(*) FILTER (WHERE pg_temp.sqlstate_of(command) LIKE '54000%') AS too_many
FROM call;
SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'bad';

\echo -- content, strict
SELECT what, left(pg_temp.sqlstate_of(format('SELECT pgpool_stats.report(%L, %L, %L)', 'content', stats, n)), 110) AS result
FROM content ORDER BY n;
SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'content';

\echo -- content, not strict
SET pgpool_stats.strict_reports = off;
SELECT unmapped_keys AS unmapped_before FROM pgpool_stats.info \gset
SELECT bool_and(pgpool_stats.report('content', stats, n::text)) AS all_taken FROM content;
SELECT unmapped_keys > :unmapped_before AS counted FROM pgpool_stats.info;
SELECT c.what, i.open, i.checked_out AS out, i.checkouts, i.max_wait, i.pool_size AS size,
	left(i.unmapped::text, 40) AS unmapped
FROM content c LEFT JOIN pgpool_stats.instances i ON i.pool = 'content' AND i.instance = c.n::text
ORDER BY c.n;

-- the next good report clears the list
SELECT pgpool_stats.report('content', '{"open": 1}', '1');
SELECT unmapped FROM pgpool_stats.instances WHERE pool = 'content' AND instance = '1';

-- errors say what is expected
SELECT pgpool_stats.report('', '{"open": 1}');
SELECT pgpool_stats.report('bad', '1');
SELECT pgpool_stats.report('bad', '{"chekced_out": 1}');
SELECT pgpool_stats.report('bad', '{"pool_siz": 5, "cheked_out": 3}');
-- a dialect that is not known: nothing else is, or the session wants to know
SELECT pgpool_stats.report('bad', '{"dialect": "sqlalchmy"}');
SET pgpool_stats.strict_reports = on;
SELECT pgpool_stats.report('bad', '{"dialect": "sqlalchmy", "size": 5, "max_size": 5}');
RESET pgpool_stats.strict_reports;
SELECT pgpool_stats.report('bad', '"{\"open\": 1}"');
SET pgpool_stats.strict_reports = on;
SELECT pgpool_stats.report('bad', '{"open": 1, "opne": 2}');
SELECT pgpool_stats.report('bad', '{"open": -1}');
SELECT pgpool_stats.report('bad', '{"open": 2147483648}');
