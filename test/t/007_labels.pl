# Labels: a connection shows where it belongs before its first query, and no
# label ever keeps one out.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 60
}, streaming => 1);
sql(q{
	CREATE DATABASE shop;
	CREATE ROLE app LOGIN;
	CREATE ROLE by_role LOGIN;
	ALTER ROLE by_role SET pgpool_stats.pool = 'role-pool';
	ALTER ROLE by_role SET pgpool_stats.instance = 'role-instance';
	ALTER ROLE by_role SET pgpool_stats.pool_size = '4';
	ALTER ROLE by_role IN DATABASE shop SET pgpool_stats.pool = 'shop-pool';
	ALTER ROLE by_role IN DATABASE shop SET pgpool_stats.max_overflow = '3';
	CREATE ROLE spaced LOGIN;
	ALTER ROLE spaced SET pgpool_stats.pool = E'tab\tand\nnewline';
	ALTER ROLE spaced SET pgpool_stats.pool_size = ' 7 ';
	CREATE ROLE empty LOGIN;
	ALTER ROLE empty SET pgpool_stats.pool = '';
	ALTER ROLE empty SET pgpool_stats.pool_size = '';
});

my @sessions;

# A session that connects and sends nothing.  Without a role it is the owner
# of the server.
sub connect_idle
{
	my ($role, $options, $database) = @_;

	local $ENV{PGOPTIONS} = $options if defined $options;
	push @sessions,
	  background(as => $role, on => $database);
	return;
}

sub instance_of
{
	my ($pool) = @_;

	return sql(qq{
		SELECT instance, datname, usename, source, pool_size, max_overflow,
			max_size, unlimited, connections, in_xact
		FROM pgpool_stats.instances WHERE pool = '$pool'});
}

# Nothing was sent on any of these but the connection itself.
connect_idle('app',
	'-c pgpool_stats.pool=orders -c pgpool_stats.instance=web-1:4711 -c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=10');
is(instance_of('orders'),
	'web-1:4711|postgres|app|label|5|10|15|f|1|0',
	'labels of the connection string, before the first query');
connect_idle('by_role');
is(instance_of('role-pool'),
	'role-instance|postgres|by_role|label|4||4|f|1|0', 'labels of ALTER ROLE');
connect_idle('by_role', undef, 'shop');
is(instance_of('shop-pool'),
	'role-instance|shop|by_role|label|4|3|7|f|1|0',
	'labels of ALTER ROLE ... IN DATABASE');
connect_idle('by_role', '-c pgpool_stats.pool=mine', 'shop');
is(instance_of('mine'),
	'role-instance|shop|by_role|label|4|3|7|f|1|0',
	"the connection string's come first");
connect_idle('app',
	'-c pgpool_stats.pool=no-limit -c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=unlimited');
is(instance_of('no-limit'),
	'[local]|postgres|app|label|5|||t|1|0',
	'unlimited is a flag, and without an instance it is the address');
is(sql(q{SELECT DISTINCT backend_start IS NOT NULL, query, state
		  FROM pg_stat_activity WHERE usename IN ('app', 'by_role')}),
	't||idle', 'these sessions have run no query');

# a second one of the same instance
connect_idle('app',
	'-c pgpool_stats.pool=orders -c pgpool_stats.instance=web-1:4711 -c pgpool_stats.pool_size=5 -c pgpool_stats.max_overflow=10');
is(instance_of('orders'),
	'web-1:4711|postgres|app|label|5|10|15|f|2|0',
	'two connections of one instance');
$sessions[0]->query_safe('BEGIN');
is(instance_of('orders'),
	'web-1:4711|postgres|app|label|5|10|15|f|2|1',
	'and one of them in a transaction');
$sessions[0]->query_safe('COMMIT');

# What a connection says of itself is repaired, never rejected.
my @bad = ('', 'abc', '5+10', '99999999999', '99999999999999999999', '-5',
	'1e3', '0x10', ' 7', 'x' x 200, 'x' x 2000, "p\x{c3}\x{b6}\x{c3}\x{b6}l",
	"\x01\x02\x7f", "\xff\xfe", "two\nlines", '%s%n', q('"\\;--));
foreach my $value (@bad)
{
	my $shown = $value =~ s/([^ -~])/sprintf('\\x%02x', ord $1)/ger;
	$shown = substr($shown, 0, 20) . '...' if length $shown > 30;

	foreach my $label ('pool', 'instance', 'pool_size', 'max_overflow',
		'app_version')
	{
		# a backslash protects white space
		my $escaped = $value =~ s/([\s\\])/\\$1/gr;
		my $other = $label eq 'pool' ? '' : '-c pgpool_stats.pool=bad';
		local $ENV{PGOPTIONS} = "$other -c pgpool_stats.$label=$escaped";
		my ($ret, $stdout, $stderr) = psql(q{
			SELECT count(*) FROM pgpool_stats.instances
			WHERE connections > 0 AND pool || instance ~ '[^ -~]'}, as => 'app');
		is("$ret $stdout", '0 0', "connection with $label = '$shown' works")
		  or diag $stderr;
	}
}
is(sql(q{
		SELECT count(*) FROM pgpool_stats.instances
		WHERE octet_length(pool) > 63 OR octet_length(instance) > 127 OR
			(pool || instance || coalesce(app_version, '')) ~ '[^ -~]'}),
	'0', 'all names fit and are printable ASCII');

# what is no number is unknown
foreach my $case (
	[ '5+10', '5', '|5||' ],
	[ '5', '5+10', '5||5|f' ],
	[ '99999999999', '99999999999', '|||' ],
	[ '', '', '|||' ],
	[ '0', '0', '0|0|0|f' ],
	[ '7', '-1', '7|||t' ])
{
	my ($size, $overflow, $expected) = @$case;

	local $ENV{PGOPTIONS} =
	  "-c pgpool_stats.pool=sized -c pgpool_stats.instance=size:$size:$overflow -c pgpool_stats.pool_size=$size -c pgpool_stats.max_overflow=$overflow";
	is(sql(q{
			SELECT pool_size, max_overflow, max_size, unlimited
			FROM pgpool_stats.instances
			WHERE pool = 'sized' AND connections = 1 AND
				instance = current_setting('pgpool_stats.instance')}, as => 'app'),
		$expected, "pool_size '$size', max_overflow '$overflow'");
}

# an instance name that is too long keeps its end
{
	local $ENV{PGOPTIONS} =
		'-c pgpool_stats.pool=longname -c pgpool_stats.instance='
	  . ('h' x 120)
	  . ':12345678';
	is(sql(q{SELECT right(instance, 10), octet_length(instance) <= 127
			  FROM pgpool_stats.instances WHERE pool = 'longname'}, as => 'app'),
		'h:12345678|t', 'of an instance name that is too long the end is kept');
}

# settings of a role with what no connection string can hold
is(sql(q{SELECT pool FROM pgpool_stats.instances WHERE connections > 0}, as => 'spaced'),
	'tab?and?newline', 'control characters in a label of a role');
is(sql(q{SELECT source FROM pgpool_stats.instances WHERE connections > 0}, as => 'empty'),
	'discovery', 'an empty label is none');

# walsenders and workers have no row
my $walsender =
  $node->background_psql('postgres', replication => 'database');
my $physical = $node->background_psql('postgres', replication => 'true');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'}),
	'2', 'there are walsenders');
becomes(q{
		SELECT (SELECT sum(connections) FROM pgpool_stats.instances) =
			(SELECT count(*) FROM pg_stat_activity
			 WHERE backend_type = 'client backend')}, 't',
	'the connections of all instances are the client backends');
is(sql(q{
		SELECT (SELECT sum(connections) FROM pgpool_stats.pools) =
			(SELECT sum(connections) FROM pgpool_stats.instances)}),
	't', 'and those of all pools, too');
{
	local $ENV{PGOPTIONS} = '-c pgpool_stats.pool=parallel';
	my $parallel = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
	is(sql(qq{
			CREATE TABLE big AS SELECT generate_series(1, 1000) AS a;
			SET $parallel = on;
			SELECT count(*) FROM big;
			SELECT connects, connections, peak_connections
			FROM pgpool_stats.pools WHERE pool = 'parallel'}),
		"1000\n1|1|1", 'parallel workers are no connections');
}

# gone with their sessions
$walsender->quit;
$physical->quit;
$_->quit foreach @sessions;
becomes(q{
		SELECT sum(connections) = 0 FROM pgpool_stats.instances
		WHERE source = 'label'}, 't',
	'connections go with their sessions');
becomes(q{
		SELECT bool_and(connects = disconnects AND connects > 0)
		FROM pgpool_stats.instances WHERE source = 'label'}, 't',
	'all that connected have disconnected');

# a rejected connection leaves nothing
my ($ret, $stdout, $stderr);
{
	local $ENV{PGOPTIONS} =
	  '-c pgpool_stats.pool=rejected -c pgpool_stats.instance=i';
	($ret, $stdout, $stderr) = $node->psql('no_such_database', 'SELECT 1');
	isnt($ret, 0, 'no such database');
}
is(instance_of('rejected'), '', 'a rejected connection leaves no instance');

$node->stop;
done_testing();
