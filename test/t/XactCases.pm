# A case of transactions: they are counted as often as a DBA would, and nobody is
# left "in a transaction".
#
# Each case has a pool of its own that is full with one transaction.  The
# count behind peaks and exhaustion is in no column, but shows: reset() starts
# peak_in_xact with it, and a pool whose count is left behind is exhausted
# for ever.  No collector looks in between: this is about events alone.
package XactCases;

use strict;
use warnings;

use Exporter 'import';
use PgpoolStats;

our @EXPORT = qw($pool start_cases case sql_case case_session run_sql
  run_pgbench send_sql gone end_cases);

our $pool;    # of the case
my $last_pool = 0;
my $node;

sub start_cases
{
	$node = start_node(q{
max_prepared_transactions = 10
max_connections = 40
wal_level = minimal
max_wal_senders = 0
pgpool_stats.sample_interval = 60s
});
	sql(q{
		CREATE ROLE app LOGIN SUPERUSER;
		CREATE TABLE t (a int);
		CREATE TABLE big AS SELECT generate_series(1, 20000) AS a;
		ANALYZE big;
		CREATE TABLE indexed AS SELECT generate_series(1, 100) AS a;
	});
	return $node;
}

# Statements in a session of the pool, one after the other
sub run_sql
{
	my ($sql, %more) = @_;

	local $ENV{PGOPTIONS} = labels($pool, pool_size => 1) . ($more{options} // '');
	return psql($sql,
		on_error_stop => 0,
		as => 'app',
		extra_params => $more{params});
}

# A session of the pool, and its backend
sub case_session
{
	my $session = session($pool, pool_size => 1, as => 'app');

	return ($session,
		sql(q{SELECT pid FROM pg_stat_activity WHERE usename = 'app'}));
}

sub run_pgbench
{
	local $ENV{PGOPTIONS} = labels($pool, pool_size => 1);
	return pgbench($_[0], undef, '-U', 'app', @_[ 1 .. $#_ ])->finish;
}

# Send what will not return, and wait until it runs or waits.
sub send_sql
{
	my ($session, $pid, $sql, $condition) = @_;

	$session->query_until(qr/sent/, "\\echo sent\n$sql\n");
	wait_for("SELECT $condition FROM pg_stat_activity WHERE pid = $pid");
	return;
}

sub gone
{
	wait_for(qq{
		SELECT sum(connections) = 0 FROM pgpool_stats.pools
		WHERE pool = '$pool'});
	return;
}

# Do something; then so many transactions are counted, and nothing is left.
sub case
{
	my ($name, $xacts, $do) = @_;

	$pool = 'case-' . ++$last_pool;
	$do->();
	gone();
	is(sql("SELECT in_xact, xacts FROM pgpool_stats.instances WHERE pool = '$pool'"),
		"0|$xacts", "$name: $xacts transactions, none left");
	sql("SELECT pgpool_stats.reset('$pool')");
	is(sql("SELECT peak_in_xact, exhausted_count, exhausted_time
			 FROM pgpool_stats.instances WHERE pool = '$pool'"),
		'0|0|0', "$name: events count none, either");
	run_sql('SELECT 1');
	gone();
	is(sql("SELECT xacts, peak_in_xact, exhausted_count,
				exhausted_time > 0 AND exhausted_time <= total_xact_time
			 FROM pgpool_stats.instances WHERE pool = '$pool'"),
		'1|1|1|t', "$name: one more is one more");
	return;
}

# a case that is nothing but statements
sub sql_case
{
	my ($name, $xacts, $sql) = @_;

	case($name, $xacts, sub { run_sql($sql) });
	return;
}

sub end_cases
{
	is(sql('SELECT count(*) FROM pgpool_stats.instances
			 WHERE in_xact <> 0 AND source = \'label\''),
		'0', 'nobody is in a transaction');
	$node->stop;
	unlike(slurp_file($node->logfile),
		qr/PANIC|signal 11|signal 6|TRAP/, 'nothing crashed');
	done_testing();
	return;
}

1;
