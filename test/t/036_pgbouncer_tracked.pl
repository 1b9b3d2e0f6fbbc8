
# Behind a PgBouncer in transaction mode that tracks the labels: two client
# pools share one server connection, and each transaction counts for the pool
# that sent it.
#
# PgBouncer tracks settings since 1.20.  The environment variable PGBOUNCER
# may name the binary.

use strict;
use warnings;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $pgbouncer = $ENV{PGBOUNCER};
if (!$pgbouncer)
{
	($pgbouncer) = grep { -x } map { "$_/pgbouncer" }
	  (split(/:/, $ENV{PATH}), '/usr/sbin');
}
plan skip_all => 'there is no PgBouncer; PGBOUNCER may name one'
  unless $pgbouncer;
my $version = `"$pgbouncer" --version 2>&1`;
my ($major, $minor) = $version =~ /PgBouncer (\d+)\.(\d+)/;
plan skip_all => "$pgbouncer does not tell its version"
  unless defined $minor;
plan skip_all =>
  "PgBouncer $major.$minor cannot track settings, 1.20 can; PGBOUNCER may name a newer one"
  if $major == 1 && $minor < 20;
note "PgBouncer $major.$minor";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
listen_addresses = '127.0.0.1'
pgpool_stats.sample_interval = 100ms
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	CREATE ROLE app LOGIN;
	CREATE TABLE t (a int);
	GRANT ALL ON t TO app;
});

my $home = $node->basedir;
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $tracked =
  'IntervalStyle, pgpool_stats.pool, pgpool_stats.instance, pgpool_stats.pool_size';
append_to_file("$home/users", qq{"app" ""\n});
append_to_file(
	"$home/pgbouncer.ini", qq{
[databases]
shared = host=127.0.0.1 port=@{[$node->port]} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $home/users
logfile = $home/pgbouncer.log
pool_mode = transaction
default_pool_size = 1
track_extra_parameters = $tracked
});
my ($in, $out, $err) = ('', '', '');
my $bouncer =
  IPC::Run::start([ $pgbouncer, '-q', "$home/pgbouncer.ini" ],
	\$in, \$out, \$err);

sub connstr
{
	my ($options) = @_;

	return
	  "host=127.0.0.1 port=$port dbname=shared user=app options='$options'";
}

my %labels = (
	aaa =>
	  '-c pgpool_stats.pool=aaa -c pgpool_stats.instance=a1 -c pgpool_stats.pool_size=5',
	bbb => '-c pgpool_stats.pool=bbb -c pgpool_stats.instance=b1');

my $listens = 0;
foreach my $try (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
{
	last if !$bouncer->pumpable;
	$listens = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $port) ? 1 : 0;
	last if $listens;
	select(undef, undef, undef, 0.01);
}
ok($listens, 'PgBouncer listens') or BAIL_OUT($err);

sub session
{
	my ($pool) = @_;

	# the last -d is the one
	return $node->background_psql('postgres',
		extra_params => [ '-d', connstr($labels{$pool}) ]);
}

# What the rows of the application say
sub figures
{
	my ($columns) = @_;

	return $node->safe_psql(
		'postgres', qq{
		SELECT string_agg(concat_ws(' ', pool, instance, $columns), ', '
			ORDER BY pool, instance)
		FROM pgpool_stats.instances
		WHERE usename = 'app' AND (xacts > 0 OR connections > 0)});
}

sub start_again
{
	$node->safe_psql('postgres', 'SELECT pgpool_stats.reset()');
	return;
}

my ($a, $b) = (session('aaa'), session('bbb'));
is($a->query_safe('SHOW pgpool_stats.pool'), 'aaa', 'the label of one client');
is($b->query_safe('SHOW pgpool_stats.pool'),
	'bbb', 'the label of the other');
is( $a->query_safe('SELECT pg_backend_pid()'),
	$b->query_safe('SELECT pg_backend_pid()'),
	'they share a server connection');
start_again();

# 8 transactions, in turn: PgBouncer sends its own SETs in between
foreach my $i (1 .. 4)
{
	$a->query_safe('SELECT 1');
	$b->query_safe('SELECT 1');
}
is(figures('xacts'), 'aaa a1 4, bbb b1 4', '8 transactions of clients are 8');
is(figures('in_xact'), 'aaa a1 0, bbb b1 0', 'none goes on');
is( $node->safe_psql(
		'postgres', q{
		SELECT sum(connections), sum(connects), sum(disconnects)
		FROM pgpool_stats.instances WHERE usename = 'app'}),
	'1|0|0',
	'one connection, and it was always there');

# unequal
start_again();
$a->query_safe("SELECT 1");
$b->query_safe("BEGIN;\nINSERT INTO t VALUES (1);\nCOMMIT;");
$b->query_safe("BEGIN;\nINSERT INTO t VALUES (1);\nROLLBACK;");
$a->query_safe("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 1;\nCOMMIT;");
is(figures('xacts'), 'aaa a1 3, bbb b1 2', 'blocks and chains');

# whose time it is
start_again();
$a->query_safe('SELECT pg_sleep(0.2)');
$b->query_safe('SELECT pg_sleep(0.5)');
$a->query_safe('SELECT 1');
is( figures(
		q{xacts, total_xact_time BETWEEN 200 AND 400, total_xact_time BETWEEN 500 AND 700}
	),
	'aaa a1 2 t f, bbb b1 1 f t',
	'times are those of each')
  or diag figures('total_xact_time');

# who holds it now
$b->query_safe('BEGIN');
is(figures('in_xact, connections, peak_in_xact'),
	'aaa a1 0 0 1, bbb b1 1 1 1', 'the connection is where it is used');
$b->query_safe('COMMIT');

# labels of a transaction
start_again();
$a->query_safe(
	"BEGIN;\nSET LOCAL pgpool_stats.pool = 'ccc';\nSELECT 1;\nCOMMIT;");
$b->query_safe("BEGIN;\nSET LOCAL pgpool_stats.pool = 'ccc';\nCOMMIT;");
$a->query_safe('SELECT 1');
is(figures('xacts'), 'aaa a1 1, ccc a1 1, ccc b1 1', 'SET LOCAL');

# the other protocol, and many clients
start_again();
my $script = "$home/script.sql";
append_to_file($script, "SELECT 1;\n");
foreach my $pool ('aaa', 'bbb')
{
	local $ENV{PGOPTIONS} = '';
	ok( $node->run_log(
			[
				'pgbench', '-n', '-M', 'extended', '-c', '4', '-t', '25',
				'-f', $script, connstr($labels{$pool})
			]),
		"pgbench for $pool");
}
is( figures('xacts'),
	'aaa a1 100, bbb b1 100',
	'the extended protocol, each with 4 clients');
start_again();
my @running = map {
	my ($in, $out, $err) = ('', '', '');
	IPC::Run::start(
		[
			'pgbench', '-n', '-c', '4', '-t', '100', '-f', $script,
			connstr($labels{$_})
		],
		\$in, \$out, \$err);
} ('aaa', 'bbb');
ok($_->finish, 'pgbench beside another') foreach @running;
is(figures('xacts, peak_in_xact'),
	'aaa a1 400 1, bbb b1 400 1', 'both at once');

# no alarm for what a pooler does
is( $node->safe_psql(
		'postgres', q{
		SELECT count(*) FROM pgpool_stats.instances
		WHERE usename = 'app' AND connections > 0 AND unclaimed IS NOT NULL}),
	'0',
	'what is not claimed is not told');

$_->quit foreach ($a, $b);
$bouncer->signal('INT');
eval { $bouncer->finish };
$node->stop;
done_testing();
