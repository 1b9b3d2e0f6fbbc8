-- Erlang C: probability to wait, and the mean wait in terms of the mean use
\c "dbname=regression options=''"
SELECT c, a, round(pgpool_stats.wait_probability(c, a)::numeric, 6) AS p, round((pgpool_stats.wait_probability(c, a) / (c - a))::numeric, 6) AS wait
FROM (VALUES (1, 0.5), (2, 1), (5, 4), (10, 8), (10, 9), (20, 16), (20, 19), (50, 45)) AS v(c, a);
-- fewest connections with which at most 1 % wait
SELECT a, (SELECT min(c) FROM generate_series(1, 100) AS c WHERE pgpool_stats.wait_probability(c, a) <= 0.01) AS c
FROM unnest(ARRAY[1, 2, 4, 8, 16, 32]) AS a;
-- nothing to do, too much to do
SELECT pgpool_stats.wait_probability(1, 0) AS none, pgpool_stats.wait_probability(5, 5) AS full, pgpool_stats.wait_probability(5, 50) AS more,
	pgpool_stats.wait_probability(5, 'Infinity') AS most, pgpool_stats.wait_probability(262143, 262000) BETWEEN 0 AND 1 AS many,
	pgpool_stats.wait_probability(NULL, 1) AS unknown;
SELECT pgpool_stats.wait_probability(0, 1);
SELECT pgpool_stats.wait_probability(262144, 1);
SELECT pgpool_stats.wait_probability(5, -1);
SELECT pgpool_stats.wait_probability(5, 'NaN');
-- no advice before there is a day to go by; the server bears what its cores do
SELECT pgpool_stats.report('sizing', '{"pool_size": 5, "max_overflow": 2, "checked_out": 3, "open": 4}', 'i');
SELECT pool, datname, config, wait_probability, suggested, give_back, advice FROM pgpool_stats.sizing WHERE pool = 'sizing';
SELECT pool, datname, usename, suggested > 0 AS suggested, observed < '24 h' AS observed,
	advice ~ '^[0-9.]+ cores x 2 \+ 1 spindles keep about [0-9]+ connections busy at once' AS advice
FROM pgpool_stats.sizing WHERE pool = '(server)';
SELECT pgpool_stats.forget('sizing', 'i');
