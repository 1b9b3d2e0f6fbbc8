-- Everybody sees the own role's pools, pg_read_all_stats sees all.
SELECT current_user AS regress_super \gset
CREATE ROLE regress_pgps_a LOGIN;
CREATE ROLE regress_pgps_b LOGIN;
CREATE ROLE regress_pgps_monitor LOGIN IN ROLE pg_monitor;
CREATE FUNCTION public.regress_definer() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS
	$$ SELECT pgpool_stats.report('mine', '{"checked_out": 3}', 'definer') $$;

\c - regress_pgps_a
SELECT pgpool_stats.report('mine', '{"checked_out": 1}', 'a');
SELECT public.regress_definer();
SELECT pool, usename, instance FROM pgpool_stats.instances WHERE pool = 'mine' ORDER BY instance COLLATE "C";
SELECT sees_all FROM pgpool_stats.info;
SELECT pgpool_stats.reset();

\c - regress_pgps_b
SELECT pgpool_stats.report('mine', '{"checked_out": 2}', 'a');
SELECT usename, checked_out FROM pgpool_stats.instances WHERE pool = 'mine';
SELECT pgpool_stats.forget('mine', 'definer') AS not_mine;
SELECT count(DISTINCT usename) AS roles FROM pgpool_stats.pools;
SELECT count(*) > 2 AS complete FROM pgpool_stats.budget;
SELECT pool FROM pgpool_stats.overview WHERE pool NOT LIKE 'pg_regress%' ORDER BY pool COLLATE "C";

\c - regress_pgps_monitor
SELECT usename, checked_out FROM pgpool_stats.instances WHERE pool = 'mine' ORDER BY usename, instance COLLATE "C";
SELECT sees_all FROM pgpool_stats.info;
-- overview folds the roles
SELECT inst, used FROM pgpool_stats.overview WHERE pool = 'mine';


\c - :regress_super
DROP FUNCTION public.regress_definer();
DROP ROLE regress_pgps_a, regress_pgps_b, regress_pgps_monitor;
-- who is gone is still readable
SELECT usename, checked_out FROM pgpool_stats.instances WHERE pool = 'mine' ORDER BY usename, instance COLLATE "C";
SELECT pgpool_stats.reset(usename => 'regress_pgps_a');
