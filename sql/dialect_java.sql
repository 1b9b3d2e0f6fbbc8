-- Pools of Java.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('hikari', '{"idleConnections":1,"activeConnections":1,"totalConnections":2,"threadsAwaitingConnection":0}'),
	('hikari config', '{"maximumPoolSize":2,"connectionTimeout":30000,"idleTimeout":600000,"leakDetectionThreshold":0,"maxLifetime":1800000,"minimumIdle":2,"validationTimeout":5000,"poolName":"orders"}'),
	('hikari both', '{"idleConnections":0,"activeConnections":2,"totalConnections":2,"threadsAwaitingConnection":3,"maximumPoolSize":2,"connectionTimeout":30000,"idleTimeout":600000,"leakDetectionThreshold":0,"maxLifetime":1800000,"minimumIdle":2,"validationTimeout":5000,"poolName":"orders"}'),
	('hikari cached', '{"idleConnections":1,"activeConnections":2,"totalConnections":1,"threadsAwaitingConnection":0}'),
	('hikari JMX', '{"ActiveConnections":1,"IdleConnections":1,"TotalConnections":2,"PendingConnections":0,"MaxConnections":10,"MinConnections":2}'),
	('mariadb connector/j', '{"ActiveConnections":1,"TotalConnections":2,"IdleConnections":1,"ConnectionRequests":4,"PoolTag":"p"}'),
	('tomcat', '{"active":3,"idle":1,"size":4,"waitCount":2,"borrowedCount":77,"maxActive":100,"minIdle":10,"maxIdle":100,"returnedCount":74,"createdCount":4,"releasedCount":0,"reconnectedCount":0,"removeAbandonedCount":0,"releasedIdleCount":0}'),
	('tomcat JMX', '{"NumActive":3,"NumIdle":1,"Active":3,"Idle":1,"Size":4,"WaitCount":0,"BorrowedCount":77,"MaxActive":100}'),
	('dbcp2', '{"numActive":2,"numIdle":1,"maxTotal":8,"numWaiters":0,"borrowedCount":12,"maxIdle":8,"minIdle":0,"meanBorrowWaitTimeMillis":3,"maxBorrowWaitTimeMillis":20}'),
	('dbcp2 unlimited', '{"NumActive":2,"NumIdle":0,"MaxTotal":-7}'),
	('c3p0', '{"numBusyConnectionsDefaultUser":1,"numIdleConnectionsDefaultUser":2,"numConnectionsDefaultUser":3,"numThreadsAwaitingCheckoutDefaultUser":0,"maxPoolSize":15,"minPoolSize":3}'),
	('c3p0 all users', '{"numBusyConnectionsAllUsers":5,"numBusyConnectionsDefaultUser":1,"numIdleConnectionsAllUsers":4,"numIdleConnectionsDefaultUser":2,"numConnectionsAllUsers":9,"numConnectionsDefaultUser":3,"numBusyConnections":1}'),
	('agroal', '{"activeCount":1,"availableCount":2,"awaitingCount":0,"acquireCount":4,"blockingTimeTotal":"PT1.5S","blockingTimeAverage":"PT0.375S","blockingTimeMax":"PT1S","creationCount":3,"maxUsedCount":2,"leakDetectionCount":0,"maxSize":20}'),
	('agroal seconds', '{"activeCount":1,"availableCount":2,"awaitingCount":0,"acquireCount":4,"blockingTimeTotal":1.500000000}'),
	('r2dbc', '{"acquiredSize":2,"allocatedSize":3,"idleSize":1,"pendingAcquireSize":0,"maxAllocatedSize":10,"maxPendingAcquireSize":2147483647}'),
	('r2dbc unlimited', '{"acquiredSize":2,"allocatedSize":3,"idleSize":1,"pendingAcquireSize":0,"maxAllocatedSize":2147483647,"maxPendingAcquireSize":2147483647}');
SELECT bool_and(pgpool_stats.report('java', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'java' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'java' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";
