-- Goodbye, and starting again.
SELECT pgpool_stats.report('bye', '{"pool_size": 5, "checked_out": 1, "checkouts": 10}', 'a');
SELECT pgpool_stats.report('bye', '{"pool_size": 5, "checked_out": 2, "checkouts": 20}', 'b');
SELECT pgpool_stats.forget('bye', 'a');
SELECT pgpool_stats.forget('bye', 'a') AS again;
SELECT pgpool_stats.forget('nobody', 'a') AS unknown;
-- what it counted stays with its pool
SELECT instances, checked_out, checkouts FROM pgpool_stats.pools WHERE pool = 'bye';
SELECT pgpool_stats.forget('bye', 'b');
SELECT instances, status, checked_out, checkouts FROM pgpool_stats.pools WHERE pool = 'bye';
SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'bye';
-- without an instance: that of the session
SET pgpool_stats.instance = 'mine';
SELECT pgpool_stats.report('bye', '{"checked_out": 1}');
SELECT pgpool_stats.forget('bye');
RESET pgpool_stats.instance;
SELECT pgpool_stats.forget(NULL);
SELECT pgpool_stats.forget('');

-- with connections left, the row stays as what the server sees
\c "dbname=regression options='-c pgpool_stats.pool=bye -c pgpool_stats.instance=web:1 -c pgpool_stats.pool_size=3'"
SELECT pgpool_stats.report('bye', '{"pool_size": 3, "checked_out": 2, "checkouts": 5}', 'web:1');
SELECT pgpool_stats.forget('bye', 'web:1');
SELECT instance, source, status, pool_size, checked_out, checkouts, as_of, connections FROM pgpool_stats.instances WHERE pool = 'bye';
SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'bye';
\c "dbname=regression options=''"

-- reset: one pool, one role, everything
SELECT pgpool_stats.report('reset1', '{"checked_out": 1, "checkouts": 10}', 'a');
SELECT pgpool_stats.report('reset2', '{"checked_out": 1, "checkouts": 10}', 'a');
SELECT pgpool_stats.reset('reset1');
SELECT pool, checked_out, checkouts FROM pgpool_stats.pools WHERE pool LIKE 'reset_' ORDER BY pool COLLATE "C";
-- and counting goes on from there
SELECT pgpool_stats.report('reset1', '{"checked_out": 1, "checkouts": 13}', 'a');
SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'reset1';
SELECT pgpool_stats.reset(usename => 'regress_nobody');
-- nothing is reset, and that is said
CREATE ROLE regress_pgps_idle;
SELECT pgpool_stats.reset('nosuch');
SELECT pgpool_stats.reset('reset1', 'regress_pgps_idle');
SELECT pgpool_stats.reset(usename => 'regress_pgps_idle');
DROP ROLE regress_pgps_idle;
SELECT stats_reset AS reset_before FROM pgpool_stats.info \gset
SELECT pgpool_stats.reset(usename => session_user);
SELECT pool, checkouts FROM pgpool_stats.pools WHERE pool LIKE 'reset_' ORDER BY pool COLLATE "C";
SELECT stats_reset = :'reset_before' AS same FROM pgpool_stats.info;
SELECT pgpool_stats.reset();
SELECT stats_reset > :'reset_before' AS later, unmapped_keys FROM pgpool_stats.info;
