-- Which connections are lent out, by name, beside any library's own keys.
\c "dbname=regression options=''"
SELECT pgpool_stats.report('leaks', '{"checked_out": 1, "checked_in": 2, "checked_out_pids": [17], "idle_pids": [18, 19]}', 'i');
SELECT pgpool_stats.report('leaks', '{"minconn": 1, "maxconn": 4, "idle": 1, "used": 2, "idlePids": [18]}', 'i');
SELECT dialect, checked_out, unmapped FROM pgpool_stats.instances WHERE pool = 'leaks';
-- nobody, unknown, a connection that was closed: all fine
SELECT pgpool_stats.report('leaks', '{"checked_out": 0, "checked_out_pids": [], "idle_pids": null}', 'i');
SELECT pgpool_stats.report('leaks', '{"checked_out": 1, "checked_out_pids": [0, 17, 17]}', 'i');
SELECT unmapped FROM pgpool_stats.instances WHERE pool = 'leaks';
-- what is no list of processes is not taken, and does no harm
CREATE TEMP TABLE bad (pids jsonb);
INSERT INTO bad VALUES ('17'), ('"17"'), ('{"a": 17}'), ('["17"]'), ('[17.5]'), ('[-1]'), ('[4294967296]'), ('[[17]]'), ('[null]'), ('true'),
	((SELECT jsonb_agg(i) FROM generate_series(1, 1000) AS i));
SELECT left(pids::text, 20) AS pids, pgpool_stats.report('leaks', jsonb_build_object('checked_out', 1, 'checked_out_pids', pids), 'i'),
	(SELECT unmapped FROM pgpool_stats.instances WHERE pool = 'leaks') AS unmapped FROM bad;
SET pgpool_stats.strict_reports = on;
SELECT pgpool_stats.report('leaks', '{"checked_out": 1, "idle_pids": [17, "18"]}', 'i');
-- they alone are no statistics
SELECT pgpool_stats.report('leaks', '{"checked_out_pids": [17]}', 'i');
RESET pgpool_stats.strict_reports;
SELECT pgpool_stats.forget('leaks', 'i');
-- nothing leaks here
SELECT * FROM pgpool_stats.leaks;
SELECT count(*) FROM pgpool_stats.connections WHERE suspect IS NOT NULL;
