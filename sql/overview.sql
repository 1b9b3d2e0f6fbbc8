-- What a tired person reads.
SELECT pgpool_stats.reset();
SELECT pgpool_stats.report(p, s::jsonb, i) FROM (VALUES
	('orders-api', 'web-1:1', '{"pool_size": 5, "max_overflow": 10, "checked_out": 15}'),
	('orders-api', 'web-2:1', '{"pool_size": 5, "max_overflow": 10, "checked_out": 3}'),
	('checkout', 'web-1:2', '{"max_size": 10, "checked_out": 10, "waiting": 23}'),
	('checkout', 'web-2:2', '{"max_size": 10, "checked_out": 1, "waiting": 0}'),
	('nightly-export', 'job:1', '{"max_size": 4, "checked_out": 4, "waiting": 0}'),
	('queue', 'web-1:3', '{"max_size": 10, "checked_out": 4, "waiting": 3}'),
	('queue', 'web-2:3', '{"max_size": 10, "checked_out": 4}'),
	('idle', 'web-1:4', '{"max_size": 10, "checked_out": 0, "waiting": 0}'),
	('partly', 'web-1:5', '{"max_size": 10, "checked_out": 3, "waiting": 0}'),
	('partly', 'web-2:5', '{"checkouts": 1}'),
	('search', 'web-1:6', '{"checked_out": 24}'),
	(repeat('n', 63), 'web-1:7', '{"max_size": 9999, "checked_out": 1234, "waiting": 1234}')) AS t(p, i, s);
SELECT CASE WHEN pool LIKE 'nnn%' THEN 'nnn~' ELSE pool END AS pool, inst, conns, used, fullest, wait, p95_ms,
	last_hour ~ '^[-0-9*]{10}$' AS last_hour,
	regexp_replace(status, '\d+[smhd]$', 'N') AS status
FROM pgpool_stats.overview
WHERE pool IN ('orders-api', 'checkout', 'nightly-export', 'queue', 'idle', 'partly', 'search') OR pool LIKE 'nnn%';

-- the server comes first, and no line is wider than 120 columns
SELECT pool, used LIKE '[%] %/97' AS used, status FROM pgpool_stats.overview LIMIT 1;
SELECT sum(width) + 3 * count(*) - 1 <= 120 AS fits FROM (
	SELECT key, greatest(max(length(value)), length(key)) AS width
	FROM pgpool_stats.overview o, jsonb_each_text(to_jsonb(o)) GROUP BY key) w;
SELECT count(*) FROM pgpool_stats.overview WHERE pool LIKE '%n~';

-- any client can read it
SET client_encoding = 'LATIN1';
SELECT count(*) > 5 AS readable FROM pgpool_stats.overview;
RESET client_encoding;

-- the unlabelled come last among equals
SELECT max(n) FILTER (WHERE pool IN ('idle', 'search')) < min(n) FILTER (WHERE pool LIKE 'pg_regress%') AS last
FROM (SELECT row_number() OVER () AS n, pool FROM pgpool_stats.overview) o;
