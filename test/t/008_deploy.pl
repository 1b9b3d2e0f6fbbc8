# Rolling deploys: instances with new names replace old ones.  The counters of
# the pool never decrease, and it is never gone while an instance lives.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
pgpool_stats.stale_after = 1s
pgpool_stats.expire_after = 1h
});

# A generation of three instances reports until a condition holds; each report
# counts two checkouts and one wait of half a millisecond.
sql(q{
	CREATE PROCEDURE generation(gen int, until text)
	LANGUAGE plpgsql AS $$
	DECLARE
		k int := 0;
		done boolean;
	BEGIN
		LOOP
			k := k + 1;
			FOR i IN 1..3 LOOP
				-- each has had a connection with its label
				PERFORM set_config('pgpool_stats.pool', 'app', false),
					set_config('pgpool_stats.instance',
						format('web-v%s:%s', gen, i), false);
				PERFORM pgpool_stats.report('app',
					jsonb_build_object('pool_size', 5, 'open', 2,
						'checked_out', 1, 'checkouts', 2 * k, 'waits', k,
						'total_wait_time', 0.5 * k),
					format('web-v%s:%s', gen, i));
			END LOOP;
			PERFORM set_config('pgpool_stats.pool', '', false);
			EXECUTE 'SELECT ' || until INTO done;
			CONTINUE WHEN NOT done;

			-- what the pool is while these instances are fresh: once more
			-- if they are not any more
			INSERT INTO seen
			SELECT gen, status, p.instances, gone_instances, config, checkouts
			FROM pgpool_stats.pools AS p WHERE pool = 'app';
			EXIT WHEN (SELECT min(last_report) > clock_timestamp() - interval '0.9 s'
					   FROM pgpool_stats.instances
					   WHERE pool = 'app' AND instance LIKE format('web-v%s:%%', generation.gen));
			DELETE FROM seen WHERE seen.gen = generation.gen;
		END LOOP;
		INSERT INTO reports VALUES (gen, 3 * k);
	END
	$$;
	CREATE TABLE reports (gen int, n int);
	CREATE TABLE seen (gen int, status text, instances int, gone int,
					   config text, checkouts bigint);

	-- Look at the pool until somebody reports for another one.
	CREATE FUNCTION watch(OUT looks int, OUT decreased int, OUT gone int,
						  OUT missing int)
	LANGUAGE plpgsql AS $$
	DECLARE
		last numeric[] := '{0, 0, 0, 0, 0}';
		totals numeric[];
		is_gone boolean;
	BEGIN
		looks := 0; decreased := 0; gone := 0; missing := 0;
		LOOP
			EXIT WHEN EXISTS (SELECT FROM pgpool_stats.pools
							  WHERE pool = 'stop');
			SELECT ARRAY[checkouts, waits, total_wait_time, connects,
						 disconnects],
				-- stale_after is 1 s
				(status = 'gone' OR instances = 0) AND
					last_report > clock_timestamp() - interval '0.9 s'
			INTO totals, is_gone
			FROM pgpool_stats.pools WHERE pool = 'app';
			IF NOT FOUND THEN
				missing := missing + 1;
				CONTINUE;
			END IF;
			IF EXISTS (SELECT FROM unnest(totals, last) AS u (now, before)
					   WHERE now < before OR now IS NULL) THEN
				decreased := decreased + 1;
			END IF;
			IF is_gone THEN
				gone := gone + 1;
			END IF;
			last := totals;
			looks := looks + 1;
		END LOOP;
	END
	$$;
});

sub generation
{
	my ($gen, $until) = @_;

	sql("CALL generation($gen, \$\$$until\$\$)");
	return;
}

generation(1, 'true');
my @watchers = map { background() } (1, 2);
$_->query_until(qr/watching/, "\\echo watching\nSELECT * FROM watch();\n")
  foreach @watchers;

# The second generation lives on until the first one is late.
generation(
	2, q{(SELECT count(*) = 3 FROM pgpool_stats.instances
		  WHERE pool = 'app' AND instance LIKE 'web-v1:%' AND status = 'gone')});
is(sql(q{
		SELECT status, instances, gone,
			checkouts = (SELECT 2 * sum(n) FROM reports)
		FROM seen WHERE gen = 2}),
	'ok|3|3|t', 'gone instances are listed, and counted');

# With the third, gone instances expire.
set_to('expire_after', '1s');
generation(
	3, q{NOT EXISTS (SELECT FROM pgpool_stats.instances
		 WHERE pool = 'app' AND (instance LIKE 'web-v1:%' OR instance LIKE 'web-v2:%'))});
is(sql(q{
		SELECT status, instances, gone, config FROM seen WHERE gen = 3}),
	'ok|3|0|3 x 5', 'gone instances expire');

# ... and with some more, too
foreach my $gen (4 .. 6)
{
	my $old = $gen - 1;
	generation(
		$gen, qq{NOT EXISTS (SELECT FROM pgpool_stats.instances
			WHERE pool = 'app' AND instance LIKE 'web-v$old:%')});
}

# An instance that says goodbye is no loss either.
sql(q{
	SELECT pgpool_stats.forget('app', 'web-v6:1'),
		pgpool_stats.forget('app', 'web-v6:2')});
sql(q{SELECT pgpool_stats.report('stop', '{"open": 1}', 'i')});

foreach my $watcher (@watchers)
{
	my $seen = $watcher->query_until(qr/\d+\|\d+\|\d+\|\d+\n/, "\\echo\n");
	my ($looks, $decreased, $gone, $missing) =
	  $seen =~ /(\d+)\|(\d+)\|(\d+)\|(\d+)/;
	cmp_ok($looks, '>', 100, 'somebody looked all the time');
	is($decreased, 0, 'no counter of the pool ever decreased');
	is($gone, 0, 'the pool was never gone');
	is($missing, 0, 'and always there');
	$watcher->quit;
}

is(sql(q{
		SELECT checkouts - 2 * r.n, waits - r.n,
			abs(total_wait_time - 0.5 * r.n) < 0.01,
			abs(mean_wait_time - 0.5) < 0.001
		FROM pgpool_stats.pools, (SELECT sum(n) AS n FROM reports) AS r
		WHERE pool = 'app'}),
	'0|0|t|t', 'the totals of six generations are exact');

# All gone: now the pool is, and its totals stay.
wait_for(q{SELECT count(*) = 0 FROM pgpool_stats.instances WHERE pool = 'app'});
is(sql(q{
		SELECT status, instances, checkouts - 2 * r.n, max_size IS NULL,
			used_pct IS NULL
		FROM pgpool_stats.pools, (SELECT sum(n) AS n FROM reports) AS r
		WHERE pool = 'app'}),
	'gone|0|0|t|t', 'a pool outlives its instances');

$node->stop;
done_testing();
