# What the TAP tests share: a server that has the library, queries, waiting,
# sessions with labels, reports.  All of it is about the first server started.
package PgpoolStats;

use strict;
use warnings;

use Carp;
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = (
	@PostgreSQL::Test::Utils::EXPORT,
	@Test::More::EXPORT,
	qw(start_node sql psql wait_for becomes set_to next_pass wait_saved
	  started_at kill_hard labels session sessions pgbench report figures));

my $node;

# A server with these lines of configuration besides the usual ones
sub start_node
{
	my ($conf, %how) = @_;
	my $new = PostgreSQL::Test::Cluster->new($how{name} // 'main');

	$new->init(allows_streaming => $how{streaming});
	$new->append_conf('postgresql.conf',
		"shared_preload_libraries = 'pgpool_stats'\n"
		  . "pgpool_stats.sample_interval = 100ms\n"
		  . ($conf // ''));
	$new->start;
	$new->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats');
	$node //= $new;
	return $new;
}

# Parameters of psql() with "as", a role, and "on", a database, understood
sub parameters
{
	my (%params) = @_;
	my $role = delete $params{as};
	my $database = delete $params{on} // 'postgres';

	unshift @{ $params{extra_params} }, '-U', $role if defined $role;
	return ($database, %params);
}

sub sql
{
	my ($query, @params) = @_;
	my ($database, %params) = parameters(@params);

	return $node->safe_psql($database, $query, %params);
}

# The same, for what may fail: exit status, output, errors
sub psql
{
	my ($query, @params) = @_;
	my ($database, %params) = parameters(@params);

	return $node->psql($database, $query, %params);
}

# Wait until a query answers what is expected, true if nothing is said.
sub wait_for
{
	my ($query, $expected) = @_;

	$node->poll_query_until('postgres', $query, $expected)
	  or croak 'gave up waiting';
	return;
}

sub becomes
{
	my ($query, $expected, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($node->poll_query_until('postgres', $query, $expected), $name);
}

# Change a setting of ours, and wait until new sessions have it.
sub set_to
{
	my ($name, $value) = @_;

	$node->append_conf('postgresql.conf', "pgpool_stats.$name = '$value'");
	$node->reload;
	wait_for("SHOW pgpool_stats.$name", $value);
	return;
}

# Wait for the end of a pass of the collector that has yet to begin.
sub next_pass
{
	my $now = sql('SELECT clock_timestamp()');

	wait_for("SELECT last_pass > '$now' FROM pgpool_stats.info");
	return;
}

# Wait until the last report of a pool is saved.  A file's time is in whole
# seconds.
sub wait_saved
{
	my ($pool) = @_;

	wait_for(qq{
		SELECT modification > max(last_report) + interval '1 s'
		FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true),
			pgpool_stats.pools WHERE pool = '$pool' GROUP BY 1, modification});
	return;
}

sub started_at
{
	return sql('SELECT started_at FROM pgpool_stats.info');
}

# kill -9, and wait until the server has started again.
sub kill_hard
{
	my ($pid) = @_;
	my $before = started_at();

	kill 'KILL', $pid;
	wait_for("SELECT started_at > '$before' FROM pgpool_stats.info");
	return;
}

# The options of a connection that is of a pool: labels('orders', pool_size => 5)
sub labels
{
	my ($pool, %more) = @_;
	my %label = (pool => $pool, instance => 'i', %more);

	return join ' ', map { "-c pgpool_stats.$_=$label{$_}" } sort keys %label;
}

# A session of a pool that goes on after errors; "as" is its role
sub session
{
	my ($pool, %more) = @_;
	my $role = delete $more{as};

	local $ENV{PGOPTIONS} = labels($pool, %more);
	return $node->background_psql(
		'postgres',
		on_error_stop => 0,
		extra_params => [ defined $role ? ('-U', $role) : () ]);
}

sub sessions
{
	my ($n, @which) = @_;

	return map { session(@which) } 1 .. $n;
}

# Start pgbench with a script.
sub pgbench
{
	my ($script, @arguments) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';

	append_to_file($file, $script);
	return IPC::Run::start([ 'pgbench', '-n', '-f', $file, @arguments ],
		'<', \undef, '>', "$file.out", '2>&1');
}

sub report
{
	my ($pool, $stats, %more) = @_;
	my $instance = delete $more{instance} // 'i';

	return sql("SELECT pgpool_stats.report('$pool', '$stats', '$instance')", %more);
}

# Columns of the instances of a pool
sub figures
{
	my ($pool, $columns) = @_;

	return sql("SELECT $columns FROM pgpool_stats.instances WHERE pool = '$pool'");
}

1;
