# With many instances: those of one pool are read without the others, what a
# statement has seen of a pool stays as it was seen, and every view can be
# stopped.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
pgpool_stats.max_instances = 3000
pgpool_stats.max_instances_per_role = 3000
});
my ($pools, $each) = (12, 100);

sql(qq{
CREATE ROLE reader LOGIN;
SELECT count(pgpool_stats.report('p' || n % $pools, '{"max_size": 9, "checked_out": 1}', 'i' || n))
FROM generate_series(0, $pools * $each - 1) AS n;
CREATE FUNCTION again(pool text, lent int) RETURNS boolean LANGUAGE sql AS \$\$
	SELECT pgpool_stats.report(pool, jsonb_build_object('max_size', 9, 'checked_out', lent), instance)
	FROM pgpool_stats.instances WHERE instances.pool = again.pool LIMIT 1
\$\$;
});
is(sql(q{SELECT count(*), count(DISTINCT (pool, instance)), sum(checked_out) FROM pgpool_stats.instances WHERE pool ~ '^p\d'}),
	"1200|1200|1200", 'all of them');
is(sql(q{SELECT count(*), sum(checked_out) FROM pgpool_stats.instances WHERE pool = 'p7'}), "$each|$each", 'those of one pool');
is(sql(q{SELECT count(*), count(DISTINCT pool) FROM pgpool_stats.instances WHERE pool IN ('p3', 'p7')}), '200|2', 'of two');
is(sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'no'}), '0', 'of none');
is(sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE usename = 'reader'}), '0', 'of a role without any');
is(sql(q{SELECT count(*) FROM pgpool_stats.instances}, as => 'reader'), '1', 'a role sees its own');
is(sql(q{
		SELECT count(*) FROM pgpool_stats.pools AS p JOIN LATERAL (
			SELECT count(*), sum(checked_out) AS lent FROM pgpool_stats.instances AS i
			WHERE i.pool = p.pool AND i.usename = p.usename AND i.datname = p.datname
		) AS i ON i.count = p.instances AND i.lent = p.checked_out
		WHERE p.pool ~ '^p\d'}),
	$pools, 'pools agree with their instances');

# one pool is seen, reports come, then the same pool and another one are
is(sql(q{
		WITH one AS MATERIALIZED (
			SELECT count(*), sum(checked_out) AS lent FROM pgpool_stats.instances WHERE pool = 'p7'
		), reports AS MATERIALIZED (
			SELECT again('p7', 4) AND again('p8', 3)
				AND pgpool_stats.report('p7', '{"checked_out": 1}', 'new')
				AND pgpool_stats.report('late', '{"checked_out": 1}', 'new') AS done
			FROM one
		), two AS MATERIALIZED (
			SELECT sum(instances) AS instances, sum(checked_out) AS lent FROM pgpool_stats.pools
			WHERE pool = 'p7' AND (SELECT done FROM reports)
		), three AS MATERIALIZED (
			SELECT sum(checked_out) AS lent, count(*) FROM pgpool_stats.instances
			WHERE pool IN ('p7', 'p8') AND (SELECT lent FROM two) > 0
		), four AS MATERIALIZED (
			SELECT sum(checked_out) AS lent FROM pgpool_stats.pools
			WHERE pool IN ('p7', 'p8') AND (SELECT lent FROM three) > 0
		)
		SELECT one.count, one.lent, two.instances, two.lent, three.count, three.lent, four.lent FROM one, two, three, four}),
	'100|100|100|100|200|202|202', 'a statement goes on seeing a pool as it was');
is(sql(q{SELECT instances, checked_out FROM pgpool_stats.pools WHERE pool = 'p7'}), '101|104', 'the next one sees what is new');

# a connection of the pool that was seen is still one
my @sessions = used(3, 'p7', instance => 'sessions');
is(sql(q{
		WITH one AS MATERIALIZED (
			SELECT sum(connections) AS n FROM pgpool_stats.instances WHERE pool = 'p7'
		)
		SELECT one.n, p.connections, count(c.pid), count(DISTINCT c.pid)
		FROM one, pgpool_stats.pools AS p LEFT JOIN pgpool_stats.connections AS c USING (pool)
		WHERE p.pool = 'p7' AND one.n > 0 GROUP BY 1, 2}),
	'3|3|3|3', 'connections agree');
is(sql(q{SELECT count(DISTINCT pid) = count(*) AND count(*) = max(p.all)
		FROM pgpool_stats.connections, (SELECT sum(connections) AS all FROM pgpool_stats.pools) AS p}),
	't', 'and are there once');

# percentiles that are asked for after pools
is(sql(q{
		WITH p AS MATERIALIZED (SELECT count(*) FROM pgpool_stats.pools)
		SELECT count(xact_time_p50) FROM pgpool_stats.instances
		WHERE pool = 'p7' AND instance = 'sessions' AND (SELECT count FROM p) > 0}),
	'1', 'percentiles come later');
$_->quit foreach @sessions;

# Every view and every function that somebody may call, as it is called: what is
# new has to be stopped, too.  What is behind a view is read by it.
my %arguments = (
	assert_plan => q{'[{"pool_size": 1}]'},
	check_budget => '1',
	check_plan => q{'[{"pool_size": 1}]'},
	check_status => '',
	drain => q{'p1', 'none'},
	forget => q{'p1', 'none'},
	openmetrics => '',
	prometheus => '',
	report => q{'p1', '{"checked_out": 1}', 'i1'},
	report_html => '',
	reset => q{'none'},
	silence => q{'leak', 'none'},
	terminate => q{'p1'},
	unsilence => q{pgpool_stats.silence('leak', 'none')},
	wait_probability => '10, 5');
my %stopped = map { $_ => "count(*) FROM pgpool_stats.$_" }
  split /\n/, sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'pgpool_stats'::regnamespace AND relkind IN ('v', 'm', 'r')});
foreach my $function (split /\n/, sql(q{
	SELECT DISTINCT proname FROM pg_proc
	WHERE pronamespace = 'pgpool_stats'::regnamespace AND proname !~ '^(get|set)_'}))
{
	ok(exists $arguments{$function}, "it is known how to call $function") or next;
	$stopped{$function} = "count(*) FROM pgpool_stats.$function($arguments{$function})";
}
cmp_ok(scalar keys %stopped, '>=', 30, 'views and functions');

# each in an endless loop, whatever it says of what it is called with (a plan
# that does not fit is an error): by a time limit, and by somebody
foreach my $name (sort keys %stopped)
{
	my $endless = "DO \$\$ BEGIN LOOP BEGIN PERFORM $stopped{$name}; EXCEPTION WHEN OTHERS THEN END; END LOOP; END \$\$";
	my $said = '';

	like((psql("SET client_min_messages = warning; SET statement_timeout = '200ms'; $endless"))[2],
		qr/canceling statement due to statement timeout/, "$name ends") or next;
	my $psql = do {
		local $ENV{PGAPPNAME} = 'endless';
		IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'),
				'-c', 'SET client_min_messages = warning', '-c', $endless ],
			'<', \undef, '>', \$said, '2>&1');
	};
	wait_for(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'endless' AND state = 'active' AND query ~ 'LOOP'});
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'endless'});
	$psql->finish;
	like($said, qr/terminating connection due to administrator command/, "$name is terminated");
}
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'endless'}), '0', 'none is left');

$node->stop;
done_testing();
