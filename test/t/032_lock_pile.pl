# A lock pile: no hook has seen yet that backends queued behind LOCK TABLE in
# statements of their own are in a transaction, but they hold connections of
# their pool all the same.

use strict;
use warnings;
use PgpoolStats;

my $n = 5;

my $node = start_node();
sql(q{
	CREATE TABLE t (a int);
});

my $last_pile = 0;

sub pile
{
	my ($mode, $statement, $cap) = @_;
	my $name = "$statement, $mode, cap $cap";
	my $pool = 'pile-' . ++$last_pile;
	my ($pgbench, $admin) =
	  pgbench_at_gate(labels($pool, pool_size => $cap), $n, $mode, $statement);

	sql("SELECT pgpool_stats.reset('$pool')");
	is(figures(
			$pool,
			'in_xact, peak_in_xact, exhausted_count, exhausted_time, checked_out'),
		'0|0|0|0|0', "$name: nothing yet");

	$admin->query_safe("BEGIN;\nLOCK TABLE t;");
	$admin->query_safe('SELECT pg_advisory_unlock(2)');
	waits($n, 'relation');
	is(figures($pool, 'in_xact, idle_in_xact, connections, checked_out'),
		"$n|0|$n|$n", "$name: all are in a transaction");
	wait_for("SELECT peak_in_xact >= $n FROM pgpool_stats.instances WHERE pool = '$pool'");
	is(figures($pool, 'peak_in_xact'), $n, "$name: and that is the peak");
	if ($cap == $n)
	{
		is(figures($pool, "status, exhausted_count, used_pct"),
			'exhausted|1|100.0', "$name: exhausted");
		my $before = figures($pool, 'exhausted_time');
		pass_time(0.5);
		cmp_ok(figures($pool, 'exhausted_time'),
			'>=', $before + 500, "$name: the time of it goes on");
	}
	else
	{
		is(figures($pool, "status, exhausted_count, exhausted_time"),
			'ok|0|0', "$name: one is left");
	}

	$admin->query_safe('COMMIT');
	$pgbench->finish or die 'pgbench fails';
	$admin->quit;
	wait_for("SELECT connections = 0 FROM pgpool_stats.instances WHERE pool = '$pool'");
	is(figures($pool, 'in_xact, peak_in_xact, xacts'),
		"0|$n|$n", "$name: over, and counted");
	is(figures($pool, 'exhausted_count'),
		$cap == $n ? '1' : '0', "$name: how often it was exhausted");
	cmp_ok(figures($pool, 'total_xact_time'),
		'>=', 500 * $n, "$name: waiting is part of the time")
	  if $cap == $n;

	my $time = figures($pool, 'exhausted_time');
	pass_time(0.3);
	is(figures($pool, 'exhausted_time'), $time, "$name: it stays over");
	return;
}

foreach my $mode ('simple', 'extended', 'prepared')
{
	pile($mode, 'SELECT * FROM t', $n);
	pile($mode, 'INSERT INTO t VALUES (1)', $n);
}
pile('simple', 'INSERT INTO t VALUES (1)', $n + 1);

# Whoever sees it first, it is exhausted since the transaction began.
my $admin = background();
my $one = session('one', pool_size => 1);
$one->query_safe('SELECT 1');
sql(q{SELECT pgpool_stats.reset('one')});
$admin->query_safe("BEGIN;\nLOCK TABLE t;");
next_pass();
$one->query_until(qr/now/, "\\echo now\nSELECT * FROM t;\n");
wait_for(q{SELECT exhausted_count = 1 FROM pgpool_stats.instances WHERE pool = 'one'});
$admin->query_safe('COMMIT');
$one->query_safe('SELECT 2');
is(figures('one', 'abs(exhausted_time - total_xact_time) < 1'), 't', 'exhausted as long as the transaction')
  or diag figures('one', 'exhausted_time, total_xact_time');
$_->quit foreach $one, $admin;

# The same in overview and pools; sessions of psql
my @sessions = sessions($n, 'psql', pool_size => 5);
$_->query_safe('PREPARE p AS INSERT INTO t VALUES (1)') foreach @sessions;
sql(q{SELECT pgpool_stats.reset('psql')});
my $locker = background();
$locker->query_safe("BEGIN;\nLOCK TABLE t;");
$_->query_until(qr/sent/, "\\echo sent\nEXECUTE p;\n") foreach @sessions;
waits($n, 'relation');
is(sql(q{SELECT in_xact, fullest_pct, exhausted_instances, status
		  FROM pgpool_stats.pools WHERE pool = 'psql'}),
	'5|100.0|1|exhausted', 'EXECUTE: the pool is full');
wait_for(q{SELECT exhausted_count = 1 FROM pgpool_stats.instances
	  WHERE pool = 'psql'});
$locker->query_safe('COMMIT');
$locker->quit;
$_->quit foreach @sessions;
is(figures('psql', 'in_xact, peak_in_xact, exhausted_count'),
	'0|5|1', 'EXECUTE: over');

$node->stop;
done_testing();
