-- The rules as they are shipped.
SELECT rule, warning, critical, clear, unit, for_time, enabled FROM pgpool_stats.rules WHERE origin = 'default';
SELECT count(*) FROM pgpool_stats.rules WHERE description IS NULL OR error IS NOT NULL;

-- silences
SELECT pgpool_stats.silence('pool_full') AS first \gset
SELECT pgpool_stats.silence('*', 'orders-*/shop', '30 min', 'maintenance') - :first AS next;
SELECT id - :first AS id, rule, pool, datname, until - created_at AS for_time, reason, created_by = current_user AS mine
FROM pgpool_stats.silences ORDER BY id;
SELECT pgpool_stats.unsilence(:first), pgpool_stats.unsilence(:first + 1);
SELECT count(*) FROM pgpool_stats.silences;
SELECT pgpool_stats.unsilence(0);
SELECT pgpool_stats.silence(NULL);
SELECT pgpool_stats.silence('pool_fall');
SELECT pgpool_stats.silence('*', '');
SELECT pgpool_stats.silence('*', E'a\nb');
SELECT pgpool_stats.silence('*', repeat('x', 192));
SELECT pgpool_stats.silence('*', '*', '0 s');
SELECT pgpool_stats.silence('*', '*', '-1 s');
SELECT pgpool_stats.silence('*', '*', '-5 min');
SELECT pgpool_stats.silence('*', '*', NULL);
-- no more than there is room for, and a place is free again when one ends
SELECT count(pgpool_stats.silence('pool_full', 'p' || n)) FROM generate_series(1, 192) n;
SELECT pgpool_stats.silence('pool_full');
SELECT count(pgpool_stats.unsilence(id)::text) FROM pgpool_stats.silences;
SELECT count(*) FROM pgpool_stats.silences;
