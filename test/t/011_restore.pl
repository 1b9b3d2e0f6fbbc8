# What is loaded at a start meets less room than there was, or just as much.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 20
restart_after_crash = on
pgpool_stats.max_pools = 24
pgpool_stats.max_instances = 64
pgpool_stats.track = none
});
sql(q{
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
		sql($sql, as => $role),
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
is(sql($by_role), $totals, 'totals of the roles');
my $pools = sql($by_pool);

sub starts
{
	my ($what) = @_;

	$node->restart;
	my ($ret, $stdout, $stderr) = psql('SELECT count(*) FROM pgpool_stats.instances');
	is($ret, 0, "$what: instances can be read") or diag $stderr;
	return $ret == 0;
}

# Just as much room
ok(starts('full'), 'a full registry restarts');
is(sql($by_pool), $pools, 'full: pools are kept');
is(sql($strays), '0', 'full: every instance is in its own pool');

# Less room for pools: what does not fit goes to (other) of the role.
$node->append_conf('postgresql.conf', 'pgpool_stats.max_pools = 8');
ok(starts('max_pools'), 'smaller max_pools: the server starts');
is(sql($by_role), $totals, 'smaller max_pools: totals of the roles are kept');
is(sql($strays),
	'0', 'smaller max_pools: every instance is in its own pool or in (other)');
cmp_ok(
	sql(q{SELECT count(*) FROM pgpool_stats.pools WHERE pool <> '(other)'}),
	'<=', 8, 'smaller max_pools: it is heeded');
ok(starts('max_pools, again'), 'and starts again');
is(sql($by_role), $totals, 'again: totals of the roles are kept');
is(sql($strays), '0', 'again: every instance is in its own pool or in (other)');

$node->stop;

# Nobody is given what is another role's.
my $three = start_node(q{
pgpool_stats.max_pools = 24
pgpool_stats.track = none
}, name => 'three');
sql(q{
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE carol LOGIN;
});
foreach my $role ('alice', 'bob', 'carol')
{
	sql(join('',
			map { "SELECT pgpool_stats.report('$role-$_', '{\"checkouts\": 100}', '$role-$_-live');\n" }
			  (1 .. 4)), as => $role);
}
$three->append_conf('postgresql.conf', 'pgpool_stats.max_pools = 8');
$three->restart;
is(sql(q{SELECT string_agg(instance, ',') FROM pgpool_stats.instances
		  WHERE instance <> '(other)' AND instance NOT LIKE 'carol-%'}, as => 'carol'),
	'',
	"smaller max_pools: no role is given another's instances");
is(sql($by_role), "alice|400\nbob|400\ncarol|400", "nor what they counted");
$three->stop;

# Less room for instances
my $wide = start_node(q{
max_connections = 20
pgpool_stats.max_instances = 64
pgpool_stats.track = none
}, name => 'wide');
my $sql = join '',
  map { "SELECT pgpool_stats.report('wide', '{\"checkouts\": 100}', 'w$_');\n" }
  (1 .. 30);
sql($sql);
my $sum =
  q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'wide'};
is(sql($sum), '3000', '30 instances');
$wide->append_conf('postgresql.conf', 'pgpool_stats.max_instances = 8');
$wide->restart;
is(sql($sum), '3000', 'smaller max_instances: totals are kept');
is(sql(q{SELECT count(*) <= 8 FROM pgpool_stats.instances
		  WHERE instance <> '(other)'}),
	't', 'smaller max_instances: it is heeded');

# Less room for connections, too
$wide->append_conf('postgresql.conf', 'max_connections = 10');
$wide->restart;
is(sql($sum), '3000', 'smaller max_connections: totals are kept');
$wide->stop;

# As many roles as there are pools and (other) pools, and some more
my $roles = start_node(q{
pgpool_stats.max_pools = 8
pgpool_stats.max_instances = 8
}, name => 'roles');
sql(q{
	DO $$
	BEGIN
		FOR i IN 1..90 LOOP
			EXECUTE format('CREATE ROLE role%s LOGIN', i);
		END LOOP;
	END
	$$});
sql(join "\n",
	map { "\\connect postgres role$_\nSELECT pgpool_stats.report('m', '{\"checkouts\": 1}', 'm');" }
	  (1 .. 90));
my $distinct = q{
	SELECT count(*) = count(DISTINCT (pool, datname, usename)), count(*) > 70
	FROM pgpool_stats.pools};
is(sql($distinct), 't|t', '90 roles');

foreach my $time ('once', 'twice')
{
	$roles->stop;
	$roles->start;
	my ($ret, $stdout, $stderr) = psql($distinct);
	is("$ret $stdout", '0 t|t', "90 roles, restarted $time") or last;
}
$roles->stop('fast', fail_ok => 1);

foreach my $n ($node, $three, $wide, $roles)
{
	my @crashes = slurp_file($n->logfile) =~ /(PANIC|terminated by signal)/g;
	is(scalar @crashes, 0, $n->name . ': nothing crashed');
}
done_testing();
