# After a crash the counters are those of the last save, and the collector
# comes back whatever ends it.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
restart_after_crash = on
pgpool_stats.save_interval = 1s
});

sub collector
{
	wait_for('SELECT collector_pid IS NOT NULL FROM pgpool_stats.info');
	return sql('SELECT collector_pid FROM pgpool_stats.info');
}

# Report a value of the counter and wait until it is saved.
sub report_and_save
{
	my ($checkouts) = @_;

	report('p', qq({"checkouts": $checkouts}));

	wait_saved('p');
	return;
}

sub checkouts
{
	return sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'p'});
}

# What pg_stat_activity says of the collector
my $pid = collector();
is(sql(qq{
		SELECT backend_type, datname IS NULL, wait_event_type
		FROM pg_stat_activity WHERE pid = $pid}),
	'pgpool_stats collector|t|Extension',
	'the collector is visible in pg_stat_activity');

# kill -9 of a backend
report_and_save(100);
my $reset = sql('SELECT stats_reset FROM pgpool_stats.info');
my $victim = background();
kill_hard($victim->query_safe('SELECT pg_backend_pid()'));
eval { $victim->quit };
is(checkouts(), '100', 'kill -9 of a backend: what was saved is back');
is(sql('SELECT stats_reset FROM pgpool_stats.info'),
	$reset, 'stats_reset is what it was');
is(sql(q{
		SELECT sum(connections) FROM pgpool_stats.instances}),
	'1', 'no connection of before the crash is counted');

# kill -9 of the collector
report_and_save(200);
$pid = collector();
kill_hard($pid);
isnt(collector(), $pid, 'kill -9 of the collector: it comes back');
is(checkouts(), '200', 'and what was saved, too');

# SIGTERM, by signal and by function
foreach my $how ('kill', 'pg_terminate_backend')
{
	my $started = started_at();
	$pid = collector();
	report('p', '{"checkouts": 300}');
	if ($how eq 'kill')
	{
		kill 'TERM', $pid;
	}
	else
	{
		is(sql("SELECT pg_terminate_backend($pid)"),
			't', 'the collector can be terminated');
	}
	wait_for("SELECT collector_pid <> $pid FROM pgpool_stats.info");
	pass("$how: the collector comes back");
	is(started_at(), $started, "$how: without a restart of the server");
	is(checkouts(), '300', "$how: nothing is lost");
	next_pass();
}

# Readers and reports do without it.
$pid = collector();
kill 'STOP', $pid;
report('p', '{"checkouts": 310}');
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
