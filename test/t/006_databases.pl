# Several databases; the extension, roles and databases come and go.

use strict;
use warnings;
use PgpoolStats;

# A report of a role in a database
sub report_in
{
	my ($database, $role, $pool, $checkouts) = @_;

	return report($pool, qq({"pool_size": 5, "open": 2, "checkouts": $checkouts}),
		on => $database, as => $role);
}

my $node = start_node(q{
pgpool_stats.save_interval = 1s
});
sql(q{
	CREATE DATABASE shop;
	CREATE ROLE app LOGIN CONNECTION LIMIT 20;
	CREATE ROLE plain LOGIN;
});
sql('CREATE EXTENSION pgpool_stats', on => 'shop');

#
# One registry, whatever database is asked
#
report_in('postgres', 'app', 'orders', 10);
report_in('shop', 'app', 'orders', 20);
my $query = q{
	SELECT datname, usename, checkouts FROM pgpool_stats.pools
	WHERE pool = 'orders' ORDER BY 1, 2};
my $orders = "postgres|app|10\nshop|app|20";
is(sql($query),
	$orders, 'a pool of the same name in two databases is two pools');
is(sql($query, on => 'shop'), $orders, 'both databases show both');
sql('DROP EXTENSION pgpool_stats', on => 'shop');
is(sql($query), $orders, 'dropping the extension in one leaves the other');
sql('CREATE EXTENSION pgpool_stats', on => 'shop');
is(sql($query, on => 'shop'), $orders, 'and it finds them again');

#
# DROP and CREATE EXTENSION while reports go on
#
my $pgbench = pgbench(q{
\set k :k + 1
DO $$
BEGIN
	PERFORM pgpool_stats.report('busy', '{"checkouts": :k}', 'i:client_id');
EXCEPTION WHEN OTHERS THEN
	NULL;	-- not there at the moment
END
$$;
},
	$node->connstr('shop'), '-c', '4', '-T', '4', '-D', 'k=0');
wait_for(q{SELECT checkouts > 0 FROM pgpool_stats.pools WHERE pool = 'busy'});
my $before = 0;
my $decreased = 0;
foreach my $i (1 .. 10)
{
	sql('DROP EXTENSION pgpool_stats', on => 'shop');
	sql('CREATE EXTENSION pgpool_stats', on => 'shop');
	my $now = sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'busy'});
	$decreased++ if $now < $before;
	$before = $now;
}
ok($pgbench->finish, 'reports go on while the extension is dropped and made');
is($decreased, 0, 'and no counter decreases');

#
# The collector is in nobody's way
#
my $collector = sql('SELECT collector_pid FROM pgpool_stats.info');
wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'shop'});
my ($ret, $stdout, $stderr) =
  psql('CREATE DATABASE copy TEMPLATE shop');
is($ret, 0, 'CREATE DATABASE ... TEMPLATE is not blocked') or diag $stderr;
is(sql('SELECT loaded FROM pgpool_stats.info', on => 'copy'),
	't', 'the copy has the extension');
report_in('copy', 'app', 'copied', 5);
wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'copy'});
($ret, $stdout, $stderr) = psql('DROP DATABASE copy');
is($ret, 0, 'DROP DATABASE is not blocked') or diag $stderr;
($ret, $stdout, $stderr) =
  psql('ALTER DATABASE shop RENAME TO market');
is($ret, 0, 'ALTER DATABASE ... RENAME is not blocked') or diag $stderr;
is(sql('SELECT collector_pid FROM pgpool_stats.info'),
	$collector, 'the collector was not ended for it');

#
# What is dropped stays readable, what is renamed shows its new name
#
is(sql(q{SELECT datname, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders') ORDER BY 1}),
	"copy|5\nmarket|20\npostgres|10",
	'a dropped database keeps its name, a renamed one has its new one');

report_in('postgres', 'plain', 'plain', 7);
wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE usename IN ('app', 'plain')});
sql(q{
	DROP ROLE app;
	ALTER ROLE plain RENAME TO fancy;
});
is(sql(q{SELECT pool, datname, usename, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders', 'plain') ORDER BY 1, 2}),
	"copied|copy|app|5\norders|market|app|20\norders|postgres|app|10\nplain|postgres|fancy|7",
	'a dropped role keeps its name, a renamed one has its new one');
is(sql(q{SELECT count(*) FROM pgpool_stats.instances
		  WHERE pool IN ('copied', 'orders') AND usename = 'app'}),
	'3', 'instances of a dropped role are readable');
is(sql(q{SELECT count(*) FROM pgpool_stats.overview
		  WHERE pool IN ('copied', 'orders')}),
	'3', 'so are they in overview');
is(sql(q{
		SELECT scope, name FROM pgpool_stats.budget
		WHERE name IN ('app', 'copy', 'shop', 'market', 'fancy', 'plain')
		ORDER BY 1, 2}),
	"database|market\nrole|fancy", 'the budget has what is there');
my $committed = sql(q{SELECT committed FROM pgpool_stats.budget WHERE scope = 'server'});
cmp_ok($committed, '>=', 20, 'and counts what a dropped role may still hold');
($ret, $stdout, $stderr) = psql(q{SELECT scope FROM pgpool_stats.check_budget(1, role => 'app')});
is("$ret $stdout", '0 server', 'a plan for a dropped role has no role limit');
like($stderr, qr/NOTICE:  role "app" does not exist/, 'and says so');

# an ordinary role is not told of a dropped one's
is(sql(q{SELECT count(*) FROM pgpool_stats.pools WHERE usename = 'app'}, as => 'fancy'),
	'0', 'an ordinary role does not see them');

# over a restart, too
$node->restart;
is(sql(q{SELECT pool, datname, usename, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders', 'plain') ORDER BY 1, 2}),
	"copied|copy|app|5\norders|market|app|20\norders|postgres|app|10\nplain|postgres|fancy|7",
	'all of that after a restart');

#
# reset by role
#
sql(q{SELECT pgpool_stats.reset(usename => 'app')});
is(sql(q{SELECT pool, checkouts FROM pgpool_stats.pools
		  WHERE pool IN ('copied', 'orders', 'plain') ORDER BY pool, datname}),
	"copied|0\norders|0\norders|0\nplain|7", 'reset for a dropped role');
sql(q{SELECT pgpool_stats.reset(usename => 'fancy')});
is(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'plain'}),
	'0', 'reset for a renamed role, by its new name');
($ret, $stdout, $stderr) =
  psql(q{SELECT pgpool_stats.reset(usename => 'nobody')});
isnt($ret, 0, 'reset for a role that never was fails');
like($stderr, qr/role "nobody" does not exist/, 'and says why');

# A new role of an old name is another role.
sql('CREATE ROLE app LOGIN');
report_in('postgres', 'app', 'orders', 1);
is(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'orders'}, as => 'app'),
	'1', "a new role does not see what an old one of its name left");

$node->stop;
done_testing();
