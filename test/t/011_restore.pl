
# What is loaded at a start meets less room than there was, or just as much.

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
max_connections = 20
restart_after_crash = on
pgpool_stats.max_pools = 24
pgpool_stats.max_instances = 64
pgpool_stats.sample_interval = 100ms
pgpool_stats.track = none
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	CREATE ROLE one LOGIN;
	CREATE ROLE two LOGIN;
	CREATE ROLE three LOGIN;
});

# Each role: 12 pools (its share) with an instance that lives and one that
# said goodbye, and one more, which is (other).
foreach my $role ('one', 'two')
{
	my $sql = '';
	foreach my $i (1 .. 12)
	{
		$sql .=
		  "SELECT pgpool_stats.report('$role-$i', '{\"checkouts\": 1}', '$role-$i-old'),
			pgpool_stats.forget('$role-$i', '$role-$i-old'),
			pgpool_stats.report('$role-$i', '{\"checkouts\": 100}', '$role-$i-live');\n";
	}
	$sql .= "SELECT pgpool_stats.report('$role-13', '{\"checkouts\": 5}', 'i');";
	like(
		$node->safe_psql(
			'postgres', $sql, extra_params => [ '-U', $role ]),
		qr/^(t\|t\|t\n){12}f$/,
		"role $role has 12 pools, and (other)");
}

my $by_role = q{
	SELECT usename, sum(checkouts) FROM pgpool_stats.pools
	GROUP BY 1 ORDER BY 1};
my $by_pool = q{
	SELECT usename, pool, checkouts, instances FROM pgpool_stats.pools
	ORDER BY 1, 2};
my $strays = q{
	SELECT count(*) FROM pgpool_stats.instances
	WHERE instance <> '(other)' AND
		(pool || '-live' <> instance OR instance NOT LIKE usename || '-%')};
my $totals = "one|1212\ntwo|1212";
is($node->safe_psql('postgres', $by_role), $totals, 'totals of the roles');
my $pools = $node->safe_psql('postgres', $by_pool);

sub starts
{
	my ($what) = @_;

	$node->restart;
	my ($ret, $stdout, $stderr) = $node->psql('postgres',
		'SELECT count(*) FROM pgpool_stats.instances');
	is($ret, 0, "$what: instances can be read") or diag $stderr;
	return $ret == 0;
}

# Just as much room
ok(starts('full'), 'a full registry restarts');
is($node->safe_psql('postgres', $by_pool), $pools, 'full: pools are kept');
is($node->safe_psql('postgres', $strays),
	'0', 'full: every instance is in its own pool');

# Less room for pools: what does not fit goes to (other) of the role.
$node->append_conf('postgresql.conf', 'pgpool_stats.max_pools = 8');
ok(starts('max_pools'), 'smaller max_pools: the server starts');
is($node->safe_psql('postgres', $by_role),
	$totals, 'smaller max_pools: totals of the roles are kept');
is($node->safe_psql('postgres', $strays),
	'0', 'smaller max_pools: every instance is in its own pool or in (other)');
cmp_ok(
	$node->safe_psql(
		'postgres',
		q{SELECT count(*) FROM pgpool_stats.pools WHERE pool <> '(other)'}),
	'<=', 8,
	'smaller max_pools: it is heeded');
ok(starts('max_pools, again'), 'and starts again');
is($node->safe_psql('postgres', $by_role),
	$totals, 'again: totals of the roles are kept');
is($node->safe_psql('postgres', $strays),
	'0', 'again: every instance is in its own pool or in (other)');

$node->stop;

# Nobody is given what is another role's.
my $three = PostgreSQL::Test::Cluster->new('three');
$three->init;
$three->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.max_pools = 24
pgpool_stats.sample_interval = 100ms
pgpool_stats.track = none
});
$three->start;
$three->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE carol LOGIN;
});
foreach my $role ('alice', 'bob', 'carol')
{
	$three->safe_psql(
		'postgres',
		join('',
			map { "SELECT pgpool_stats.report('$role-$_', '{\"checkouts\": 100}', '$role-$_-live');\n" }
			  (1 .. 4)),
		extra_params => [ '-U', $role ]);
}
$three->append_conf('postgresql.conf', 'pgpool_stats.max_pools = 8');
$three->restart;
is( $three->safe_psql(
		'postgres',
		q{SELECT string_agg(instance, ',') FROM pgpool_stats.instances
		  WHERE instance <> '(other)' AND instance NOT LIKE 'carol-%'},
		extra_params => [ '-U', 'carol' ]),
	'',
	"smaller max_pools: no role is given another's instances");
is($three->safe_psql('postgres', $by_role),
	"alice|400\nbob|400\ncarol|400",
	"nor what they counted");
$three->stop;

# Less room for instances
my $wide = PostgreSQL::Test::Cluster->new('wide');
$wide->init;
$wide->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
max_connections = 20
pgpool_stats.max_instances = 64
pgpool_stats.sample_interval = 100ms
pgpool_stats.track = none
});
$wide->start;
my $sql = join '',
  map { "SELECT pgpool_stats.report('wide', '{\"checkouts\": 100}', 'w$_');\n" }
  (1 .. 30);
$wide->safe_psql('postgres', "CREATE EXTENSION pgpool_stats;\n$sql");
my $sum =
  q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'wide'};
is($wide->safe_psql('postgres', $sum), '3000', '30 instances');
$wide->append_conf('postgresql.conf', 'pgpool_stats.max_instances = 8');
$wide->restart;
is($wide->safe_psql('postgres', $sum),
	'3000', 'smaller max_instances: totals are kept');
is( $wide->safe_psql(
		'postgres',
		q{SELECT count(*) <= 8 FROM pgpool_stats.instances
		  WHERE instance <> '(other)'}),
	't',
	'smaller max_instances: it is heeded');

# Less room for connections, too
$wide->append_conf('postgresql.conf', 'max_connections = 10');
$wide->restart;
is($wide->safe_psql('postgres', $sum),
	'3000', 'smaller max_connections: totals are kept');
$wide->stop;

# As many roles as there are pools and (other) pools, and some more
my $roles = PostgreSQL::Test::Cluster->new('roles');
$roles->init;
$roles->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.max_pools = 8
pgpool_stats.max_instances = 8
pgpool_stats.sample_interval = 100ms
});
$roles->start;
$roles->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	DO $$
	BEGIN
		FOR i IN 1..90 LOOP
			EXECUTE format('CREATE ROLE role%s LOGIN', i);
		END LOOP;
	END
	$$});
$roles->safe_psql(
	'postgres',
	join "\n",
	map { "\\connect postgres role$_\nSELECT pgpool_stats.report('m', '{\"checkouts\": 1}', 'm');" }
	  (1 .. 90));
my $distinct = q{
	SELECT count(*) = count(DISTINCT (pool, datname, usename)), count(*) > 70
	FROM pgpool_stats.pools};
is($roles->safe_psql('postgres', $distinct), 't|t', '90 roles');

foreach my $time ('once', 'twice')
{
	$roles->stop;
	$roles->start;
	my ($ret, $stdout, $stderr) = $roles->psql('postgres', $distinct);
	is("$ret $stdout", '0 t|t', "90 roles, restarted $time") or last;
}
$roles->stop('fast', fail_ok => 1);

foreach my $n ($node, $three, $wide, $roles)
{
	my @crashes = slurp_file($n->logfile) =~ /(PANIC|terminated by signal)/g;
	is(scalar @crashes, 0, $n->name . ': nothing crashed');
}
done_testing();
