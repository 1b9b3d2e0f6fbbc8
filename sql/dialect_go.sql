-- Pools of Go: durations are nanoseconds.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('database/sql', '{"MaxOpenConnections":1,"OpenConnections":1,"InUse":1,"Idle":0,"WaitCount":1,"WaitDuration":100319305,"MaxIdleClosed":0,"MaxIdleTimeClosed":0,"MaxLifetimeClosed":0}'),
	('database/sql unlimited', '{"MaxOpenConnections":0,"OpenConnections":3,"InUse":2,"Idle":1,"WaitCount":0,"WaitDuration":0,"MaxIdleClosed":0,"MaxIdleTimeClosed":0,"MaxLifetimeClosed":0}'),
	('database/sql metrics', '{"go_sql_max_open_connections":4,"go_sql_open_connections":3,"go_sql_in_use_connections":2,"go_sql_idle_connections":1,"go_sql_wait_count_total":2,"go_sql_wait_duration_seconds_total":0.25,"go_sql_max_idle_closed_total":0,"go_sql_max_idle_time_closed_total":0,"go_sql_max_lifetime_closed_total":0}'),
	('pgxpool v4', '{"AcquireCount":5,"AcquireDuration":109181445,"AcquiredConns":0,"CanceledAcquireCount":0,"ConstructingConns":0,"EmptyAcquireCount":3,"IdleConns":2,"MaxConns":2,"TotalConns":2}'),
	('pgxpool v5', '{"AcquireCount":5,"AcquireDuration":109181445,"AcquiredConns":2,"CanceledAcquireCount":1,"ConstructingConns":0,"EmptyAcquireCount":3,"EmptyAcquireWaitTime":99000000,"NewConnsCount":2,"MaxLifetimeDestroyCount":0,"MaxIdleDestroyCount":0,"IdleConns":0,"MaxConns":2,"TotalConns":2}'),
	('pgxpool text', '{"AcquireCount":1,"AcquireDuration":"1m1.5s","AcquiredConns":0,"IdleConns":2,"MaxConns":2,"TotalConns":2}');
SELECT bool_and(pgpool_stats.report('go', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'go' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'go' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";

-- json.Marshal(pool.Stat()) is empty: all its fields are private
SELECT pgpool_stats.report('go', '{}', 'pgxpool naive');
