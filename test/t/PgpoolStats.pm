# What the TAP tests share: a server that has the library, queries, waiting,
# sessions with labels, reports.  All of it is about the server started last.
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
	  started_at kill_hard labels background session sessions used pgbench
	  pgbench_at_gate waits pass_time report figures written_by
	  write_file module compiled));

my $node;

# A server with these lines of configuration besides the usual ones: a report
# does not get old by itself, however slow the machine is.
sub start_node
{
	my ($conf, %how) = @_;
	my $new = PostgreSQL::Test::Cluster->new($how{name} // 'main',
		install_path => $how{install_path});

	$new->init(allows_streaming => $how{streaming});
	$new->append_conf('postgresql.conf',
		"shared_preload_libraries = 'pgpool_stats'\n"
		  . "compute_query_id = on\n"
		  . "pgpool_stats.sample_interval = 100ms\n"
		  . "pgpool_stats.stale_after = 1h\n"
		  . ($conf // ''));
	{
		local %ENV = (%ENV, %{ $how{environment} // {} });
		$new->start;
	}
	$node = $new;
	sql('CREATE EXTENSION pgpool_stats');
	return $node;
}

# Parameters of psql() with "as", a role, and "on", a database, understood
sub parameters
{
	my (%params) = @_;
	my $role = delete $params{as};
	my $database = delete $params{on} // 'postgres';

	$params{extra_params} = [ '-U', $role, @{ $params{extra_params} // [] } ]
	  if defined $role;
	return ($database, %params);
}

# What a script of test/ writes
sub written_by
{
	my ($file) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtqf', "test/$file", '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
		'<', \undef, '>', \$out, '2>', \$err);
	die "$file: $err" if $err ne '';
	return $out;
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
			pgpool_stats.pools WHERE pool = '$pool' GROUP BY modification});
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

# A session that goes on after errors; parameters as of sql()
sub background
{
	my ($database, %params) = parameters(@_);

	return $node->background_psql($database, on_error_stop => 0, %params);
}

# One of a pool; "as" is its role, "on" its database
sub session
{
	my ($pool, %more) = @_;
	my %where = map { $_ => delete $more{$_} } qw(as on);

	local $ENV{PGOPTIONS} = labels($pool, %more);
	return background(%where);
}

sub sessions
{
	my ($n, @which) = @_;

	return map { session(@which) } 1 .. $n;
}

# The same, and they have run something
sub used
{
	my @sessions = sessions(@_);

	$_->query_safe('SELECT 1') foreach @sessions;
	return @sessions;
}

# Start pgbench with a script, at the server unless another place is said.
sub pgbench
{
	my ($script, $connstr, @arguments) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';

	append_to_file($file, $script);
	return IPC::Run::start(
		[
			'pgbench', '-n', '-f', $file, @arguments,
			$connstr // $node->connstr('postgres')
		],
		'<', \undef, '>', "$file.out", '2>&1');
}

# So many clients of pgbench, with these labels, run a statement twice: the
# first time they prepare it, the second time they wait at a gate, which is
# another pool's affair.  It opens when the session that is returned, too,
# unlocks 2.
sub pgbench_at_gate
{
	my ($labels, $n, $mode, $statement) = @_;
	my $gate = background();

	$gate->query_safe('SELECT pg_advisory_lock(2)');
	local $ENV{PGOPTIONS} = $labels;
	my $pgbench = pgbench(
		qq{
\\set round :round + 1
BEGIN;
SET LOCAL pgpool_stats.pool = 'gate';
SELECT pg_advisory_xact_lock_shared(:round);
COMMIT;
$statement;
}, undef, '-M', $mode, '-c', $n, '-t', '2', '-D', 'round=0');
	delete local $ENV{PGOPTIONS};
	waits($n, 'advisory');
	return ($pgbench, $gate);
}

# Wait until so many backends wait for something.
sub waits
{
	my ($n, $for) = @_;

	wait_for("SELECT count(*) = $n FROM pg_stat_activity WHERE wait_event = '$for'");
	return;
}

# Time passes that nothing of the test waits for in vain.
sub pass_time
{
	my ($seconds) = @_;

	sql("SELECT pg_sleep($seconds)");
	return;
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

sub write_file
{
	my ($path, $data) = @_;

	open my $file, '>:raw', $path or die "$path: $!";
	print $file $data;
	close $file;
	return;
}

# A library for the server, made of a source; its path without suffix
sub module
{
	my ($name, $source) = @_;
	my $path = PostgreSQL::Test::Utils::tempdir() . "/$name";
	my $include = `pg_config --includedir-server`;

	chomp $include;
	write_file("$path.c", $source);
	system_or_bail('gcc', '-shared', '-fPIC', '-w', "-I$include", '-o', "$path.so", "$path.c");
	return $path;
}

# What the compiler knows of a source of ours: the values of constant
# expressions, by a name each.  It says them among its assembler.
sub compiled
{
	my ($source, %expression) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/compiled.c';
	my $include = `pg_config --includedir-server`;
	my $lines = join '', map {
		"__asm__(\"\\n=== $_ %c0\" : : \"i\" ($expression{$_}));\n"
	} sort keys %expression;

	chomp $include;
	append_to_file($file, qq(#include "$source"\nvoid say(void) { $lines }\n));
	my $assembler = `gcc -S -w -o - -DPGPS_LAYOUT=0 -Isrc -I'$include' '$file'`;
	my %value = $assembler =~ /^=== (\w+) (-?\d+)$/mg;
	die "cannot compile $file" if keys %value < keys %expression;
	return %value;
}

1;
