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

-- OpenTelemetry's metrics as they are sent: each pool of each process is a row
SELECT pgpool_stats.report('otlp', '{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web-1"}},{"key":"process.pid","value":{"intValue":"7"}}]},"scopeMetrics":[{"scope":{"name":"pg","version":"1"},"metrics":[{"name":"db.client.connection.count","description":"x","unit":"{connection}","sum":{"dataPoints":[{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"a"}},{"key":"db.client.connection.state","value":{"stringValue":"used"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"3"},{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"b"}},{"key":"db.client.connection.state","value":{"stringValue":"used"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"0"},{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"a"}},{"key":"db.client.connection.state","value":{"stringValue":"idle"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"0"},{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"b"}},{"key":"db.client.connection.state","value":{"stringValue":"idle"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"50"}],"aggregationTemporality":2,"isMonotonic":false}},{"name":"db.client.connection.max","gauge":{"dataPoints":[{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"a"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"3"},{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"b"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"50"}]}}]}]},{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web-2"}},{"key":"process.pid","value":{"intValue":8}}]},"scopeMetrics":[{"scope":{"name":"pg","version":"1"},"metrics":[{"name":"db.client.connection.count","description":"x","unit":"{connection}","sum":{"dataPoints":[{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"a"}},{"key":"db.client.connection.state","value":{"stringValue":"used"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"1"},{"attributes":[{"key":"db.client.connection.pool.name","value":{"stringValue":"a"}},{"key":"db.client.connection.state","value":{"stringValue":"used"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"1"}],"aggregationTemporality":2,"isMonotonic":false}}]}]}]}');
SELECT instance, dialect, max_size, open, checked_out, status FROM pgpool_stats.instances WHERE pool = 'otlp' ORDER BY instance COLLATE "C";
-- of resources that do not say which process they are, too
SELECT pgpool_stats.report('others', '{"resourceMetrics": [{"resource": {"attributes": [{"key": "service.instance.id", "value": {"stringValue": "blue"}}]}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 1, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}, {"scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 1, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}]}');
SELECT instance FROM pgpool_stats.instances WHERE pool = 'others' ORDER BY instance COLLATE "C";
-- who forwards them, as the third argument, does not make one of them
SELECT pgpool_stats.report('forwarded', '{"resourceMetrics": [{"resource": {"attributes": [{"key": "host.name", "value": {"stringValue": "web-1"}}, {"key": "process.pid", "value": {"stringValue": "7"}}]}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 1, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}, {"resource": {"attributes": [{"key": "host.name", "value": {"stringValue": "web-2"}}, {"key": "process.pid", "value": {"stringValue": "7"}}]}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 2, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}]}', 'gateway');
SELECT instance, max_size FROM pgpool_stats.instances WHERE pool = 'forwarded' ORDER BY instance COLLATE "C";
SELECT pgpool_stats.report('services', '{"resourceMetrics": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}, {"key": "service.instance.id", "value": {"stringValue": "blue"}}]}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 1, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}, {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}, {"key": "host.name", "value": {"stringValue": "web-1"}}]}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 2, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}, {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "mail"}}]}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 3, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}, {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "mail"}}]}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 4, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}, {"resource": {"attributes": []}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 5, "attributes": [{"key": "pool.name", "value": {"stringValue": "main"}}]}]}}]}]}]}', 'gateway');
SELECT instance, max_size FROM pgpool_stats.instances WHERE pool = 'services' ORDER BY max_size;
-- long names differ by their ends
SELECT pgpool_stats.report('long', replace('{"resourceMetrics": [{"resource": {"attributes": []}, "scopeMetrics": [{"metrics": [{"name": "db.client.connection.max", "gauge": {"dataPoints": [{"asInt": 1, "attributes": [{"key": "pool.name", "value": {"stringValue": "LONG-a"}}]}, {"asInt": 2, "attributes": [{"key": "pool.name", "value": {"stringValue": "LONG-b"}}]}]}}]}]}]}', 'LONG', repeat('x', 200))::jsonb, 'gateway');
SELECT right(instance, 3) AS instance, max_size FROM pgpool_stats.instances WHERE pool = 'long' ORDER BY instance COLLATE "C";
-- a difference to the export before is no figure; nor is text
SET pgpool_stats.strict_reports = off;
SELECT pgpool_stats.report('otlp', '{"resourceMetrics":[{"resource":{"attributes":[]},"scopeMetrics":[{"scope":{"name":"pg","version":"1"},"metrics":[{"name":"db.client.connection.count","description":"x","unit":"{connection}","sum":{"dataPoints":[{"attributes":[{"key":"db.client.connection.state","value":{"stringValue":"used"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"3"}],"aggregationTemporality":1,"isMonotonic":false}},{"name":"db.client.connection.timeouts","description":"x","unit":"{connection}","sum":{"dataPoints":[{"attributes":[],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"2"}],"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","isMonotonic":true}},{"name":"db.client.connection.max","gauge":{"dataPoints":[{"attributes":[],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"3"}]}},{"name":"db.client.connection.pending_requests","gauge":{"dataPoints":[{"attributes":[],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"many"}]}}]}]}]}', 'delta');
SELECT max_size, open, checked_out, timeouts, waiting, unmapped FROM pgpool_stats.instances WHERE pool = 'otlp' AND instance = 'delta';
SET pgpool_stats.strict_reports = on;
SELECT pgpool_stats.report('error', '{"resourceMetrics":[{"resource":{"attributes":[]},"scopeMetrics":[{"scope":{"name":"pg","version":"1"},"metrics":[{"name":"db.client.connection.count","description":"x","unit":"{connection}","sum":{"dataPoints":[{"attributes":[{"key":"db.client.connection.state","value":{"stringValue":"used"}}],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"3"}],"aggregationTemporality":1,"isMonotonic":false}},{"name":"db.client.connection.timeouts","description":"x","unit":"{connection}","sum":{"dataPoints":[{"attributes":[],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"2"}],"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","isMonotonic":true}},{"name":"db.client.connection.max","gauge":{"dataPoints":[{"attributes":[],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"3"}]}},{"name":"db.client.connection.pending_requests","gauge":{"dataPoints":[{"attributes":[],"startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","asInt":"many"}]}}]}]}]}', 'delta');
-- shapes that are none of its, and more than anybody has
SELECT pgpool_stats.report('error', '{"resourceMetrics": {}}');
SELECT pgpool_stats.report('error', '{"resourceMetrics": [1, {"scopeMetrics": [{"metrics": [{"name": "db.client.connection.count", "sum": {"dataPoints": 1}}]}]}]}');
SELECT pgpool_stats.report('error', jsonb_build_object('resourceMetrics', (SELECT jsonb_agg(jsonb_build_object()) FROM generate_series(1, 1001))));
SELECT pgpool_stats.report('error', jsonb_build_object('resourceMetrics', jsonb_build_array(jsonb_build_object('scopeMetrics', jsonb_build_array(jsonb_build_object('metrics', (
	SELECT jsonb_agg(jsonb_build_object('name', 'db.client.connection.x' || i, 'gauge', '{"dataPoints": [{"asInt": 1}]}'::jsonb)) FROM generate_series(1, 1001) i)))))));

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
