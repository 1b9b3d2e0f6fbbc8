# Behind a PgBouncer in transaction mode that tracks the labels: two client
# pools share one server connection, and each transaction counts for the pool
# that sent it.
#
# PgBouncer tracks settings since 1.20.  The environment variable PGBOUNCER
# may name the binary.

use strict;
use warnings;
use Time::HiRes qw(time);
use PgpoolStats;
use Poolers;

my $pgbouncer = Poolers::find('pgbouncer', 'PGBOUNCER');
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

my $node = start_node(q{
listen_addresses = '127.0.0.1'
});
sql(q{
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
my $bouncer =
  Poolers->start('pgbouncer', $port, $pgbouncer, '-q', "$home/pgbouncer.ini");
ok($bouncer->listens, 'PgBouncer listens');

my %labels = (
	aaa => labels('aaa', instance => 'a1', pool_size => 5),
	bbb => labels('bbb', instance => 'b1'));

# Through PgBouncer, as a client of a pool
sub connstr
{
	my ($pool) = @_;

	return
	  "host=127.0.0.1 port=$port dbname=shared user=app options='$labels{$pool}'";
}

sub client
{
	my ($pool) = @_;

	# the last -d is the one
	return background(extra_params => [ '-d', connstr($pool) ]);
}

# What the rows of the application say
sub rows
{
	my ($columns) = @_;

	return sql(qq{
		SELECT string_agg(concat_ws(' ', pool, instance, $columns), ', '
			ORDER BY pool, instance)
		FROM pgpool_stats.instances
		WHERE usename = 'app' AND (xacts > 0 OR connections > 0)});
}

sub start_again
{
	sql('SELECT pgpool_stats.reset()');
	return;
}

my ($a, $b) = (client('aaa'), client('bbb'));
is($a->query_safe('SHOW pgpool_stats.pool'), 'aaa', 'the label of one client');
is($b->query_safe('SHOW pgpool_stats.pool'), 'bbb', 'the label of the other');
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
is(rows('xacts'), 'aaa a1 4, bbb b1 4', '8 transactions of clients are 8');
is(rows('in_xact'), 'aaa a1 0, bbb b1 0', 'none goes on');
is(sql(q{
		SELECT sum(connections), sum(connects), sum(disconnects)
		FROM pgpool_stats.instances WHERE usename = 'app'}),
	'1|0|0', 'one connection, and it was always there');

# unequal
start_again();
$a->query_safe("SELECT 1");
$b->query_safe("BEGIN;\nINSERT INTO t VALUES (1);\nCOMMIT;");
$b->query_safe("BEGIN;\nINSERT INTO t VALUES (1);\nROLLBACK;");
$a->query_safe("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 1;\nCOMMIT;");
is(rows('xacts'), 'aaa a1 3, bbb b1 2', 'blocks and chains');

# whose time it is
start_again();
my $start = time;
$a->query_safe('SELECT pg_sleep(0.2)');
my $between = time;
$b->query_safe('SELECT pg_sleep(0.5)');
my $after = time;
$a->query_safe('SELECT 1');
my $of_b = 1000 * ($after - $between);
my $of_a = 1000 * (time - $start) - 500;
is(rows("xacts, total_xact_time BETWEEN 200 AND $of_a, total_xact_time BETWEEN 500 AND $of_b"),
	'aaa a1 2 t f, bbb b1 1 f t', 'times are those of each')
  or diag rows('total_xact_time');

# who holds it now
$b->query_safe('BEGIN');
is(rows('in_xact, connections, peak_in_xact'),
	'aaa a1 0 0 1, bbb b1 1 1 1', 'the connection is where it is used');
$b->query_safe('COMMIT');

# labels of a transaction
start_again();
$a->query_safe(
	"BEGIN;\nSET LOCAL pgpool_stats.pool = 'ccc';\nSELECT 1;\nCOMMIT;");
$b->query_safe("BEGIN;\nSET LOCAL pgpool_stats.pool = 'ccc';\nCOMMIT;");
$a->query_safe('SELECT 1');
is(rows('xacts'), 'aaa a1 1, ccc a1 1, ccc b1 1', 'SET LOCAL');

# the other protocol, and many clients
start_again();
my $script = "SELECT 1;\n";
foreach my $pool ('aaa', 'bbb')
{
	ok(pgbench($script, connstr($pool), '-M', 'extended', '-c', '4', '-t', '25')
		  ->finish, "pgbench for $pool");
}
is(rows('xacts'),
	'aaa a1 100, bbb b1 100', 'the extended protocol, each with 4 clients');
start_again();
my @running = map { pgbench($script, connstr($_), '-c', '4', '-t', '100') }
  ('aaa', 'bbb');
ok($_->finish, 'pgbench beside another') foreach @running;
is(rows('xacts, peak_in_xact'), 'aaa a1 400 1, bbb b1 400 1', 'both at once');

# no alarm for what a pooler does
is(sql(q{
		SELECT count(*) FROM pgpool_stats.instances
		WHERE usename = 'app' AND connections > 0 AND unclaimed IS NOT NULL}),
	'0', 'what is not claimed is not told');

$_->quit foreach ($a, $b);
$bouncer->stop;
$node->stop;
done_testing();
