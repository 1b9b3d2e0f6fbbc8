# What total_xact_time and the percentiles say is what a clock would: from the
# start of a transaction, before its first lock, to its end.

use strict;
use warnings;
use Time::HiRes qw(time);
use PgpoolStats;

my $node = start_node('max_prepared_transactions = 10');
sql(q{
	CREATE TABLE t (a int);
	CREATE TABLE few AS SELECT generate_series(1, 1500) AS a;
	CREATE PROCEDURE five() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 5 LOOP
			PERFORM pg_sleep(0.1);
			COMMIT;
		END LOOP;
	END $$;
	-- with an xid, and the other way to end
	CREATE PROCEDURE five_rolled_back() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 5 LOOP
			INSERT INTO t VALUES (i);
			PERFORM pg_sleep(0.1);
			ROLLBACK;
		END LOOP;
	END $$;
});

# So many transactions took so many milliseconds together: not less, and not
# more than have passed since a time.
sub check
{
	my ($name, $pool, $xacts, $ms, $began) = @_;

	wait_for("SELECT in_xact = 0 FROM pgpool_stats.instances WHERE pool = '$pool'");
	my $passed = time - $began;
	my ($count, $time) = split /\|/, figures($pool, 'xacts, total_xact_time');
	is($count, $xacts, "$name: $xacts transactions");
	cmp_ok($time, '>=', $ms, "$name: at least $ms ms");
	cmp_ok($time, '<=', 1000 * $passed, "$name: no more than have passed");
	return;
}

my $last_pool = 0;

# Statements in a session of their own; a number is a pause between them, in
# seconds, and a negative one a pause outside of any transaction.
sub sql_case
{
	my ($name, $xacts, $ms, @steps) = @_;
	my $pool = 'clock-' . ++$last_pool;
	my $session = session($pool);
	my $began = time;

	foreach my $step (@steps)
	{
		if ($step =~ /^-?[\d.]+$/)
		{
			my $paused = time;

			pass_time(abs $step);
			$began += time - $paused if $step < 0;
		}
		else
		{
			$session->query($step);
		}
	}
	$session->quit;
	check($name, $pool, $xacts, $ms, $began);
	return;
}

sql_case('a statement', 1, 200, 'SELECT pg_sleep(0.2)');
sql_case('idle time is nobody\'s',
	2, 200, 'SELECT pg_sleep(0.1)', -0.6, 'SELECT pg_sleep(0.1)');
sql_case('a procedure', 5, 500, 'CALL five()');
sql_case('a procedure that rolls back', 5, 500, 'CALL five_rolled_back()');
sql_case('two transactions in one string',
	2, 400,
	'BEGIN\; SELECT pg_sleep(0.2)\; COMMIT\; BEGIN\; SELECT pg_sleep(0.2)\; COMMIT;');
sql_case('one that is rolled back in one string',
	2, 400, 'BEGIN\; SELECT pg_sleep(0.2)\; ROLLBACK\; SELECT pg_sleep(0.2);');
sql_case('a block left open', 1, 1000, 'BEGIN', 1, 'COMMIT');
sql_case('a failed block left open',
	1, 1000, "BEGIN;\nSELECT 1 / 0;", 1, 'ROLLBACK');
sql_case('a failed block with an xid left open',
	1, 1000, "BEGIN;\nINSERT INTO t VALUES (1);\nSELECT 1 / 0;",
	1, 'ROLLBACK');
sql_case('a failed savepoint left open',
	1, 1000,
	"BEGIN;\nINSERT INTO t VALUES (1);\nSAVEPOINT a;\nSELECT 1 / 0;",
	0.5, 'ROLLBACK TO a', 0.5, 'COMMIT');
sql_case('a block that fails late',
	1, 600, 'BEGIN', 0.3, 'SELECT 1 / length(pg_sleep(0.3)::text)', 'ROLLBACK');
sql_case('the client leaves a block open', 1, 500, 'BEGIN', 0.5);
sql_case('the client leaves a failed block open',
	1, 500, "BEGIN;\nSELECT 1 / 0;", 0.5);
sql_case('two-phase commit',
	2, 300, 'BEGIN', 0.3, "PREPARE TRANSACTION 'a'", -0.6,
	"COMMIT PREPARED 'a'");
sql_case('a chain',
	3, 900, "BEGIN;\nCOMMIT AND CHAIN;", 0.5,
	"SELECT pg_sleep(0.2);\nROLLBACK AND CHAIN;\nSELECT pg_sleep(0.2);\nCOMMIT;");
sql_case('a chain after a failed block',
	2, 900, "BEGIN;\nSELECT 1 / 0;", 0.3, 'ROLLBACK AND CHAIN', 0.6, 'COMMIT');
sql_case('a setting before it', 1, 200,
	'SET work_mem = \'1MB\'\; SELECT pg_sleep(0.2);');

# CREATE INDEX CONCURRENTLY ends its first transaction, then waits for others.
{
	my $other = background();
	my $session = session('index');

	$other->query_safe("BEGIN;\nINSERT INTO few VALUES (1)");
	my $began = time;
	$session->query_until(qr/sent/,
		"\\echo sent\nCREATE INDEX CONCURRENTLY few_a ON few (a);\n");
	waits(1, 'virtualxid');
	is(figures('index', 'in_xact'), '1', 'what waits is in a transaction');
	pass_time(0.5);
	$other->query_safe('COMMIT');
	$other->quit;
	$session->quit;
	check('CREATE INDEX CONCURRENTLY', 'index', 1, 500, $began);
}

# An instance of one connection is exhausted as long as that is in a
# transaction, also between the parts of a chain.
{
	my $session = session('chain', pool_size => 1);
	sql("SELECT pgpool_stats.reset('chain')");
	my $began = time;
	$session->query_safe("BEGIN;\nSELECT 1;");
	pass_time(0.3);
	$session->query_safe("COMMIT AND CHAIN");
	pass_time(0.3);
	$session->query_safe("SELECT 1;\nCOMMIT");
	my $passed = 1000 * (time - $began);
	$session->quit;
	is(figures('chain', "xacts, exhausted_time BETWEEN 600 AND $passed"),
		'2|t', 'a chain is exhausted all the time');
}

# A prepared INSERT waits for a lock on its table.
foreach my $mode ('simple', 'extended', 'prepared')
{
	my $pool = "waits-$mode";
	my ($pgbench, $gate) =
	  pgbench_at_gate(labels($pool), 1, $mode, 'INSERT INTO t VALUES (1)');

	sql("SELECT pgpool_stats.reset('$pool')");
	my $began = time;
	$gate->query_safe("BEGIN;\nLOCK TABLE t;");
	$gate->query_safe('SELECT pg_advisory_unlock(2)');
	waits(1, 'relation');
	pass_time(0.5);
	$gate->query_safe('COMMIT');
	$pgbench->finish or die 'pgbench fails';
	$gate->quit;
	check("an INSERT of pgbench -M $mode that waits", $pool, 1, 500, $began);
}

#
# Percentiles: a known mix.  What is shown is at most 1/8 off the time that
# the fraction did not exceed: not less than it slept, and not more than it
# took for us.
#
my $mix = session('mix');
my @took;
foreach my $query (
	"SELECT pgpool_stats.reset('mix')",
	map { "SELECT pg_sleep($_)" }
	((0) x 60, (0.02) x 30, (0.1) x 8, (0.4) x 2))
{
	my $began = time;

	$mix->query_safe($query);
	push @took, 1000 * (time - $began);
}
$mix->quit;
@took = sort { $a <=> $b } @took;
foreach my $case ([ 95, 100 ], [ 99, 400 ])
{
	my ($percent, $slept) = @$case;
	my $time = figures('mix', "xact_time_p$percent");
	cmp_ok($time, '>=', $slept * 7 / 8, "p$percent is not too small");
	cmp_ok($time, '<=', $took[ $percent / 100 * @took ] * 9 / 8,
		"p$percent is not too big");
}
# the reset() itself is one of the fast ones
cmp_ok(figures('mix', 'xact_time_p50'),
	'<=', $took[ @took / 2 ] * 9 / 8, 'half of it is fast');
is(figures('mix', 'xacts'), '101', 'all are counted');
is(figures('mix', 'abs(mean_xact_time - total_xact_time / xacts) < 0.000001'),
	't', 'the mean is the mean');

# without any transaction there is no time
my $idle = session('idle');
is(figures(
		'idle',
		'xacts, total_xact_time, mean_xact_time, xact_time_p50, xact_time_p95, xact_time_p99'),
	'0|0||||', 'nothing is known of no transaction');
$idle->quit;

$node->stop;
done_testing();
