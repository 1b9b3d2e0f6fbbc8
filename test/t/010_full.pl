# A registry that is full: who gets a row, who is counted under (other), and
# that one role cannot crowd out another.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 30
pgpool_stats.max_pools = 8
pgpool_stats.max_instances = 12
pgpool_stats.max_instances_per_role = 5
});
sql(q{
	CREATE ROLE greedy LOGIN;
	CREATE ROLE modest LOGIN;
	CREATE ROLE third LOGIN;
});

# Report for several instances of several pools on one connection; returns
# what report() did.
sub reports
{
	my ($role, @reports) = @_;
	my $sql = '';

	foreach my $r (@reports)
	{
		my ($pool, $instance, $checkouts) = @$r;
		$sql .= "SELECT pgpool_stats.report('$pool', "
		  . "'{\"open\": 1, \"checkouts\": $checkouts}', '$instance');\n";
	}
	my $result = sql($sql,
		connstr => $node->connstr('postgres')
		  . " options='-c pgpool_stats.pool=$role'", as => $role);

	# its own connection is not to count in what follows
	wait_for("SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = '$role'");
	return $result =~ s/\n//gr;
}

sub info
{
	my ($column) = @_;

	return sql("SELECT $column FROM pgpool_stats.info");
}

sub instances
{
	my ($role) = @_;

	return sql(qq{
		SELECT pool, instance, checkouts, notes LIKE 'stands for%'
		FROM pgpool_stats.instances
		WHERE usename = '$role' AND instance <> '[local]' ORDER BY 1, 2});
}

my $offset = -s $node->logfile;

#
# A role's share of instances.  While it reports, its own connection has a
# row that does not count.
#
is(reports(
		'greedy', map { [ 'a', "i$_", 10 + $_ ] } (1 .. 7)),
	'tttttff', 'report returns false when it has no row of its own');
is(instances('greedy'),
	"a|(other)||t\na|i1|11|f\na|i2|12|f\na|i3|13|f\na|i4|14|f\na|i5|15|f",
	'the rest stands under (other) of the same pool');
is(info('overflowed_instances'), '2', 'and is counted');
is(reports('greedy', [ 'a', 'i1', 21 ], [ 'a', 'i8', 1 ]),
	'tf', 'who has a row keeps it');
is(sql(q{
		SELECT instances, checkouts, max_size IS NULL
		FROM pgpool_stats.pools WHERE pool = 'a'}),
	'5|75|t', 'the pool has the totals of those with a row');

# nobody else is crowded out
is(reports('modest', [ 'a', 'j1', 100 ], [ 'b', 'j1', 100 ]),
	'tt', "another role still gets its rows");
is(instances('modest'),
	"a|j1|100|f\nb|j1|100|f",
	'a pool of the same name under another role is another pool');

# one LOG line for all of them
$node->wait_for_log(
	qr/LOG:  pgpool_stats has no room for some pools or instances/, $offset);
my @lines = slurp_file($node->logfile, $offset) =~ /(has no room)/g;
is(scalar @lines, 1, 'one LOG line');

# connections always have their row, however full it is
{
	my @sessions = sessions(3, 'a', instance => 'connected', as => 'greedy');

	local $ENV{PGOPTIONS} = labels('a', instance => 'connected');
	is(sql(q{SELECT source, connections FROM pgpool_stats.instances
			WHERE pool = 'a' AND usename = 'greedy' AND
				instance = 'connected'}, as => 'greedy'),
		'label|4', 'a real connection has its row in a full registry');
	$_->quit foreach @sessions;
}

#
# A role's share of pools: half of them, and one of these is that of its
# connections.
#
is(reports(
		'modest',
		[ 'c', 'k', 1 ],
		[ 'd', 'k', 1 ],
		[ 'e', 'k', 1 ],
		[ 'b', 'j1', 102 ]),
	'tfft', 'a role has half of the pools');
is(sql(q{
		SELECT pool, datname, instances, checkouts FROM pgpool_stats.pools
		WHERE usename = 'modest' AND pool <> 'modest' ORDER BY 1}),
	"(other)||0|\na|postgres|1|100\nb|postgres|1|102\nc|postgres|1|1",
	'the rest stands under pool (other) of the role');
my $others = sql(q{SELECT pool, instance, notes FROM pgpool_stats.instances
	  WHERE usename = 'modest' AND pool = '(other)'});
is( $others,
	'(other)|(other)|stands for instances without room of their own',
	'and has one instance of that name, with a note');
is(sql(q{SELECT string_agg(DISTINCT usename, ',') FROM pgpool_stats.pools
		  WHERE pool = '(other)'}, as => 'modest'),
	'modest', 'which its role sees');
is(sql(q{SELECT count(*) FROM pgpool_stats.pools
		  WHERE pool = '(other)' AND usename = 'modest'}, as => 'greedy'),
	'0', 'and another one does not');

# connections of a pool without room are still counted
{
	local $ENV{PGOPTIONS} = '-c pgpool_stats.pool=f';
	is(sql(q{
			SELECT pool, instance, connections
			FROM pgpool_stats.instances WHERE connections > 0}, as => 'modest'),
		'(other)|(other)|1',
		'a connection of a pool without room is in (other)');
}
becomes(q{
		SELECT (SELECT sum(connections) FROM pgpool_stats.instances) =
			(SELECT count(*) FROM pg_stat_activity
			 WHERE backend_type = 'client backend')}, 't',
	'every connection is in exactly one row');

# many roles: none is rejected, nothing crashes
sql(q{
	DO $$
	BEGIN
		FOR i IN 1..90 LOOP
			EXECUTE format('CREATE ROLE many%s LOGIN', i);
		END LOOP;
	END
	$$});
my $script = join "\n",
  map { "\\connect postgres many$_\nSELECT pgpool_stats.report('m', '{\"checkouts\": 1}', 'm') IS NOT NULL;" }
  (1 .. 90);
is(sql($script) =~ tr/t//, 90, '90 roles in a registry of 8 pools');
becomes(q{
		SELECT (SELECT sum(connections) FROM pgpool_stats.instances) =
			(SELECT count(*) FROM pg_stat_activity
			 WHERE backend_type = 'client backend')}, 't',
	'and still every connection is in exactly one row');

#
# Who does not report any more makes room before anybody is rejected, and its counters stay.
#
set_to('stale_after', '1s');
wait_for(q{SELECT bool_and(status = 'silent') FROM pgpool_stats.instances
	  WHERE usename = 'greedy' AND instance LIKE 'i%'});
my $dropped = info('dropped');
my $total = sql(q{SELECT checkouts FROM pgpool_stats.pools
	  WHERE pool = 'a' AND usename = 'greedy'});
is(reports('greedy', [ 'a', 'i10', 1000 ], [ 'a', 'i11', 2000 ]),
	'tt', 'silent instances make room');
cmp_ok(info('dropped'), '>=', $dropped + 2, 'that is counted');
is(sql(q{SELECT checkouts FROM pgpool_stats.pools
		  WHERE pool = 'a' AND usename = 'greedy'}),
	$total + 3000,
	"and their counters stay in the pool's totals");

$node->restart;
is(sql(q{SELECT checkouts FROM pgpool_stats.pools
		  WHERE pool = 'a' AND usename = 'greedy'}),
	$total + 3000, 'a full registry survives a restart');
$node->stop;

#
# Connections without a label make 128 pools, not more, and one role half of
# them: a client that changes its name all the time crowds out nobody.
#
my $many = start_node('', name => 'many');
sql('CREATE ROLE renamer LOGIN; CREATE ROLE victim LOGIN');

# Connect under so many names; returns the role's pools and those named (other)
sub discovered
{
	my ($role, $prefix, $count) = @_;

	sql(join("\n",
			map { "\\connect \"dbname=postgres user=$role application_name=$prefix$_\"" }
			  map { my $n = $_; $n =~ tr/0-9/a-j/r } (100 .. 99 + $count)));
	return sql(qq{
		SELECT count(*) FILTER (WHERE source = 'discovery' AND pool <> '(other)'),
			count(*) FILTER (WHERE pool = '(other)')
		FROM pgpool_stats.pools WHERE usename = '$role'});
}

is(discovered('victim', 'shop-', 3), '3|0', 'three names make three pools');
my $victims = q{SELECT pool, connects, first_seen FROM pgpool_stats.pools
	  WHERE usename = 'victim' ORDER BY 1};
my $before = sql($victims);
is(discovered('renamer', 'app-', 144), '64|1',
	'144 names make 64 pools of one role, and (other)');
is(sql($victims), $before, 'those of another role are as before');
is(discovered('victim', 'late-', 3), '6|0', 'and it still has room for more');
is(report('real', '{"open": 1}'), 't', 'a pool that reports still has room');
$many->stop;

#
# A user may name a pool or an instance (other) himself.
#
my $names = start_node(q{
max_connections = 30
restart_after_crash = on
pgpool_stats.max_pools = 8
pgpool_stats.max_instances = 8
pgpool_stats.track = none
}, name => 'names');
sql(q{
	DO $$
	BEGIN
		FOR i IN 1..45 LOOP
			EXECUTE format('CREATE ROLE r%s LOGIN', i);
		END LOOP;
	END
	$$;
	CREATE DATABASE second TEMPLATE postgres});
my $started = started_at();
my $sql = '';
foreach my $role (1 .. 45)
{
	foreach my $database ('postgres', 'second')
	{
		$sql .= "\\connect $database r$role\n"
		  . "SELECT pgpool_stats.report('(other)', '{\"checkouts\": 1}', '(other)') IS NOT NULL;\n";
	}
}
my ($ret, $stdout, $stderr) = psql($sql);
is("$ret " . ($stdout =~ tr/t//), '0 90', 'a pool of the name (other) is no way in')
  or diag $stderr;
wait_for('SELECT true');
is(started_at(), $started, 'nothing crashed');
$names->stop;

done_testing();
