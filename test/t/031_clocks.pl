
# What total_xact_time and the percentiles say is what a clock would: from the
# start of a transaction, before its first lock, to its end.

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
max_prepared_transactions = 10
pgpool_stats.sample_interval = 100ms
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
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

# a slow machine may be late by so much, and never early
my $slack = 400;

sub session
{
	my ($pool) = @_;

	local $ENV{PGOPTIONS} =
	  "-c pgpool_stats.pool=$pool -c pgpool_stats.instance=i";
	return $node->background_psql('postgres', on_error_stop => 0);
}

# Time passes that nothing of the test waits for in vain.
sub pass_time
{
	my ($seconds) = @_;

	$node->safe_psql('postgres', "SELECT pg_sleep($seconds)");
	return;
}

sub figures
{
	my ($pool, $columns) = @_;

	return $node->safe_psql('postgres',
		"SELECT $columns FROM pgpool_stats.instances WHERE pool = '$pool'");
}

# So many transactions took so many milliseconds together.
sub check
{
	my ($name, $pool, $xacts, $ms) = @_;

	$node->poll_query_until('postgres',
		"SELECT in_xact = 0 FROM pgpool_stats.instances WHERE pool = '$pool'")
	  or die "$pool does not come to rest";
	my ($count, $time) = split /\|/, figures($pool, 'xacts, total_xact_time');
	is($count, $xacts, "$name: $xacts transactions");
	cmp_ok($time, '>=', $ms, "$name: at least $ms ms");
	cmp_ok($time, '<=', $ms + $slack, "$name: not much more");
	return;
}

my $last_pool = 0;

# Statements in a session of their own; a number is a pause between them, in
# seconds.
sub sql_case
{
	my ($name, $xacts, $ms, @steps) = @_;
	my $pool = 'clock-' . ++$last_pool;
	my $session = session($pool);

	foreach my $step (@steps)
	{
		if ($step =~ /^[\d.]+$/)
		{
			pass_time($step);
		}
		else
		{
			$session->query($step);
		}
	}
	$session->quit;
	check($name, $pool, $xacts, $ms);
	return;
}

sql_case('a statement', 1, 200, 'SELECT pg_sleep(0.2)');
sql_case('idle time is nobody\'s',
	2, 200, 'SELECT pg_sleep(0.1)', 0.6, 'SELECT pg_sleep(0.1)');
sql_case('a procedure', 5, 500, 'CALL five()');
sql_case('a procedure that rolls back', 5, 500, 'CALL five_rolled_back()');
sql_case('two transactions in one string',
	2, 400,
	'BEGIN\; SELECT pg_sleep(0.2)\; COMMIT\; BEGIN\; SELECT pg_sleep(0.2)\; COMMIT;'
);
sql_case('one that is rolled back in one string',
	2, 400,
	'BEGIN\; SELECT pg_sleep(0.2)\; ROLLBACK\; SELECT pg_sleep(0.2);');
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
	2, 300, 'BEGIN', 0.3, "PREPARE TRANSACTION 'a'", 0.6,
	"COMMIT PREPARED 'a'");
sql_case('a chain',
	3, 900, "BEGIN;\nCOMMIT AND CHAIN;", 0.5,
	"SELECT pg_sleep(0.2);\nROLLBACK AND CHAIN;\nSELECT pg_sleep(0.2);\nCOMMIT;"
);
sql_case('a chain after a failed block',
	2, 900, "BEGIN;\nSELECT 1 / 0;", 0.3, 'ROLLBACK AND CHAIN', 0.6,
	'COMMIT');
sql_case('a setting before it', 1, 200,
	'SET work_mem = \'1MB\'\; SELECT pg_sleep(0.2);');

# CREATE INDEX CONCURRENTLY ends its first transaction, then waits for others.
{
	my $other = $node->background_psql('postgres');
	my $session = session('index');

	$other->query_safe("BEGIN;\nINSERT INTO few VALUES (1)");
	$session->query_until(qr/sent/,
		"\\echo sent\nCREATE INDEX CONCURRENTLY few_a ON few (a);\n");
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_activity
		  WHERE wait_event = 'virtualxid'})
	  or die 'it does not wait';
	is(figures('index', 'in_xact'), '1', 'what waits is in a transaction');
	pass_time(0.5);
	$other->query_safe('COMMIT');
	$other->quit;
	$session->quit;
	check('CREATE INDEX CONCURRENTLY', 'index', 1, 500);
}

# An instance of one connection is exhausted as long as that is in a
# transaction, also between the parts of a chain.
{
	my $session = session('chain -c pgpool_stats.pool_size=1');
	$node->safe_psql('postgres', "SELECT pgpool_stats.reset('chain')");
	$session->query_safe("BEGIN;\nSELECT 1;");
	pass_time(0.3);
	$session->query_safe("COMMIT AND CHAIN");
	pass_time(0.3);
	$session->query_safe("SELECT 1;\nCOMMIT");
	$session->quit;
	is( figures(
			'chain',
			'xacts, exhausted_time BETWEEN total_xact_time - 20 AND total_xact_time + 20'
		),
		'2|t',
		'a chain is exhausted all the time');
}

#
# A prepared INSERT waits for a lock on its table.  pgbench prepares first,
# with its first round; in the second it waits for us at the gate, which is
# another pool's affair.
#
sub prepared_wait
{
	my ($pool, $mode) = @_;
	my $script = $node->basedir . "/$pool.sql";
	my $admin = $node->background_psql('postgres');

	append_to_file(
		$script, q{
\set round :round + 1
BEGIN;
SET LOCAL pgpool_stats.pool = 'gate';
SELECT pg_advisory_xact_lock_shared(:round);
COMMIT;
INSERT INTO t VALUES (1);
});
	$admin->query_safe('SELECT pg_advisory_lock(2)');
	my ($in, $out, $err) = ('', '', '');
	local $ENV{PGOPTIONS} =
	  "-c pgpool_stats.pool=$pool -c pgpool_stats.instance=i";
	my $pgbench = IPC::Run::start(
		[
			'pgbench', '-n', '-M', $mode, '-t', '2', '-D', 'round=0', '-f',
			$script, '-h', $node->host, '-p', $node->port, 'postgres'
		],
		\$in, \$out, \$err);
	delete local $ENV{PGOPTIONS};

	my $waits = sub {
		my ($for) = @_;
		$node->poll_query_until('postgres',
			"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = '$for'"
		) or die "nobody waits for $for";
	};
	$waits->('advisory');
	$node->safe_psql('postgres', "SELECT pgpool_stats.reset('$pool')");
	$admin->query_safe("BEGIN;\nLOCK TABLE t;");
	$admin->query_safe('SELECT pg_advisory_unlock(2)');
	$waits->('relation');
	pass_time(0.5);
	$admin->query_safe('COMMIT');
	$pgbench->finish or die $err;
	$admin->quit;
	check("an INSERT of pgbench -M $mode that waits", $pool, 1, 500);
	return;
}
prepared_wait("waits-$_", $_) foreach ('simple', 'extended', 'prepared');

#
# Percentiles: a known mix.  What is shown is at most 1/8 off the time that
# the fraction did not exceed; sleeping takes a bit longer than asked for.
#
my $mix = session('mix');
$mix->query_safe("SELECT pgpool_stats.reset('mix')");
$mix->query_safe(
	join "\n", map { "SELECT pg_sleep($_);" } (
		(0) x 60, (0.02) x 30, (0.1) x 8, (0.4) x 2));
$mix->quit;
foreach my $case ([ 'p95', 100, 150 ], [ 'p99', 400, 500 ])
{
	my ($p, $from, $to) = @$case;
	my $time = figures('mix', "xact_time_$p");
	cmp_ok($time, '>=', $from * 7 / 8, "$p is not too small");
	cmp_ok($time, '<=', $to * 9 / 8,   "$p is not too big");
}
# the reset() itself is one of the fast ones
cmp_ok(figures('mix', 'xact_time_p50'), '<', 20, 'half of it is fast');
is(figures('mix', 'xacts'), '101', 'all are counted');
is( figures(
		'mix', 'abs(mean_xact_time - total_xact_time / xacts) < 0.000001'),
	't',
	'the mean is the mean');

# without any transaction there is no time
my $idle = session('idle');
is( figures(
		'idle',
		'xacts, total_xact_time, mean_xact_time, xact_time_p50, xact_time_p95, xact_time_p99'
	),
	'0|0||||',
	'nothing is known of no transaction');
$idle->quit;

$node->stop;
done_testing();
