-- Which instance a report is about: the argument, else host and pid of the
-- report, else the setting, else the client's address.
SELECT pgpool_stats.report('identity', '{"open": 1}');
SET pgpool_stats.instance = 'setting';
SELECT pgpool_stats.report('identity', '{"open": 2}');
SELECT pgpool_stats.report('identity', '{"open": 3, "host": "h", "pid": 7}');
SELECT pgpool_stats.report('identity', '{"open": 4, "host": "h", "pid": "8"}');
SELECT pgpool_stats.report('identity', '{"open": 5, "host": "h"}');
SELECT pgpool_stats.report('identity', '{"open": 6, "instance": "key", "host": "h", "pid": 7}');
SELECT pgpool_stats.report('identity', '{"open": 7, "instance": "key"}', 'argument');
SELECT pgpool_stats.report('identity', '{"open": 8}', '');
RESET pgpool_stats.instance;
SELECT instance, open FROM pgpool_stats.instances WHERE pool = 'identity' ORDER BY instance COLLATE "C";

-- instance names are repaired; what is too long keeps its end, the pid
SELECT pgpool_stats.report('repaired', '{"open": 1}', E'a\tb' || chr(228));
SELECT pgpool_stats.report('repaired', '{"open": 1}', repeat('x', 1000) || ':4711');
SELECT length(instance), right(instance, 10) FROM pgpool_stats.instances WHERE pool = 'repaired' ORDER BY 1;

-- a pool belongs to the role that logged in, whatever it has become
CREATE ROLE regress_pgps_other;
SET ROLE regress_pgps_other;
SELECT pgpool_stats.report('login', '{"open": 1}', 'a');
RESET ROLE;
SELECT usename = session_user AS login_role FROM pgpool_stats.pools WHERE pool = 'login';
DROP ROLE regress_pgps_other;

-- labels are cleaned, not rejected
SET pgpool_stats.pool = 'tab	bell';
SHOW pgpool_stats.pool;
SET pgpool_stats.pool_size = 'five';
SET pgpool_stats.max_overflow = '99999999999999999999';
SET pgpool_stats.app_version = '';
RESET ALL;
SHOW pgpool_stats.pool;
-- an unknown setting of ours is no error
SET pgpool_stats.poool = 'typo';

-- an unlabelled connection is named by what does not change of its application_name
\c "dbname=regression application_name='puma: cluster worker 3: 73 [store] [2 of 5 busy]'"
SELECT pool, instance, source, connections FROM pgpool_stats.instances WHERE pool LIKE 'puma%';
\c "dbname=regression application_name='orders-api - 10.1.2.3:55501'"
SELECT pool, source, connections FROM pgpool_stats.instances WHERE pool LIKE 'orders-api%';
\c "dbname=regression options='-c pgpool_stats.pool=labelled -c pgpool_stats.instance=web-1:1 -c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=10 -c pgpool_stats.app_version=7'"
SELECT pool, instance, source, status, pool_size, max_overflow, max_size, open, checked_out, app_version, as_of, connections, in_xact
FROM pgpool_stats.instances WHERE pool = 'labelled';
\c "dbname=regression options='-c pgpool_stats.pool=labelled -c pgpool_stats.instance=web-2:1 -c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=unlimited'"
SELECT pool, instance, source, status, pool_size, max_overflow, max_size, unlimited, connections
FROM pgpool_stats.instances WHERE pool = 'labelled' AND instance = 'web-2:1';
-- a label and a report of one instance meet in one row
SELECT pgpool_stats.report('labelled', '{"pool_size": 7, "checked_out": 1}', 'web-2:1');
SELECT source, pool_size, unlimited, checked_out, connections, notes FROM pgpool_stats.instances
WHERE pool = 'labelled' AND instance = 'web-2:1';
