# Counters as exporters get them: after a crash the views go on from the last
# save, which is a step back for whoever saw more.  rate() would take the whole
# counter for new, so what is exported begins again at 0.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
restart_after_crash = on
pgpool_stats.save_interval = 1s
});
sql(q{
CREATE ROLE shut LOGIN;
});

# a pool that will be rejected; a rejection makes none
{
	local $ENV{PGOPTIONS} = '-c pgpool_stats.pool=p';
	sql('SELECT 1', as => 'shut');
}
sql('ALTER ROLE shut CONNECTION LIMIT 0');

# One connection of the pool, one rejected, and one to report so many checkouts
sub work
{
	my ($checkouts) = @_;

	report('p', qq({"checkouts": $checkouts, "waits": $checkouts, "total_wait_time": ${checkouts}000}));
	{
		local $ENV{PGOPTIONS} = labels('p');
		sql('SELECT 1');
		isnt(
			psql('SELECT 1', as => 'shut'),
			0, 'a rejected connection');
	}
	wait_for(q{SELECT connections = 0 FROM pgpool_stats.instances WHERE pool = 'p' AND instance = 'i' AND usename = 'postgres'});
	return;
}

# checkouts, connects, xacts, disconnects, seconds waited, all rejections
sub views
{
	return sql(q{
		SELECT p.checkouts, p.connects, p.xacts, p.disconnects, p.total_wait_time / 1000,
			i.checkouts, i.connects, b.rejected
		FROM pgpool_stats.pools p JOIN pgpool_stats.instances i USING (pool, usename), pgpool_stats.budget b
		WHERE p.pool = 'p' AND p.usename = 'postgres' AND b.name = 'shut'});
}

sub exported
{
	return sql(q{
		SELECT string_agg(coalesce(value::text, '-'), '|' ORDER BY n)
		FROM unnest('{checkouts,connects,transactions,disconnects,wait_seconds,instance_checkouts,instance_connects,budget_rejected}'::text[])
			WITH ORDINALITY AS wanted(metric, n)
		LEFT JOIN (SELECT * FROM (TABLE pgpool_stats.metrics UNION ALL TABLE pgpool_stats.metrics_instances) m
			WHERE labels @> '{"pool": "p", "usename": "postgres"}' OR labels @> '{"name": "shut"}') m
			ON m.name = 'pgpool_stats_' || metric || '_total'});
}

sub rejections
{
	return sql(
		q{SELECT string_agg(value::text, '|' ORDER BY name COLLATE "C")
		  FROM pgpool_stats.metrics
		  WHERE labels @> '{"pool": "p", "usename": "shut"}' AND name = 'pgpool_stats_pool_rejected_total'
		  	OR labels @> '{"reason": "role"}'});
}

# connections and transactions whose times are in the histograms
sub connects
{
	return sql(
		q{SELECT string_agg(count::text, '|' ORDER BY name COLLATE "C")
		  FROM pgpool_stats.metrics_histograms
		  WHERE labels @> '{"pool": "p", "usename": "postgres"}' AND le = 'Infinity'});
}

sub crash
{
	my $victim = background();

	kill_hard($victim->query_safe('SELECT pg_backend_pid()'));
	eval { $victim->quit };
	return;
}

work(100);
work(110);
is(views(), '110|2|2|2|110|110|2|2', 'what the views have');
is(exported(), views(), 'is what is exported');
is(rejections(), '2|2', 'rejections of a pool, and by reason');
is(connects(), '2|2|2', 'histograms');
is(sql('SELECT notes FROM pgpool_stats.info'), '', 'nothing to note');

# saved now, and not again
wait_saved('p');
set_to('save_interval', '1h');
my $collector = sql('SELECT collector_pid FROM pgpool_stats.info');
sql("SELECT pg_terminate_backend($collector)");
wait_for("SELECT collector_pid <> $collector FROM pgpool_stats.info");
work(150);
is(exported(), '150|3|3|3|150|150|3|3', 'an exporter sees more than is saved');

crash();
is(views(), '110|2|2|2|110|110|2|2', 'after a crash the views step back');
is(exported(), '0|0|0|0|0|0|0|0', 'and exported counters begin again');
is(rejections(), '0|0', 'rejections, too');
is(connects(), '0|0|0', 'and histograms');
is(sql(q{SELECT DISTINCT sum FROM pgpool_stats.metrics_histograms WHERE labels @> '{"pool": "p", "usename": "postgres"}'}),
	'0', 'with their sums');
like(sql('SELECT notes FROM pgpool_stats.info'),
	qr/after a crash/, 'info says that there was a crash');

work(160);
is(views(), '160|3|3|3|160|160|3|3', 'the views go on');
is(exported(), '50|1|1|1|50|50|1|1', 'exported is what came since');
is(rejections(), '1|1', 'rejections, too');
is(connects(), '1|1|1', 'and histograms');

# An orderly restart is no step back, whatever was left out before.
$node->restart;
is(views(), '160|3|3|3|160|160|3|3', 'restart: the views go on');
is(exported(), '50|1|1|1|50|50|1|1', 'restart: exported counters go on');
is(rejections(), '1|1', 'rejections, too');
is(connects(), '1|1|1', 'and histograms');

# The pool keeps what its instances counted, and what of it is left out.
is(sql(q{SELECT pgpool_stats.forget('p', 'i')}), 't', 'the instance leaves');
is(sql(q{SELECT checkouts, connects FROM pgpool_stats.pools WHERE pool = 'p' AND usename = 'postgres'}),
	'160|3', 'the pool has its counters');
is(exported(), '50|1|1|1|50|-|-|1', 'and exports the same as before');
is(connects(), '1|1|1', 'histograms, too');

# A goodbye while there are connections: what was reported goes, what the server
# counted stays.
work(200);
crash();
{
	my $session = session('p');
	is( $session->query_safe(q{SELECT pgpool_stats.report('p', '{"checkouts": 210}'), pgpool_stats.forget('p', 'i'),
			pgpool_stats.report('p', '{"checkouts": 5}')}),
		't|t|t', 'a goodbye and a new beginning');
	$session->quit;
}
my ($pool, $instance) = (split /\|/, exported())[ 0, 5 ];
cmp_ok($pool, '>=', 5, 'the pool counts on');
is($instance, '5', 'the instance counts from its new beginning');

sql(q{SELECT pgpool_stats.reset()});
is(exported(), '0|0|0|0|0|0|0|0', 'after a reset nothing is left out');
work(300);
is((split /\|/, exported())[1], '1', 'and all is counted');

# A pool that makes room for another is counted on as (other).  What it counted
# was exported under its own name.
$node->append_conf('postgresql.conf', 'pgpool_stats.max_pools = 16');
$node->restart;
sql(q{SELECT pgpool_stats.report('q' || n, '{"checkouts": 10}', 'i'), pgpool_stats.forget('q' || n, 'i')
	  FROM generate_series(1, 20) n});
cmp_ok(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = '(other)' AND usename = 'postgres'}),
	'>=', 100, 'pools made room');
is(sql(q{SELECT value FROM pgpool_stats.metrics WHERE name = 'pgpool_stats_checkouts_total'
		  AND labels @> '{"pool": "(other)", "usename": "postgres"}'}),
	'0', 'nothing is exported twice');

$node->stop;
done_testing();
