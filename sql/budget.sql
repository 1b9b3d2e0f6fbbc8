-- The limits, and whether a plan fits.  Everything else leaves first.
DO $$ BEGIN
	WHILE (SELECT used FROM pgpool_stats.budget WHERE scope = 'server') > 1 LOOP NULL; END LOOP;
END $$;
SELECT pgpool_stats.forget(pool, instance) IS NOT NULL AS forgotten FROM pgpool_stats.instances GROUP BY 1;
SELECT pgpool_stats.reset();
CREATE ROLE regress_pgps_app LOGIN;
CREATE ROLE regress_pgps_small LOGIN CONNECTION LIMIT 4;
CREATE ROLE regress_pgps_root LOGIN SUPERUSER CONNECTION LIMIT 4;
CREATE DATABASE regress_pgps_db CONNECTION LIMIT 30;

WITH b AS MATERIALIZED (SELECT * FROM pgpool_stats.budget)
SELECT b.scope, b.name, b.conn_limit, b.usable, b.binding, b.status, b.reserved,
	b.headroom = least(b.usable - b.used, s.usable - s.used) AS headroom,
	b.used_pct = round(100.0 * b.used / b.usable, 1) AS used_pct,
	b.committed, b.starting IS NULL AS not_server
FROM b, b s
WHERE s.scope = 'server' AND (b.scope = 'server' OR b.name::text LIKE 'regress\_pgps\_%') ORDER BY 1 DESC, 2;

-- the examples: 4 x (5 + 10) = 60; 4 x 20 = 80 leaves 17 of 97
SELECT * FROM pgpool_stats.check_budget(5, 10, 4, role => 'regress_pgps_app');
SELECT * FROM pgpool_stats.check_budget(20, instances => 4, role => 'regress_pgps_app');
SELECT * FROM pgpool_stats.check_budget(20, instances => 4);
SELECT * FROM pgpool_stats.check_budget(20, instances => 4, surge => 1, role => 'regress_pgps_app');
-- role and database limits; the least remaining first
SELECT * FROM pgpool_stats.check_budget(5, role => 'regress_pgps_small', database => 'regress_pgps_db', instances => 5);
-- superusers are exempt from both, and not planned with the emergency slots
SELECT * FROM pgpool_stats.check_budget(5, role => 'regress_pgps_root', database => 'regress_pgps_db', instances => 5);
-- unlimited fits nowhere
SELECT * FROM pgpool_stats.check_budget(5, -1, role => 'regress_pgps_app');
SELECT * FROM pgpool_stats.check_budget(-1, role => 'regress_pgps_app');
-- who does not exist yet has no limit of its own
SELECT * FROM pgpool_stats.check_budget(5, role => 'regress_nobody', database => 'regress_nowhere');
-- behind a pooler that is not known, nothing can be said
SELECT * FROM pgpool_stats.check_budget(5, via => 'pgbouncer');
SELECT requested FROM pgpool_stats.check_budget(0, role => 'regress_pgps_app');
SELECT requested, remaining, fits FROM pgpool_stats.check_budget(2147483647, 2147483647, 2147483647, role => 'regress_pgps_app');

-- what is committed: the larger of cap and what it holds; no cap: what it holds
SELECT pgpool_stats.report('capped', '{"pool_size": 5, "max_overflow": 10, "open": 3, "checked_out": 1}', 'a');
SELECT pgpool_stats.report('over', '{"max_size": 4, "open": 6, "checked_out": 6}', 'a');
SELECT pgpool_stats.report('endless', '{"unlimited": true, "open": 7, "checked_out": 6}', 'a');
SELECT committed, uncapped FROM pgpool_stats.budget WHERE scope = 'server';
SELECT committed, remaining, uncapped, note FROM pgpool_stats.check_budget(5, against => 'now');
-- a plan that stands for a pool's own commitment
SELECT committed, remaining FROM pgpool_stats.check_budget(5, 10, 2, replaces => 'capped', against => 'now');
SELECT p.plan, c.committed, c.remaining FROM (VALUES
	('{"pool": "capped", "pool_size": 5, "max_overflow": 10, "instances": 2, "replaces": true}'::jsonb),
	('{"pool": "capped", "pool_size": 5, "instances": null, "replaces": false}'),
	('[{"pool_size": 5, "replaces": "capped"}, {"pool_size": 1, "replaces": "over"}]')) AS p(plan),
	pgpool_stats.check_plan(p.plan, 'now') AS c;
-- against the largest seen, or against what is there
SELECT peak_committed >= 28 AS seen FROM
	(SELECT committed_peak AS peak_committed FROM pgpool_stats.budget WHERE scope = 'server') b;
-- forgotten first: the largest seen begins with what is there
SELECT pgpool_stats.forget('capped', 'a'), pgpool_stats.forget('over', 'a'), pgpool_stats.forget('endless', 'a');
SELECT pgpool_stats.reset();
SELECT committed FROM pgpool_stats.check_budget(5, against => 'now');

-- several pools at once; errors come without the statement of the SQL function
\set SHOW_CONTEXT never
SELECT * FROM pgpool_stats.check_plan('[
	{"pool": "api", "pool_size": 5, "max_overflow": 10, "instances": 4, "role": "regress_pgps_app"},
	{"pool": "cache", "pool_size": 4, "instances": 4, "surge": 1, "role": "regress_pgps_app", "database": "regress_pgps_db"},
	{"pool": "migrate", "pool_size": 1, "role": "regress_pgps_small"}]');
SELECT pgpool_stats.assert_plan('[{"pool_size": 5, "instances": 4, "role": "regress_pgps_app"}]');
\set VERBOSITY sqlstate
SELECT pgpool_stats.assert_plan('[{"pool_size": 5, "max_overflow": -1, "role": "regress_pgps_app"}]');
\set VERBOSITY default
SELECT pgpool_stats.assert_plan('[
	{"pool_size": 50, "instances": 4, "role": "regress_pgps_app", "database": "regress_pgps_db"},
	{"pool_size": 5, "role": "regress_pgps_small"}]');
SELECT pgpool_stats.assert_plan('[{"pool_size": 5, "max_overflow": -1, "role": "regress_pgps_app"}]');
SELECT pgpool_stats.assert_plan('[{"pool_size": 5, "via": "pgbouncer"}]');

-- bad plans
SELECT pgpool_stats.check_plan('1');
SELECT pgpool_stats.check_plan('[]');
SELECT pgpool_stats.check_plan('[1]');
SELECT pgpool_stats.check_plan('[[{"pool_size": 5}]]');
SELECT pgpool_stats.check_plan('[{}]');
SELECT pgpool_stats.check_plan('[{"size": 5}]');
SELECT pgpool_stats.check_plan('[{"pool_size": "5"}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 5.5}]');
SELECT pgpool_stats.check_plan('[{"pool_size": -2}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 5, "instances": -1}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 99999999999}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 1e30}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 5, "role": 7}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 5, "replaces": 7}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 5, "replaces": true}]');
SELECT pgpool_stats.check_plan('[{"pool_size": 5}]', 'yesterday');
SELECT pgpool_stats.check_budget(NULL);
SELECT pgpool_stats.check_budget(5, -2);

DROP DATABASE regress_pgps_db;
DROP ROLE regress_pgps_app, regress_pgps_small, regress_pgps_root;
