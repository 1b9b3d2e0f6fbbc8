# Load is what a client beside it measures: how many connections were in a
# transaction, how much of that they were idle in it, and what they did.
#
# Counted time is compared with clocks that the test reads just inside and just
# outside of what it does: the truth lies between them.

use strict;
use warnings;
use Time::HiRes qw(time);
use PgpoolStats;

my $node = start_node(q{
max_prepared_transactions = 10
max_connections = 40
});
sql(q{
	CREATE TABLE t (a int);
	CREATE TABLE big AS SELECT generate_series(1, 20000) AS a;
	ANALYZE big;
	CREATE PROCEDURE five() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 5 LOOP
			PERFORM pg_sleep(0.1);
			COMMIT;
		END LOOP;
	END $$;
});

my $last_pool = 0;

# Steps of a session: a statement, [pause, seconds] inside of a transaction.
# At least so many milliseconds must be active and idle, and not more than the
# clock beside each step allows.
sub load_case
{
	my ($name, $least_active, $least_idle, @steps) = @_;
	my $pool = 'load-' . ++$last_pool;
	my $session = session($pool);
	my ($busy, $idle) = (0, 0);

	foreach my $step (@steps)
	{
		my $began = time;

		if (ref $step)
		{
			pass_time($step->[0]);
			$idle += time - $began;
		}
		else
		{
			$session->query($step);
			$busy += time - $began;
		}
	}
	$session->quit;
	wait_for("SELECT connections = 0 FROM pgpool_stats.instances WHERE pool = '$pool'");
	my ($active_time, $idle_time, $xact_time) = split /\|/,
	  figures($pool, 'active_time, idle_in_xact_time, total_xact_time');

	# what psql does between two steps is a moment of either of them
	my $between = 100 * @steps;
	cmp_ok($active_time, '>=', $least_active, "$name: active at least $least_active ms");
	cmp_ok($active_time, '<=', 1000 * $busy + $between, "$name: and no more than it took");
	cmp_ok($idle_time, '>=', $least_idle, "$name: idle at least $least_idle ms");
	cmp_ok($idle_time, '<=', 1000 * ($busy + $idle) + $between - $least_active,
		"$name: and no more than it took");
	cmp_ok($active_time + $idle_time, '>=', $xact_time - 0.01, "$name: and all transactions are in it");
	return;
}

load_case('autocommit', 400, 0, ('SELECT pg_sleep(0.2)') x 2);
is(figures('load-1', 'idle_in_xact_time'), '0', 'autocommit is never idle');
load_case('a block', 200, 600, 'BEGIN', [0.3], 'SELECT pg_sleep(0.2)', [0.3], 'COMMIT');
load_case('a failed block', 0, 600, 'BEGIN', [0.3], 'SELECT 1 / 0', [0.3], 'ROLLBACK');
load_case('a failed savepoint', 0, 600,
	"BEGIN;\nSAVEPOINT a;\nSELECT 1 / 0;", [0.3], 'ROLLBACK TO a', [0.3], 'COMMIT');
load_case('a procedure', 500, 0, 'CALL five()');
load_case('a cursor', 0, 600,
	"BEGIN;\nDECLARE c CURSOR FOR SELECT * FROM big;", [0.3], 'FETCH 10 FROM c',
	[0.3], 'COMMIT');
load_case('two-phase', 0, 300, "BEGIN;\nINSERT INTO t VALUES (1);", [0.3],
	"PREPARE TRANSACTION 'a'", "COMMIT PREPARED 'a'");
load_case('a chain', 0, 600, 'BEGIN', [0.3], 'COMMIT AND CHAIN', [0.3], 'COMMIT');
load_case('a block that the client leaves', 0, 500, 'BEGIN', [0.5]);
load_case('a failed block that it leaves', 0, 500, "BEGIN;\nSELECT 1 / 0;", [0.5]);
load_case('a parallel query', 200, 300,
	"SET debug_parallel_query = on;\nSET force_parallel_mode = on;\nBEGIN", [0.3],
	'SELECT count(*), pg_sleep(0.2) FROM big', 'COMMIT');

# A pipeline: messages without Sync between them are no idle time.
{
	my $script = "\\startpipeline\nBEGIN;\n\\sleep 300 ms\nSELECT 1;\n\\sleep 300 ms\nCOMMIT;\n\\endpipeline\n";

	{
		local $ENV{PGOPTIONS} = labels('pipeline');
		pgbench($script, undef, '-M', 'extended', '-c', 1, '-t', 1)->finish
		  or die 'pgbench fails';
	}
	wait_for(q{SELECT connections = 0 FROM pgpool_stats.instances WHERE pool = 'pipeline'});
	is(figures('pipeline', 'idle_in_xact_time'), '0', 'a pipeline is never idle');
}

# A lock that is waited for before any hook runs, in vain
{
	my $gate = background();
	my $session = session('vain');

	$gate->query_safe("BEGIN;\nLOCK TABLE t;");
	my $began = time;
	$session->query("SET lock_timeout = '500ms'");
	$session->query('INSERT INTO t VALUES (1)');
	my $passed = 1000 * (time - $began);
	$gate->query_safe('COMMIT');
	$gate->quit;
	my ($xacts, $active) = split /\|/, figures('vain', 'xacts, active_time');
	is($xacts, 0, 'it is no transaction of the client\'s');
	cmp_ok($active, '>=', 490, 'but the connection was in one so long');
	cmp_ok($active, '<=', $passed, 'and not longer');
	$session->quit;
}

# A move: what has passed stays where it passed, and nothing falls or jumps.
{
	my $session = session('from');
	my $began = time;

	$session->query_safe('BEGIN');
	pass_time(0.5);
	$session->query_safe("SET pgpool_stats.pool = 'to'");
	$session->query_safe('SELECT 1');
	my ($from, $from_idle) = split /\|/,
	  figures('from', 'active_time + idle_in_xact_time, idle_in_xact_time');
	cmp_ok($from_idle, '>=', 500, 'idle time stays with the pool that is left');
	pass_time(0.3);
	$session->query_safe('COMMIT');
	my $passed = 1000 * (time - $began);
	my $to = figures('to', 'active_time + idle_in_xact_time');
	cmp_ok($to, '>=', 300, 'the rest is of the other');
	cmp_ok($to, '<=', $passed - 500, 'and no more');
	cmp_ok($from + $to, '<=', $passed, 'together it is what has passed');
	is(figures('from', 'active_time + idle_in_xact_time'), $from, 'nothing was taken away');
	sql("SELECT pgpool_stats.reset('to')");
	is(figures('to', 'active_time, idle_in_xact_time'), '0|0', 'a reset begins anew');
	$session->quit;
}

#
# The view: a mix that goes on until it has filled the minute.
#
my $gate = background();
my @mix = map { session('mix') } 1 .. 4;
my $burner = session('burner');

$gate->query_safe("BEGIN;\nLOCK TABLE t;");
$mix[0]->query_safe('BEGIN');    # idle
$mix[1]->query_safe('BEGIN');
$mix[1]->query_until(qr/sent/, "\\echo sent\nINSERT INTO t VALUES (1);\n");
$mix[2]->query_until(qr/sent/, "\\echo sent\nSELECT pg_sleep(600);\n");
$mix[3]->query_until(qr/sent/, "\\echo sent\nSELECT pg_sleep(600);\n");
$burner->query_until(qr/sent/,
	"\\echo sent\nDO 'BEGIN LOOP NULL; END LOOP; END';\n");
waits(1, 'relation');
my @lent = used(3, 'lent');
report('lent', '{"max_size": 4, "open": 3, "checked_out": 2}');
$lent[0]->query_safe('BEGIN');

# those who began together make whole figures when they have filled it
becomes(q{
	SELECT sessions BETWEEN 3.99 AND 4.01 FROM pgpool_stats.load WHERE pool = 'mix'
}, 't', 'four sessions are four sessions');
my $load = sub { sql("SELECT $_[1] FROM pgpool_stats.load WHERE pool = '$_[0]'") };
is($load->('mix', 'abs(sessions - (cpu + io + lock + lwlock + client + other + idle_in_xact)) < 0.001'),
	't', 'the parts add up');
is($load->('mix', 'round(idle_in_xact::numeric, 1)'), '1.0', 'one is idle');
is($load->('mix', 'lock BETWEEN 0.9 AND 1.1'), 't', 'one waits for a lock');
is($load->('mix', 'other BETWEEN 1.8 AND 2.1'), 't', 'two sleep');
is($load->('mix', 'client < 0.1 AND io < 0.1'), 't', 'nothing else');
is($load->('mix', 'lent_idle IS NULL'), 't', 'nobody told what is lent');
is($load->('lent', 'lent_idle BETWEEN 0.9 AND 1.1'), 't', 'two are lent, one of them is in a transaction');
is($load->('burner', 'cpu > 0.9 * sessions'), 't', 'one burns CPU time');
is( sql(q{SELECT abs(s.sessions - sum(p.sessions)) < 0.01
	FROM pgpool_stats.load s, pgpool_stats.load p
	WHERE s.pool IS NULL AND p.pool IS NOT NULL GROUP BY s.sessions}),
	't', 'the server is all its pools');

# Sessions are exact: an integral over a known time
sql('SELECT pgpool_stats.reset()');
next_pass();
cmp_ok(abs($load->('mix', 'sessions') - 4), '<=', 0.04, 'a reset does not touch it');

set_to('load_interval', '0');
next_pass();
$gate->query_safe('COMMIT');
$gate->quit;
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_sleep\(600|LOOP NULL' AND pid <> pg_backend_pid()});

$node->stop;
done_testing();
