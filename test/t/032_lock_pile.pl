
# A lock pile: backends queued behind LOCK TABLE in statements of their own
# have told nobody that they are in a transaction, and hold their pool's
# connections all the same.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $n = 5;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.sample_interval = 100ms
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	CREATE TABLE t (a int);
});

sub figures
{
	my ($pool, $columns) = @_;

	return $node->safe_psql('postgres',
		"SELECT $columns FROM pgpool_stats.instances WHERE pool = '$pool'");
}

# So many backends wait for something.
sub waits
{
	my ($count, $for) = @_;

	$node->poll_query_until('postgres',
		"SELECT count(*) = $count FROM pg_stat_activity WHERE wait_event = '$for'"
	) or die "not $count wait for $for";
	return;
}

my $last_pile = 0;

# pgbench prepares in its first round, in its second it waits at the gate,
# which is another pool's affair.
sub pile
{
	my ($mode, $statement, $cap) = @_;
	my $name = "$statement, $mode, cap $cap";
	my $pool = 'pile-' . ++$last_pile;
	my $script = $node->basedir . "/$pool.sql";
	my $admin = $node->background_psql('postgres');

	append_to_file(
		$script, qq{
\\set round :round + 1
BEGIN;
SET LOCAL pgpool_stats.pool = 'gate';
SELECT pg_advisory_xact_lock_shared(:round);
COMMIT;
$statement;
});
	$admin->query_safe('SELECT pg_advisory_lock(2)');
	my ($in, $out, $err) = ('', '', '');
	my $pgbench;
	{
		local $ENV{PGOPTIONS} =
		  "-c pgpool_stats.pool=$pool -c pgpool_stats.instance=i -c pgpool_stats.pool_size=$cap";
		$pgbench = IPC::Run::start(
			[
				'pgbench', '-n', '-M', $mode, '-c', $n, '-j', '2', '-t',
				'2', '-D', 'round=0', '-f', $script, '-h', $node->host,
				'-p', $node->port, 'postgres'
			],
			\$in, \$out, \$err);
	}
	waits($n, 'advisory');
	$node->safe_psql('postgres', "SELECT pgpool_stats.reset('$pool')");
	is( figures(
			$pool,
			'in_xact, peak_in_xact, exhausted_count, exhausted_time, checked_out'
		),
		'0|0|0|0|0',
		"$name: nothing yet");

	$admin->query_safe("BEGIN;\nLOCK TABLE t;");
	$admin->query_safe('SELECT pg_advisory_unlock(2)');
	waits($n, 'relation');
	is(figures($pool, 'in_xact, idle_in_xact, connections, checked_out'),
		"$n|0|$n|$n", "$name: all are in a transaction");
	$node->poll_query_until('postgres',
		"SELECT peak_in_xact >= $n FROM pgpool_stats.instances WHERE pool = '$pool'"
	) or die 'the collector sees nothing';
	is(figures($pool, 'peak_in_xact'), $n, "$name: and that is the peak");
	if ($cap == $n)
	{
		is( figures($pool, "status, exhausted_count, used_pct"),
			'exhausted|1|100.0',
			"$name: exhausted");
		my $before = figures($pool, 'exhausted_time');
		$node->safe_psql('postgres', 'SELECT pg_sleep(0.5)');
		cmp_ok(figures($pool, 'exhausted_time'),
			'>=', $before + 500, "$name: the time of it goes on");
	}
	else
	{
		is(figures($pool, "status, exhausted_count, exhausted_time"),
			'ok|0|0', "$name: one is left");
	}

	$admin->query_safe('COMMIT');
	$pgbench->finish or die $err;
	$admin->quit;
	$node->poll_query_until('postgres',
		"SELECT connections = 0 FROM pgpool_stats.instances WHERE pool = '$pool'"
	) or die 'they do not end';
	is( figures($pool, 'in_xact, peak_in_xact, xacts'),
		"0|$n|$n", "$name: over, and counted");
	is( figures($pool, 'exhausted_count'),
		$cap == $n ? '1' : '0',
		"$name: how often it was exhausted");
	cmp_ok(figures($pool, 'total_xact_time'),
		'>=', 500 * $n, "$name: waiting is part of the time")
	  if $cap == $n;

	my $time = figures($pool, 'exhausted_time');
	$node->safe_psql('postgres', 'SELECT pg_sleep(0.3)');
	is(figures($pool, 'exhausted_time'), $time, "$name: it stays over");
	return;
}

foreach my $mode ('simple', 'extended', 'prepared')
{
	pile($mode, 'SELECT * FROM t', $n);
	pile($mode, 'INSERT INTO t VALUES (1)', $n);
}
pile('simple', 'INSERT INTO t VALUES (1)', $n + 1);

# The same in overview and pools; sessions of psql
my @sessions = map {
	local $ENV{PGOPTIONS} =
	  '-c pgpool_stats.pool=psql -c pgpool_stats.instance=i -c pgpool_stats.pool_size=5';
	$node->background_psql('postgres')
} (1 .. $n);
$_->query_safe('PREPARE p AS INSERT INTO t VALUES (1)') foreach @sessions;
$node->safe_psql('postgres', q{SELECT pgpool_stats.reset('psql')});
my $locker = $node->background_psql('postgres');
$locker->query_safe("BEGIN;\nLOCK TABLE t;");
$_->query_until(qr/sent/, "\\echo sent\nEXECUTE p;\n") foreach @sessions;
waits($n, 'relation');
is( $node->safe_psql(
		'postgres',
		q{SELECT in_xact, fullest_pct, exhausted_instances, status
		  FROM pgpool_stats.pools WHERE pool = 'psql'}),
	'5|100.0|1|exhausted',
	'EXECUTE: the pool is full');
$node->poll_query_until('postgres',
	q{SELECT exhausted_count = 1 FROM pgpool_stats.instances
	  WHERE pool = 'psql'})
  or die 'the collector does not see it';
$locker->query_safe('COMMIT');
$locker->quit;
$_->quit foreach @sessions;
is(figures('psql', 'in_xact, peak_in_xact, exhausted_count'),
	'0|5|1', 'EXECUTE: over');

$node->stop;
done_testing();
