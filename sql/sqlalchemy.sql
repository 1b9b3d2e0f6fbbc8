-- SQLAlchemy: a dict of size(), checkedin(), checkedout(), overflow() and
-- _max_overflow, or the text of status().
SET pgpool_stats.strict_reports = on;

-- fresh: overflow() starts at -pool_size
SELECT pgpool_stats.report('sqlalchemy', '{"size": 2, "checkedin": 0, "checkedout": 0, "overflow": -2, "max_overflow": 1}', 'fresh');
SELECT pgpool_stats.report('sqlalchemy', '{"size": 2, "checkedin": 0, "checkedout": 3, "overflow": 1, "max_overflow": 1}', 'full');
SELECT pgpool_stats.report('sqlalchemy', '{"size": 5, "checkedin": 1, "checkedout": 2, "overflow": -2, "max_overflow": 10, "timeout": 30.0}', 'partly');
-- pool_size 0 is no limit: 1.4 counts the open ones as overflow, 2.0 does not
SELECT pgpool_stats.report('sqlalchemy', '{"size": 0, "checkedin": 0, "checkedout": 1, "overflow": 1, "max_overflow": 10}', 'size0-1.4');
SELECT pgpool_stats.report('sqlalchemy', '{"size": 0, "checkedin": 0, "checkedout": 1, "overflow": 0, "max_overflow": -1}', 'size0-2.0');
SELECT pgpool_stats.report('sqlalchemy', '{"size": 5, "checkedin": 0, "checkedout": 7, "overflow": 2, "max_overflow": -1}', 'endless');
-- status()
SELECT pgpool_stats.report('sqlalchemy', '"Pool size: 2  Connections in pool: 0 Current Overflow: -2 Current Checked out connections: 0"', 'text-fresh');
SELECT pgpool_stats.report('sqlalchemy', to_jsonb('Pool size: 5  Connections in pool: 1 Current Overflow: 3 Current Checked out connections: 7'::text), 'text-busy');

SELECT instance, status, pool_size AS size, max_overflow AS max_over, max_size, unlimited,
	open, checked_out AS out, checked_in AS "in", overflow AS over, waiting, used_pct
FROM pgpool_stats.instances WHERE pool = 'sqlalchemy' ORDER BY instance COLLATE "C";
SELECT DISTINCT dialect, checkouts, total_wait_time, unmapped FROM pgpool_stats.instances WHERE pool = 'sqlalchemy';

-- the text does not say max_overflow; a report or a label that did still holds
SELECT pgpool_stats.report('sqlalchemy', '"Pool size: 2  Connections in pool: 1 Current Overflow: 0 Current Checked out connections: 1"', 'full');
SELECT status, pool_size, max_overflow, max_size, open, checked_out, overflow
FROM pgpool_stats.instances WHERE pool = 'sqlalchemy' AND instance = 'full';

-- pools without books say only who they are
SELECT pgpool_stats.report('booksless', '"NullPool"', 'n');
SELECT pgpool_stats.report('booksless', '"StaticPool"', 's');
SELECT pgpool_stats.report('booksless', '"SingletonThreadPool id:140507462302352 size: 1"', 't');
SELECT instance, status, pool_size, max_size, open, checked_out FROM pgpool_stats.instances
WHERE pool = 'booksless' ORDER BY instance COLLATE "C";
