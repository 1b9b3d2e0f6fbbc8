
# After a crash the counters are those of the last save, and the collector
# comes back whatever ends it.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
restart_after_crash = on
pgpool_stats.sample_interval = 100ms
pgpool_stats.save_interval = 1s
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats');

sub started_at
{
	return $node->safe_psql('postgres',
		'SELECT started_at FROM pgpool_stats.info');
}

sub collector
{
	$node->poll_query_until('postgres',
		'SELECT collector_pid IS NOT NULL FROM pgpool_stats.info')
	  or die 'no collector';
	return $node->safe_psql('postgres',
		'SELECT collector_pid FROM pgpool_stats.info');
}

# Report a value of the counter and wait until it is saved.
sub report_and_save
{
	my ($checkouts) = @_;

	$node->safe_psql('postgres',
		qq{SELECT pgpool_stats.report('p', '{"checkouts": $checkouts}', 'i')});

	# a file's time is in whole seconds
	$node->poll_query_until(
		'postgres', q{
		SELECT modification > last_report + interval '1 s'
		FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true),
			pgpool_stats.pools WHERE pool = 'p'})
	  or die 'no save';
	return;
}

# Wait until the server has started again.
sub wait_for_restart
{
	my ($before) = @_;

	$node->poll_query_until('postgres',
		"SELECT started_at > '$before' FROM pgpool_stats.info")
	  or die 'server does not come back';
	return;
}

sub checkouts
{
	return $node->safe_psql('postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'p'});
}

# What pg_stat_activity says of the collector
my $pid = collector();
is( $node->safe_psql(
		'postgres', qq{
		SELECT backend_type, datname IS NULL, wait_event_type
		FROM pg_stat_activity WHERE pid = $pid}),
	'pgpool_stats collector|t|Extension',
	'the collector is visible in pg_stat_activity');

# kill -9 of a backend
report_and_save(100);
my $reset = $node->safe_psql('postgres',
	'SELECT stats_reset FROM pgpool_stats.info');
my $started = started_at();
my $victim = $node->background_psql('postgres', on_error_stop => 0);
my $backend = $victim->query_safe('SELECT pg_backend_pid()');
kill 'KILL', $backend;
wait_for_restart($started);
eval { $victim->quit };
is(checkouts(), '100', 'kill -9 of a backend: what was saved is back');
is( $node->safe_psql(
		'postgres', 'SELECT stats_reset FROM pgpool_stats.info'),
	$reset,
	'stats_reset is what it was');
is( $node->safe_psql(
		'postgres', q{
		SELECT sum(connections) FROM pgpool_stats.instances}),
	'1',
	'no connection of before the crash is counted');

# kill -9 of the collector
report_and_save(200);
$pid = collector();
$started = started_at();
kill 'KILL', $pid;
wait_for_restart($started);
isnt(collector(), $pid, 'kill -9 of the collector: it comes back');
is(checkouts(), '200', 'and what was saved, too');

# SIGTERM, by signal and by function
foreach my $how ('kill', 'pg_terminate_backend')
{
	$started = started_at();
	$pid = collector();
	$node->safe_psql('postgres',
		q{SELECT pgpool_stats.report('p', '{"checkouts": 300}', 'i')});
	if ($how eq 'kill')
	{
		kill 'TERM', $pid;
	}
	else
	{
		is( $node->safe_psql(
				'postgres', "SELECT pg_terminate_backend($pid)"),
			't',
			'the collector can be terminated');
	}
	$node->poll_query_until('postgres',
		"SELECT collector_pid <> $pid FROM pgpool_stats.info")
	  or die 'collector does not come back';
	pass("$how: the collector comes back");
	is(started_at(), $started, "$how: without a restart of the server");
	is(checkouts(), '300', "$how: nothing is lost");
	$node->poll_query_until('postgres',
		"SELECT last_pass > clock_timestamp() - interval '1 s'
		 FROM pgpool_stats.info")
	  or die 'collector does not work';
}

# Readers and reports do without it.
$pid = collector();
kill 'STOP', $pid;
$node->safe_psql('postgres',
	q{SELECT pgpool_stats.report('p', '{"checkouts": 310}', 'i')});
is(checkouts(), '310', 'reports and views do not need the collector');
kill 'CONT', $pid;

# An immediate shutdown is a crash, too.
report_and_save(400);
$node->stop('immediate');
$node->start;
is(checkouts(), '400', 'immediate shutdown: what was saved is back');

$node->stop;
unlike(slurp_file($node->logfile),
	qr/PANIC|signal 11|signal 6/, 'nothing crashed by itself');
done_testing();
