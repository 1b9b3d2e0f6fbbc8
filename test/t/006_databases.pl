
# Several databases; the extension, roles and databases come and go.

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
pgpool_stats.sample_interval = 100ms
pgpool_stats.save_interval = 1s
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	CREATE DATABASE shop;
	CREATE ROLE app LOGIN CONNECTION LIMIT 20;
	CREATE ROLE plain LOGIN;
});
$node->safe_psql('shop', 'CREATE EXTENSION pgpool_stats');

sub report
{
	my ($database, $role, $pool, $checkouts) = @_;

	return $node->safe_psql(
		$database,
		qq{SELECT pgpool_stats.report('$pool',
			'{"pool_size": 5, "open": 2, "checkouts": $checkouts}', 'i')},
		extra_params => [ '-U', $role ]);
}

#
# One registry, whatever database is asked
#
report('postgres', 'app', 'orders', 10);
report('shop', 'app', 'orders', 20);
my $query = q{
	SELECT datname, usename, checkouts FROM pgpool_stats.pools
	WHERE pool = 'orders' ORDER BY 1, 2};
my $orders = "postgres|app|10\nshop|app|20";
is($node->safe_psql('postgres', $query),
	$orders, 'a pool of the same name in two databases is two pools');
is($node->safe_psql('shop', $query), $orders, 'both databases show both');
$node->safe_psql('shop', 'DROP EXTENSION pgpool_stats');
is($node->safe_psql('postgres', $query),
	$orders, 'dropping the extension in one leaves the other');
$node->safe_psql('shop', 'CREATE EXTENSION pgpool_stats');
is($node->safe_psql('shop', $query), $orders, 'and it finds them again');

#
# DROP and CREATE EXTENSION while reports go on
#
my $script = $node->basedir . '/report.sql';
append_to_file(
	$script, q{
\set k :k + 1
DO $$
BEGIN
	PERFORM pgpool_stats.report('busy', '{"checkouts": :k}', 'i:client_id');
EXCEPTION WHEN OTHERS THEN
	NULL;	-- not there at the moment
END
$$;
});
my ($out, $err) = ('', '');
my $pgbench = do
{
	local %ENV = $node->_get_env();
	IPC::Run::start(
		[
			'pgbench', '-n', '-c', '4', '-j', '1', '-T', '4', '-D', 'k=0',
			'-f', $script, 'shop'
		],
		'>', \$out, '2>', \$err,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
};
$node->poll_query_until('postgres',
	q{SELECT checkouts > 0 FROM pgpool_stats.pools WHERE pool = 'busy'})
  or die 'no reports';
my $before = 0;
my $decreased = 0;
foreach my $i (1 .. 10)
{
	$node->safe_psql('shop', 'DROP EXTENSION pgpool_stats');
	$node->safe_psql('shop', 'CREATE EXTENSION pgpool_stats');
	my $now = $node->safe_psql('postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'busy'});
	$decreased++ if $now < $before;
	$before = $now;
}
ok($pgbench->finish, 'reports go on while the extension is dropped and made')
  or diag $err;
is($decreased, 0, 'and no counter decreases');

#
# The collector is in nobody's way
#
my $collector = $node->safe_psql('postgres',
	'SELECT collector_pid FROM pgpool_stats.info');
$node->poll_query_until('postgres',
	q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'shop'})
  or die 'sessions stay';
my ($ret, $stdout, $stderr) =
  $node->psql('postgres', 'CREATE DATABASE copy TEMPLATE shop');
is($ret, 0, 'CREATE DATABASE ... TEMPLATE is not blocked') or diag $stderr;
is($node->safe_psql('copy', 'SELECT loaded FROM pgpool_stats.info'),
	't', 'the copy has the extension');
report('copy', 'app', 'copied', 5);
$node->poll_query_until('postgres',
	q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'copy'})
  or die 'sessions stay';
($ret, $stdout, $stderr) = $node->psql('postgres', 'DROP DATABASE copy');
is($ret, 0, 'DROP DATABASE is not blocked') or diag $stderr;
($ret, $stdout, $stderr) =
  $node->psql('postgres', 'ALTER DATABASE shop RENAME TO market');
is($ret, 0, 'ALTER DATABASE ... RENAME is not blocked') or diag $stderr;
is( $node->safe_psql(
		'postgres', 'SELECT collector_pid FROM pgpool_stats.info'),
	$collector,
	'the collector was not ended for it');

#
# What is dropped stays readable, what is renamed shows its new name
#
is( $node->safe_psql(
		'postgres',
		q{SELECT datname, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders') ORDER BY 1}),
	"copy|5\nmarket|20\npostgres|10",
	'a dropped database keeps its name, a renamed one has its new one');

report('postgres', 'plain', 'plain', 7);
$node->poll_query_until('postgres',
	q{SELECT count(*) = 0 FROM pg_stat_activity WHERE usename IN ('app', 'plain')})
  or die 'sessions stay';
$node->safe_psql(
	'postgres', q{
	DROP ROLE app;
	ALTER ROLE plain RENAME TO fancy;
});
is( $node->safe_psql(
		'postgres',
		q{SELECT pool, datname, usename, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders', 'plain') ORDER BY 1, 2}),
	"copied|copy|app|5\norders|market|app|20\norders|postgres|app|10\nplain|postgres|fancy|7",
	'a dropped role keeps its name, a renamed one has its new one');
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*) FROM pgpool_stats.instances
		  WHERE pool IN ('copied', 'orders') AND usename = 'app'}),
	'3',
	'instances of a dropped role are readable');
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*) FROM pgpool_stats.overview
		  WHERE pool IN ('copied', 'orders')}),
	'3',
	'so are they in overview');
is( $node->safe_psql(
		'postgres', q{
		SELECT scope, name FROM pgpool_stats.budget
		WHERE name IN ('app', 'copy', 'shop', 'market', 'fancy', 'plain')
		ORDER BY 1, 2}),
	"database|market\nrole|fancy",
	'the budget has what is there');
my $committed = $node->safe_psql('postgres',
	q{SELECT committed FROM pgpool_stats.budget WHERE scope = 'server'});
cmp_ok($committed, '>=', 20, 'and counts what a dropped role may still hold');
($ret, $stdout, $stderr) = $node->psql('postgres',
	q{SELECT scope FROM pgpool_stats.check_budget(1, role => 'app')});
is("$ret $stdout", '0 server', 'a plan for a dropped role has no role limit');
like($stderr, qr/NOTICE:  role "app" does not exist/, 'and says so');

# an ordinary role is not told of a dropped one's
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*) FROM pgpool_stats.pools WHERE usename = 'app'},
		extra_params => [ '-U', 'fancy' ]),
	'0',
	'an ordinary role does not see them');

# over a restart, too
$node->restart;
is( $node->safe_psql(
		'postgres',
		q{SELECT pool, datname, usename, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders', 'plain') ORDER BY 1, 2}),
	"copied|copy|app|5\norders|market|app|20\norders|postgres|app|10\nplain|postgres|fancy|7",
	'all of that after a restart');

#
# reset by role
#
$node->safe_psql('postgres', q{SELECT pgpool_stats.reset(usename => 'app')});
is( $node->safe_psql(
		'postgres',
		q{SELECT pool, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders', 'plain') ORDER BY pool, datname}),
	"copied|0\norders|0\norders|0\nplain|7",
	'reset for a dropped role');
$node->safe_psql('postgres', q{SELECT pgpool_stats.reset(usename => 'fancy')});
is( $node->safe_psql(
		'postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'plain'}),
	'0',
	'reset for a renamed role, by its new name');
($ret, $stdout, $stderr) =
  $node->psql('postgres', q{SELECT pgpool_stats.reset(usename => 'nobody')});
isnt($ret, 0, 'reset for a role that never was fails');
like($stderr, qr/role "nobody" does not exist/, 'and says why');

# A new role of an old name is another role.
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
report('postgres', 'app', 'orders', 1);
is( $node->safe_psql(
		'postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'orders'},
		extra_params => [ '-U', 'app' ]),
	'1',
	"a new role does not see what an old one of its name left");

$node->stop;
done_testing();
