-- Pools of JavaScript.  Infinity is null in their JSON.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('node-pg', '{"totalCount":2,"idleCount":0,"waitingCount":1,"expiredCount":0,"max":2}'),
	('node-pg infinite', '{"totalCount":2,"idleCount":1,"waitingCount":0,"expiredCount":0,"max":null,"min":0}'),
	('tarn', '{"numUsed":0,"numFree":1,"numPendingAcquires":0,"numPendingCreates":0,"min":0,"max":2}'),
	('tarn full', '{"numUsed":1,"numFree":0,"numPendingAcquires":3,"numPendingCreates":1,"numPendingValidations":0,"min":0,"max":2}'),
	('sequelize', '{"size":1,"available":1,"using":0,"waiting":0,"maxSize":3,"minSize":0}'),
	('sequelize both', '{"read":{"size":2,"available":0,"using":2,"waiting":1,"maxSize":2,"minSize":0},"write":{"size":1,"available":1,"using":0,"waiting":0,"maxSize":3,"minSize":0},"host":"web-1","pid":7}'),
	('postgres.js', '{"max":10}');
SELECT bool_and(pgpool_stats.report('node', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'node' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'node' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";

-- two pools of one report, of a process that says who it is
SELECT pgpool_stats.report('two', '{"read":{"size":2,"available":0,"using":2,"waiting":1,"maxSize":2,"minSize":0},"write":{"size":1,"available":1,"using":0,"waiting":0,"maxSize":3,"minSize":0},"host":"web-1","pid":7}');
SELECT pgpool_stats.report('two', '{"read":{"size":2,"available":0,"using":2},"write":{"size":1,"available":1,"using":0}}');
SELECT instance, dialect, open, checked_out, waiting FROM pgpool_stats.instances WHERE pool = 'two' ORDER BY instance COLLATE "C";
SELECT pgpool_stats.report('two', '{"read":{"size":2,"available":0,"using":2},"write":{"size":1,"available":1,"using":0},"both":1}');
-- one side alone is the key of nobody
SELECT pgpool_stats.report('two', '{"read":1,"write":{}}');
