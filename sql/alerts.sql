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

-- what fired stays in incidents
ALTER SYSTEM SET pgpool_stats.alert_rules = '*: off; callers_waiting@held-up: for 0s';
SELECT pg_reload_conf();
CREATE PROCEDURE wait_for(query text) LANGUAGE plpgsql AS $$
DECLARE
	done boolean;
BEGIN
	FOR i IN 1 .. 1800 LOOP
		EXECUTE query INTO done;
		EXIT WHEN done;
		COMMIT;
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;
SELECT pgpool_stats.report('held-up', '{"max_size": 2, "checked_out": 2, "waiting": 3}', 'h-1:1');
CALL wait_for('SELECT count(*) = 1 FROM pgpool_stats.incidents WHERE pool = ''held-up''');
SELECT severity, rule, pool, datname = current_database() AS here, usename = current_user AS mine, instance, ended, times, worst, unit,
	cause, culprit, culprit_pid
FROM pgpool_stats.incidents WHERE pool = 'held-up';
SELECT count(*) AS says_the_same FROM pgpool_stats.incidents AS i JOIN pgpool_stats.alerts AS a USING (rule, pool, message, hint)
WHERE pool = 'held-up';
SELECT pgpool_stats.report('held-up', '{"max_size": 2, "checked_out": 2, "waiting": 0}', 'h-1:1');
CALL wait_for('SELECT count(ended) = 1 FROM pgpool_stats.incidents WHERE pool = ''held-up''');
SELECT count(a.*) AS alerts, i.ended > i.began AS over, worst, times
FROM pgpool_stats.incidents AS i LEFT JOIN pgpool_stats.alerts AS a USING (pool) WHERE pool = 'held-up' GROUP BY 2, 3, 4;
SELECT pgpool_stats.forget('held-up', 'h-1:1');
DROP PROCEDURE wait_for;
ALTER SYSTEM RESET pgpool_stats.alert_rules;
SELECT pg_reload_conf();
