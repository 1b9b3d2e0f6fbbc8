-- A server with 60 pools and a day behind it: the views are replaced by tables
-- of the same columns.  Figures are made of sines, so that they are always the
-- same; all of them are as busy as a page must bear.
CREATE SCHEMA fake;
SELECT format('CREATE TABLE fake.%1$I (LIKE pgpool_stats.%1$I)', viewname)
FROM pg_views WHERE schemaname = 'pgpool_stats' \gexec

CREATE TABLE fake.name AS
SELECT n, CASE n
		WHEN 1 THEN 'orders-api' WHEN 2 THEN 'checkout'
		WHEN 3 THEN '<script>alert(1)</script>'
		WHEN 4 THEN '"onmouseover="alert(1)" x=''' WHEN 5 THEN '</style></svg><img src=x onerror=alert(1)>'
		WHEN 6 THEN '&lt;b&gt;100%s %1$s \0 {{7*7}} ${x} -->' WHEN 7 THEN 'url(http://example.com/x)'
		ELSE (ARRAY['web', 'worker', 'cache', 'billing', 'export', 'search', 'mail', 'audit'])[n % 8 + 1] || '-' || n
	END AS pool,
	CASE n WHEN 3 THEN 'gr' || chr(246) || chr(223) || 'e <i>' WHEN 4 THEN '''><u>' ELSE 'shop' END AS datname,
	CASE n WHEN 5 THEN 'j' || chr(252) || 'rgen & "Co"' ELSE 'app_' || n % 5 END AS usename,
	-- how much of a pool is used, and its size
	CASE WHEN n <= 3 THEN 1.0 ELSE 0.2 + 0.6 * abs(sin(n)) END AS used, 10 + n % 3 * 5 AS size,
	CASE n WHEN 1 THEN 'stalled' WHEN 2 THEN 'exhausted' WHEN 3 THEN 'exhausted' WHEN 4 THEN 'silent' WHEN 6 THEN 'gone' ELSE 'ok' END AS status
FROM generate_series(1, 60) AS n;

INSERT INTO fake.pools
SELECT p.* FROM fake.name AS name, jsonb_populate_record(NULL::fake.pools, to_jsonb(name) || jsonb_build_object(
	'source', 'report', 'status_since', now() - n * interval '7 min', 'instances', 1 + n % 12,
	'config', format('%s x %s', 1 + n % 12, size), 'max_size', CASE WHEN n % 9 <> 8 THEN size * (1 + n % 12) END,
	'unlimited', n % 9 = 8, 'open', size, 'checked_out', round(used * size), 'checked_in', size - round(used * size),
	'waiting', CASE WHEN n % 4 <> 3 THEN greatest(0, 4 - n) * 7 END, 'max_wait', 1234.5, 'used_pct', round(100 * used),
	'fullest_pct', round(100 * used), 'fullest_instance', 'web-1:4711', 'exhausted_instances', (n <= 3)::int,
	'connections', size, 'in_xact', round(used * size / 2), 'idle_in_xact', n % 3, 'peak_connections', size,
	'peak_connections_at', now() - interval '5 h', 'checkouts', 123456 * n, 'timeouts', n % 5, 'errors', n % 2,
	'xacts', 9876543 * n, 'mean_xact_time', 3.7 * n, 'rejected', n % 6, 'via', CASE WHEN n % 10 = 1 THEN 'pgbouncer <1>' END)) AS p;

INSERT INTO fake.instances
SELECT p.* FROM fake.name AS name, generate_series(0, n % 12) AS i, jsonb_populate_record(NULL::fake.instances, to_jsonb(name) || jsonb_build_object(
	'instance', format('web-%s:<%s>', i, 4711 + n), 'max_size', size, 'checked_out', round(used * size), 'connections', 3,
	'used_pct', 100 * used - i, 'notes', CASE WHEN n = 3 THEN 'no maximum told <b>' END)) AS p;

INSERT INTO fake.history
SELECT h.* FROM fake.name AS name, LATERAL (
		SELECT interval '1 min' AS bucket, date_trunc('minute', now()) - i * interval '1 min' AS bucket_start, i FROM generate_series(0, 59) AS i
		UNION ALL
		SELECT '10 min', date_bin('10 min', now(), 'epoch') - i * interval '10 min', i FROM generate_series(0, 143) AS i WHERE i NOT BETWEEN 50 AND 55
	) AS t, LATERAL (
		SELECT abs(size * (0.5 + 0.4 * sin(n + i / 17.0) + 0.1 * sin(i * 12.9898 * n))) AS load
	) AS l, jsonb_populate_record(NULL::fake.history, to_jsonb(name) || to_jsonb(t) || jsonb_build_object(
	'instances', 3, 'max_connections', size, 'max_checked_out', round(load), 'max_in_xact', round(load),
	'max_waiting', CASE WHEN n <= 3 AND i BETWEEN 10 AND 40 THEN 1 + i % 7 WHEN n % 4 <> 3 THEN 0 END,
	'max_used_pct', CASE WHEN n % 9 <> 8 THEN least(100, round((110 * load / size)::numeric, 1)) END, 'connects', CASE WHEN n <> 6 THEN i * n % 17 ELSE 0 END,
	'rejected', (n <= 3 AND i % 31 = 0)::int, 'rejected_logins', (n % 5 = 1 AND i % 23 < 3)::int * 2, 'rejected_unavailable', (i = 70)::int * 3, 'sessions', load, 'idle_in_xact', load * 0.2, 'lock', load * 0.15 * (1 + sin(i * 3 * n)),
	'cpu', load * 0.1 * (1 + sin(i * 7 * n)), 'io', load * 0.1 * (1 - sin(i * 7 * n)), 'lwlock', load * 0.05,
	'client', load * 0.15 * (1 - sin(i * 3 * n)), 'other', load * 0.25)) AS h;
UPDATE fake.history SET cpu = NULL, io = NULL, lock = NULL, lwlock = NULL, client = NULL, other = NULL
WHERE pool LIKE 'mail-%';

INSERT INTO fake.load
SELECT l.* FROM fake.name AS name, jsonb_populate_record(NULL::fake.load, to_jsonb(name) || '{"sessions": 3.2, "cause": "cpu"}') AS l;

INSERT INTO fake.alerts
SELECT a.* FROM fake.name AS name, generate_series(1, CASE WHEN n <= 7 THEN 2 WHEN n % 5 = 0 THEN 1 ELSE 0 END) AS i,
	jsonb_populate_record(NULL::fake.alerts, to_jsonb(name) || jsonb_build_object(
	'severity', CASE WHEN n <= 3 THEN 'critical' ELSE 'warning' END, 'severity_code', CASE WHEN n <= 3 THEN 2 ELSE 1 END,
	'rule', CASE i WHEN 1 THEN 'pool_exhausted' ELSE 'leak' END, 'state', CASE WHEN n = 7 THEN 'pending' ELSE 'firing' END,
	'instance', 'web-1:4711', 'since', now() - n * interval '7 min',
	'message', format('%s on %s: 1 of %s instances full (15/15) for %s min, %s callers waiting: 12 wait for locks, all 8 looked at behind migrate <i>9c</i>', pool, datname, 1 + n % 12, n * 7, n),
	'cause', CASE i WHEN 1 THEN 'lock' END, 'culprit', CASE i WHEN 1 THEN 'migrate "m-1:77" <u>' END, 'culprit_pid', 4242,
	'hint', 'See what its connections do in the view connections, and leaks; more instances or a larger pool only if the server has room.',
	'silenced_until', CASE WHEN n = 5 THEN now() + interval '1 h' END)) AS a;

INSERT INTO fake.incidents
SELECT i.* FROM generate_series(1, 100) AS k JOIN fake.name AS name ON name.n = 1 + k % 20, jsonb_populate_record(NULL::fake.incidents, to_jsonb(name) || jsonb_build_object(
	'id', k, 'severity', CASE WHEN k % 3 = 0 THEN 'critical' ELSE 'warning' END, 'rule', 'pool_exhausted', 'instance', 'web-1:4711',
	'began', now() - k * interval '40 min', 'ended', CASE WHEN k % 30 <> 1 THEN now() - k * interval '40 min' + (k % 7 + 1) * interval '11 min' END,
	'times', 1 + k % 3, 'message', format('%s on %s: 1 of 12 instances full (15/15) for 12 min, 3 callers waiting', pool, datname),
	'cause', 'lock', 'culprit', 'migrate <m>')) AS i;

INSERT INTO fake.sizing
SELECT s.* FROM fake.name AS name, jsonb_populate_record(NULL::fake.sizing, to_jsonb(name) || jsonb_build_object(
	'suggested', size - n % 4, 'advice', format('%s of %s suffice: a load of 4.2 and at most 9 at once in a week <b>', size - n % 4, size))) AS s
UNION ALL SELECT s.* FROM jsonb_populate_record(NULL::fake.sizing, '{"pool": "(server)", "advice": "8 cores x 2 + 1 spindles keep about 17 connections busy at once"}') AS s;

INSERT INTO fake.sessions
SELECT s.* FROM fake.name AS name, jsonb_populate_record(NULL::fake.sessions, to_jsonb(name) || jsonb_build_object(
	'connections', size, 'tls_connections', 3, 'connects', 1234 * n, 'connect_time_p50', 4.1, 'connect_time_p95', 38.2 * n, 'auth_time_p95', 11.1,
	'disconnects', 1200 * n, 'sessions_abandoned', n, 'sessions_fatal', 2, 'sessions_killed', 1, 'session_age_p50', 123456, 'xacts_per_session', 88.8, 'rejected_logins', 3,
	'rejected_unavailable', n % 2)) AS s;

INSERT INTO fake.usage
SELECT u.* FROM fake.name AS name, jsonb_populate_record(NULL::fake.usage, to_jsonb(name) || jsonb_build_object(
	'cpu_time', 1e6 * n, 'wal_bytes', 12345678::bigint * n, 'shared_blks_hit', 987654 * n, 'shared_blks_read', 54321 * n, 'shared_blks_dirtied', 777 * n,
	'shared_blks_written', n, 'temp_blks_read', n, 'temp_blks_written', n, 'memory', 9999999 * n, 'xact_time', 4e6 * n)) AS u
UNION ALL SELECT u.* FROM jsonb_populate_record(NULL::fake.usage, '{"pool": "(server)", "cpu_time": 9e8, "wal_bytes": 123456789012}') AS u;

INSERT INTO fake.budget
SELECT b.* FROM (VALUES
	('{"scope": "server", "usable": 797, "used": 780, "used_pct": 97.9, "headroom": 17, "binding": "server", "status": "critical", "committed": 910, "committed_peak": 1100, "uncapped": 6, "peak_used": 790, "rejected": 12}'::jsonb),
	('{"scope": "database", "name": "shop", "usable": 797, "used": 700, "used_pct": 87.8, "headroom": 17, "binding": "server", "status": "ok", "committed": 900, "committed_peak": 1000, "uncapped": 6, "peak_used": 710, "rejected": 0}'),
	('{"scope": "role", "name": "app_1 <x>", "conn_limit": 100, "usable": 100, "used": 100, "used_pct": 100, "headroom": 0, "binding": "role", "status": "full", "committed": 120, "committed_peak": 120, "uncapped": 0, "peak_used": 100, "rejected": 12}')
) AS v (j), jsonb_populate_record(NULL::fake.budget, j || jsonb_build_object('peak_used_at', now() - interval '3 h', 'last_rejected', now() - interval '2 h')) AS b;

INSERT INTO fake.leaks
SELECT l.* FROM fake.name AS name, jsonb_populate_record(NULL::fake.leaks, to_jsonb(name) || jsonb_build_object(
	'instance', 'web-1:4711', 'at_least', n, 'candidates', n + 2, 'candidate_pids', '{101,102,103}'::int[], 'since', now() - interval '41 min',
	'evidence', '8 idle in transaction for 41 min or more', 'advice', 'restart that process, or end these connections')) AS l
WHERE n <= 3;

INSERT INTO fake.chains
SELECT c.* FROM fake.name AS name, jsonb_populate_record(NULL::fake.chains, to_jsonb(name) || jsonb_build_object(
	'bottleneck', CASE n WHEN 1 THEN 'pooler' WHEN 11 THEN 'application' END, 'instances', 12, 'max_size', 120, 'checked_out', 48, 'waiting', 3,
	'pooler', 'pgbouncer <1>', 'pool_mode', 'transaction', 'clients', 120, 'pooler_max_size', 25, 'pooler_checked_out', 25, 'pooler_waiting', 23,
	'connections', 25, 'in_xact', 20)) AS c
WHERE n IN (1, 3, 11);
INSERT INTO fake.poolers (name, product, version, reachable, last_poll, poll_time, max_client_conn, clients, error)
VALUES ('pgbouncer <1>', 'PgBouncer', '1.24.0', true, now(), 3.2, 1000, 240, NULL),
	('pgbouncer-2', 'PgBouncer', NULL, false, now() - interval '3 h', NULL, NULL, NULL, 'connection to server at "10.0.0.5" failed: <refused>');
INSERT INTO fake.rejections (first_rejected, last_rejected, count, reason, pool, datname, usename, client_addr)
SELECT now() - n * interval '11 min', now() - n * interval '10 min', n, (ARRAY['server', 'authentication', 'role'])[n % 3 + 1],
	pool, datname, usename, CASE WHEN n % 2 = 0 THEN inet '10.0.0.7' END FROM fake.name;

INSERT INTO fake.info SELECT * FROM pgpool_stats.info;
UPDATE fake.info SET last_pass = now() + interval '1 day', notes = 'parts of the load are <unknown> while track_activities is off';

SELECT format('CREATE OR REPLACE VIEW pgpool_stats.%1$I AS SELECT * FROM fake.%1$I', viewname)
FROM pg_views WHERE schemaname = 'pgpool_stats' \gexec
