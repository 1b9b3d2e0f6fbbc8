-- What test/dialects cannot say of a document: errors, names of rows, durations.
SET pgpool_stats.strict_reports = on;
\set SHOW_CONTEXT never

-- json.Marshal(pool.Stat()) of pgxpool is empty: all its fields are private
SELECT pgpool_stats.report('error', '{}');
-- nothing of it is known to the dialect that is forced
SELECT pgpool_stats.report('error', '{"dialect": "r2d2", "opened": 3}');
-- one side alone is the key of nobody
SELECT pgpool_stats.report('error', '{"read":1,"write":{}}');
SELECT pgpool_stats.report('error', '{"read":{"size":2,"available":0,"using":2},"write":{"size":1,"available":1,"using":0},"both":1}');
-- a list with something else in it
SELECT pgpool_stats.report('error', '[{"name":"hikaricp.connections.max","value":10},{"value":1}]');

-- two pools of one report, of a process that says who it is
SELECT pgpool_stats.report('two', '{"read":{"size":2,"available":0,"using":2,"waiting":1,"maxSize":2,"minSize":0},"write":{"size":1,"available":1,"using":0,"waiting":0,"maxSize":3,"minSize":0},"host":"web-1","pid":7}');
SELECT pgpool_stats.report('two', '{"read":{"size":2,"available":0,"using":2},"write":{"size":1,"available":1,"using":0}}');
SELECT instance, dialect, open, checked_out, waiting FROM pgpool_stats.instances WHERE pool = 'two' ORDER BY instance COLLATE "C";
-- without an instance named, rows have just their own names
SELECT pgpool_stats.report('rows', '[{"database":"a","user":"u","cl_waiting":0,"sv_active":1,"sv_idle":0},{"database":"b","user":"u","cl_waiting":0,"sv_active":2,"sv_idle":0}]');
SELECT instance, checked_out, checked_in, open FROM pgpool_stats.instances WHERE pool = 'rows' ORDER BY instance;

-- a pool of another database does not take the connection it is reported on
SELECT pgpool_stats.report('mysql', '{"pool_name":"shop","pool_size":5}', 'a');
SELECT sum(connections) AS connections FROM pgpool_stats.instances WHERE pool = 'mysql';
SELECT pgpool_stats.report('ours', '{"size": 1, "min_size": 1, "max_size": 2, "idle_size": 1}', 'a');
SELECT pgpool_stats.report('mysql', '{"pool_name":"shop","pool_size":5}', 'a');
SELECT pool, connections FROM pgpool_stats.instances WHERE pool IN ('ours', 'mysql') AND connections > 0;
SELECT pgpool_stats.forget('ours', 'a');

-- durations in every form, as milliseconds
CREATE TEMP TABLE duration (n serial, value jsonb);
INSERT INTO duration (value) VALUES
	('1'), ('1.5'), ('"1.5"'), ('1e-3'), ('0'), ('"PT1.5S"'), ('"PT1M30S"'), ('"PT2H"'), ('"P1DT1S"'),
	('"00:00:01.5"'), ('"1.02:03:04.5000000"'), ('{"secs": 1, "nanos": 5000}'), ('{"nanos": 1200000, "secs": "0"}'),
	('"100.5ms"'), ('"1h2m3s"'), ('"250us"'), ('"2ns"'),
	-- these are none
	('"PT"'), ('"P"'), ('"PT-1S"'), ('"-00:00:01"'), ('"1:2"'), ('"1:2:3:4"'), ('"::"'), ('"1..5s"'), ('"5 s"'), ('"1x"'), ('"s"'),
	('{"secs": 1, "more": 2}'), ('{"secs": "x"}'), ('{}'), ('[1]'), ('true'), ('"1e5:00:00"'), ('"9999999999999999999h"'), ('-1');
SET pgpool_stats.strict_reports = off;
SELECT bool_and(pgpool_stats.report('duration', jsonb_build_object('dialect', 'agroal', 'blockingTimeTotal', value, 'activeCount', 1), n::text)) AS all_taken FROM duration;
SELECT d.value, i.total_wait_time, i.unmapped
FROM duration d JOIN pgpool_stats.instances i ON i.pool = 'duration' AND i.instance = d.n::text ORDER BY d.n;

-- more keys than anybody has
SELECT pgpool_stats.report('shape', (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 20000) i) || '{"open": 5}', 'many');
SELECT open, left(unmapped::text, 20) AS unmapped FROM pgpool_stats.instances WHERE pool = 'shape' AND instance = 'many';
