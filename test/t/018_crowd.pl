# One role makes names without end: what another role has stays as it is.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 30
pgpool_stats.max_pools = 32
pgpool_stats.max_discovered_pools = 16
pgpool_stats.max_instances = 64
});
sql('CREATE ROLE flood LOGIN; CREATE ROLE victim LOGIN');

# What the victim has and what its pools say
my $rows = q{
	SELECT pool, instance, status, checked_out, waiting, checkouts,
		connections, last_report
	FROM pgpool_stats.instances
	WHERE usename = 'victim' AND source <> 'discovery' ORDER BY 1, 2};
my $pools = q{
	SELECT pool, status, instances, gone_instances, waiting, checkouts
	FROM pgpool_stats.pools
	WHERE usename = 'victim' AND source <> 'discovery' ORDER BY 1};

# Reports of so many instances of the victim; how many have a row
sub victim_reports
{
	my ($count) = @_;

	return sql(
		join("\n",
			map { "SELECT pgpool_stats.report('shop', '{\"open\": 4, \"checked_out\": 2, \"waiting\": 1, \"checkouts\": 7}', 'web-$_');" }
			  (1 .. $count)),
		as => 'victim') =~ tr/t//;
}

is(victim_reports(20), 20, 'twenty instances report');
my ($before, $pool_before) = (sql($rows), sql($pools));

# A session that is another instance, and then another pool, each time
sub floods
{
	my ($what, $name, $count) = @_;

	sql(join("\n",
			map { "SELECT set_config('pgpool_stats.$what', '$name$_', false);" } (1 .. $count)),
		connstr => $node->connstr('postgres')
		  . " options='-c pgpool_stats.pool=f'", as => 'flood');
	is(sql($rows), $before, "instances of the other role are as before ($what)");
	is(sql($pools), $pool_before, "and so is its pool ($what)");
	is(victim_reports(21), 21, "and a new one of them finds room ($what)");
	sql(q{SELECT pgpool_stats.forget('shop', 'web-21')}, as => 'victim');
	($before, $pool_before) = (sql($rows), sql($pools));
	return;
}

# the last of these has a connection until the session ends
floods('instance', 'x', 300);
cmp_ok(
	sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE usename = 'flood'}),
	'<=', 33, 'who floods has his share of instances');
floods('pool', 'p', 100);
cmp_ok(
	sql(q{SELECT count(*) FROM pgpool_stats.pools
		WHERE usename = 'flood' AND pool <> '(other)'}),
	'<=', 16, 'and of pools');

# The same by reports
is( sql(join("\n",
			map { "SELECT pgpool_stats.report('f', '{\"open\": 1}', 'r$_') IS NOT NULL;" } (1 .. 300)),
		as => 'flood') =~ tr/t//,
	300, 'no report of a full share raises');
is(sql($rows), $before, 'instances of the other role are as before (reports)');
is(victim_reports(21), 21, 'and a new one of them finds room');
is( sql(q{SELECT count(*) FROM pgpool_stats.instances
		WHERE usename = 'flood' AND instance = '(other)' AND pool = 'f'}),
	'1', 'who floods sees (other)');
is(sql('SELECT notes FROM pgpool_stats.info'),
	'registry too small: reports or connections stand under (other)',
	'info says so');

done_testing();
