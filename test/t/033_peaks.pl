# Peaks and exhaustion are exact: as many as there really were at once, no
# matter for how short a time, and never more.

use strict;
use warnings;
use Time::HiRes qw(time);
use PgpoolStats;

my $node = start_node(q{
max_connections = 60
pgpool_stats.sample_interval = 60s
});
sql(q{
	CREATE TABLE t (a int);
	CREATE TABLE u (a int);
});

sub reset_pool
{
	my ($pool) = @_;

	sql("SELECT pgpool_stats.reset('$pool')");
	return;
}

sub end_all
{
	$_->quit foreach @_;
	return;
}

#
# All but one are in a transaction; the last one is for no time at all
#
foreach my $n (1, 2, 7)
{
	my $pool = "short-$n";
	my @all = sessions($n, $pool, pool_size => $n);
	my $last = $all[-1];
	my @others = @all[ 0 .. $n - 2 ];

	is(figures($pool, 'peak_in_xact'),
		0, "$n: connections are no transactions");
	$_->query_safe('BEGIN') foreach @others;
	is(figures($pool, 'in_xact, peak_in_xact, exhausted_count'),
		($n - 1) . '|' . ($n - 1) . '|0', "$n: all but one");
	my $before = sql('SELECT clock_timestamp()');
	$last->query_safe('SELECT 1');
	is(figures(
			$pool,
			"in_xact, peak_in_xact, exhausted_count, exhausted_time > 0,
			exhausted_time < 1000 * extract(epoch FROM clock_timestamp() - '$before'),
			peak_in_xact_at BETWEEN '$before' AND clock_timestamp()"),
		($n - 1) . "|$n|1|t|t|t",
		"$n: the last one for a moment");
	$last->query_safe('SELECT 1');
	is(figures($pool, 'peak_in_xact, exhausted_count'),
		"$n|2", "$n: and once more");
	$_->query_safe('COMMIT') foreach @others;
	is(figures($pool, 'in_xact, peak_in_xact, exhausted_count'),
		"0|$n|2", "$n: none");
	reset_pool($pool);
	is(figures(
			$pool,
			'peak_in_xact, exhausted_count, exhausted_time, peak_in_xact_at <= now()'),
		'0|0|0|t', "$n: from the beginning");
	end_all(@all);
}

#
# 5 ms, all at once: they meet at a lock that they get one after another
#
{
	my $n = 6;
	my @all = sessions($n, 'meeting', pool_size => $n + 1);
	my $gate = background();
	my $sent = 0;

	# nobody is in a transaction before the gate closes, all are behind it
	$gate->query_safe('SELECT pg_advisory_lock(1)');
	$_->query_until(qr/sent/,
		"\\echo sent\nSELECT pg_advisory_xact_lock_shared(1), pg_sleep(0.005);\n"
	) foreach @all;
	waits($n, 'advisory');
	$gate->query_safe('SELECT pg_advisory_unlock(1)');
	$gate->quit;
	end_all(@all);
	is(figures('meeting', 'in_xact, peak_in_xact, exhausted_count, xacts'),
		"0|$n|0|$n", 'all at once, and one connection was left');
}

#
# Exhaustion by the clock
#
{
	my ($one, $two, $three) = sessions(3, 'clock', pool_size => 2);

	$one->query_safe('BEGIN');
	pass_time(0.3);
	is(figures('clock', 'exhausted_count, exhausted_time'),
		'0|0', 'one of two is not all');
	my $began = time;
	$two->query_safe('BEGIN');
	pass_time(0.5);
	cmp_ok(figures('clock', 'exhausted_time'), '>=', 500, 'all: time passes');
	$three->query_safe('BEGIN');
	pass_time(0.2);
	is(figures('clock', 'in_xact, peak_in_xact, exhausted_count'),
		'3|3|1', 'more than all is still once');
	$one->query_safe('COMMIT');
	pass_time(0.2);
	$two->query_safe('ROLLBACK');
	my $passed = 1000 * (time - $began);
	my $time = figures('clock', 'exhausted_time');
	cmp_ok($time, '>=', 900,  'all of it is counted');
	cmp_ok($time, '<=', $passed, 'nothing else is');
	pass_time(0.2);
	is(figures('clock', 'exhausted_time'), $time, 'then it is over');
	$three->query_safe('COMMIT');
	is(figures('clock', 'exhausted_time, exhausted_count, in_xact'),
		"$time|1|0", 'and stays over');

	# while it goes on, reset() starts from now
	$one->query_safe('BEGIN');
	$two->query_safe('BEGIN');
	pass_time(0.3);
	$began = time;
	reset_pool('clock');
	my ($count, $peak, $short) = split /\|/,
	  figures('clock', 'exhausted_count, peak_in_xact, exhausted_time');
	is("$count|$peak", '1|2', 'reset() while exhausted');
	cmp_ok($short, '<=', 1000 * (time - $began), 'its time starts again');
	$one->query_safe('COMMIT');

	# the cap changes meanwhile: 2 in use, of 3, of 1
	$one->query_safe('BEGIN');
	reset_pool('clock');
	my ($more) = sessions(1, 'clock', pool_size => 3);
	$time = figures('clock', 'exhausted_time');
	pass_time(0.1);
	is(figures('clock', 'exhausted_time, max_size'),
		"$time|3", 'a larger cap ends it');
	my ($less) = sessions(1, 'clock', pool_size => 1);
	is(figures('clock', 'exhausted_count, max_size'),
		'2|1', 'a smaller one begins it again');
	$one->query_safe('COMMIT');
	is(figures('clock', 'exhausted_count, in_xact'), '2|1', 'one of one');
	$two->query_safe('COMMIT');
	$time = figures('clock', 'exhausted_time');
	pass_time(0.1);
	is(figures('clock', 'exhausted_time'), $time, 'none of one');
	end_all($one, $two, $three, $more, $less);
}

# Without a cap nothing is ever exhausted.
{
	local $ENV{PGOPTIONS} = labels('no-cap');
	sql('SELECT 1');
	is(figures('no-cap', 'peak_in_xact, exhausted_count, exhausted_time'),
		'1|0|0', 'no cap, no exhaustion');
}

#
# peak_connections
#
{
	my $before = sql('SELECT clock_timestamp()');
	my @all = sessions(5, 'many', pool_size => 3);
	end_all(@all);
	wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'many'});
	my ($one) = sessions(1, 'many', pool_size => 3);
	is(sql(qq{
			SELECT connections, peak_connections,
				peak_connections_at BETWEEN '$before' AND clock_timestamp()
			FROM pgpool_stats.pools WHERE pool = 'many'}),
		'1|5|t', 'peak of connections');
	reset_pool('many');
	is(sql(q{SELECT connections, peak_connections
			  FROM pgpool_stats.pools WHERE pool = 'many'}),
		'1|1', 'it starts again with those that are there');
	$one->quit;
}

# From here on the collector looks on, as often as it may.
set_to('sample_interval', '100ms');
next_pass();

#
# Two connections are in use in turn: it is never both.  A look takes a while
# and must not see one after the other.  On a busy machine it takes longer.
#
SKIP:
{
	skip 'dblink is not installed', 2
	  unless sql(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'dblink'});

	my $connstr = $node->connstr('postgres');
	sql(qq{
		CREATE EXTENSION dblink;
		CREATE PROCEDURE in_turn() LANGUAGE plpgsql AS \$\$
		DECLARE
			stop timestamptz := clock_timestamp() + '6 s';
		BEGIN
			FOR i IN 0 .. 19 LOOP
				PERFORM dblink_connect('c' || i, \$c\$$connstr options='-c pgpool_stats.pool=in-turn -c pgpool_stats.instance=i -c pgpool_stats.pool_size=2'\$c\$);
			END LOOP;
			WHILE clock_timestamp() < stop LOOP
				FOR i IN 0 .. 19 LOOP
					PERFORM dblink_exec('c' || i, 'DO ''BEGIN END''');
				END LOOP;
			END LOOP;
		END \$\$});
	sql('CALL in_turn()');
	is(figures('in-turn', 'peak_in_xact'), '1', 'in turn is not at once');
	is(figures('in-turn', 'exhausted_count'),
		'0', 'and never was everything in use');
}

#
# One connection of one: exhausted once for each transaction, as long as they
# take, and not at all in between
#
{
	local $ENV{PGOPTIONS} = labels('one', pool_size => 1);
	ok(pgbench("SELECT 1;\n", undef, '-T', '5')->finish, 'pgbench runs');
	delete local $ENV{PGOPTIONS};
	is(figures('one', 'peak_in_xact, exhausted_count - xacts'),
		'1|0', 'exhausted as often as there were transactions');
	is(figures(
			'one', 'abs(exhausted_time - total_xact_time) < 1'),
		't', 'and as long as they took')
	  or diag figures('one', 'exhausted_time, total_xact_time');
}

#
# A transaction that nobody knew of turns up: the time that was counted by
# then is not counted again.
#
{
	my ($one, $two, $three) = sessions(3, 'overlap', pool_size => 2);
	my $locker = background();

	reset_pool('overlap');
	my $start = sql('SELECT clock_timestamp()');
	$locker->query_safe("BEGIN;\nLOCK TABLE u;");
	$one->query_safe('BEGIN');
	$two->query_until(qr/sent/,
		"\\echo sent\nSELECT 1 FROM u UNION ALL SELECT 2 FROM pg_sleep(0.5);\n");
	waits(1, 'relation');
	$three->query_safe('BEGIN');
	pass_time(0.6);
	$three->query_safe('COMMIT');
	$one->query_safe('COMMIT');
	$one->query_safe('BEGIN');
	$locker->query_safe('COMMIT');
	$two->query_safe('SELECT 1');
	$one->query_safe('COMMIT');
	is(figures(
			'overlap',
			"exhausted_time <= 1000 * extract(epoch FROM clock_timestamp() - '$start')"),
		't', 'no longer exhausted than the clock allows')
	  or diag figures('overlap',
		"exhausted_count, exhausted_time, clock_timestamp() - '$start'");
	end_all($one, $two, $three, $locker);
}

$node->stop;
done_testing();
