# 200 sessions report 1,000 instances while others read: no counter decreases
# for a reader, and no report is lost.

use strict;
use warnings;
use PgpoolStats;

my $clients = 200;
my $rounds = 50;				# reports of each client
my $own = 5;					# instances of each client

my $node = start_node(q{
max_connections = 250
log_statement = none
pgpool_stats.max_instances = 1200
pgpool_stats.max_instances_per_role = 1200
pgpool_stats.save_interval = 1s
});
sql(q{
	-- Look at everything until somebody reports for the pool 'stop'.
	CREATE FUNCTION watch(OUT looks int, OUT decreased int, OUT vanished int)
	LANGUAGE plpgsql AS $$
	DECLARE
		last jsonb := '{}';
		now jsonb;
		last_sum numeric := 0;
		sum numeric;
		stop boolean;
	BEGIN
		looks := 0; decreased := 0; vanished := 0;
		LOOP
			SELECT coalesce(max(checkouts) FILTER (WHERE pool = 'load'), 0),
				bool_or(pool = 'stop')
			INTO sum, stop FROM pgpool_stats.pools;
			IF sum < last_sum THEN
				decreased := decreased + 1;
			END IF;
			last_sum := sum;

			SELECT coalesce(jsonb_object_agg(instance, checkouts), '{}')
			INTO now FROM pgpool_stats.instances
			WHERE pool = 'load' AND checkouts IS NOT NULL;
			SELECT decreased + count(*) FILTER (WHERE n.value < l.value),
				vanished + count(*) FILTER (WHERE n.value IS NULL)
			INTO decreased, vanished
			FROM jsonb_each(last) AS l LEFT JOIN jsonb_each(now) AS n USING (key);
			last := now;
			looks := looks + 1;
			EXIT WHEN stop;
		END LOOP;
	END
	$$;
});

my $script = $node->basedir . '/load.sql';
append_to_file(
	$script, qq{
\\set k :k + 1
\\set n :k % $own
SELECT pgpool_stats.report('load', '{"open": 1, "checkouts": :k, "waits": :n}', ':client_id/:n');
});

my @watchers = map { background() } (1 .. 2);
$_->query_until(qr/watching/, "\\echo watching\nSELECT * FROM watch();\n")
  foreach @watchers;

$node->command_checks_all(
	[
		'pgbench', '-n', '-c', $clients, '-j', '2', '-t',
		$rounds, '-D', 'k=0', '-f', $script, $node->connstr('postgres')
	],
	0,
	[ qr{processed: @{[$clients * $rounds]}/@{[$clients * $rounds]}} ],
	[qr//],
	'200 sessions report');
sql(q{SELECT pgpool_stats.report('stop', '{"open": 1}', 'i')});

foreach my $watcher (@watchers)
{
	my $seen = '';
	$seen = $watcher->query_until(qr/\d+\|\d+\|\d+\n/, "\\echo\n");
	my ($looks, $decreased, $vanished) = $seen =~ /(\d+)\|(\d+)\|(\d+)/;
	cmp_ok($looks, '>=', 5, 'somebody looked meanwhile');
	note "looked $looks times";
	is($decreased, 0, 'no counter decreased');
	is($vanished, 0, 'no instance vanished');
	$watcher->quit;
}

# each instance ends with what its last report said
my $sum = 0;
$sum += $_ foreach ($rounds - $own + 1 .. $rounds);
is(sql(q{SELECT count(*), sum(checkouts) FROM pgpool_stats.instances
		  WHERE pool = 'load' AND source = 'report'}),
	($clients * $own) . '|' . ($clients * $sum),
	'totals of the instances are exact');
is(sql(q{SELECT checkouts, reporting FROM pgpool_stats.pools
		  WHERE pool = 'load'}),
	($clients * $sum) . '|' . ($clients * $own),
	'and so are those of the pool');
is(sql('SELECT overflowed_instances FROM pgpool_stats.info'),
	'0', 'nothing overflowed');
is(sql(q{SELECT count(*) FROM pgpool_stats.instances
		  WHERE pool = 'load' AND notes IS NOT NULL}),
	'0', 'nothing was taken for something else');

# all connections came and went
becomes(q{
		SELECT sum(connects - disconnects) = sum(connections) AND
			sum(connections) = (SELECT count(*) FROM pg_stat_activity
								WHERE backend_type = 'client backend') AND
			max(peak_connections) >= 200
		FROM pgpool_stats.pools}, 't',
	'connects, disconnects and connections agree');

$node->restart;
is(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'load'}),
	$clients * $sum, 'and all of it is still there after a restart');

$node->stop;
done_testing();
