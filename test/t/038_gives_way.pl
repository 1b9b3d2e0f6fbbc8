# Who gives way when connections go, and after a restart.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 30
pgpool_stats.max_pools = 16
pgpool_stats.max_instances = 8
pgpool_stats.max_instances_per_role = 4
});
sql('CREATE ROLE app LOGIN; CREATE ROLE many LOGIN');

# Sessions come in this order and go in that one.
sub come_and_go
{
	my ($role, $come, $go, $does) = @_;
	my %session = map {
		my $session = session($role, instance => $_, as => $role);
		$session->query_safe($does) if defined $does;
		($_, $session);
	} @$come;

	foreach my $name (@$go)
	{
		$session{$name}->quit;
		wait_for(qq{SELECT connections = 0 FROM pgpool_stats.instances
			WHERE pool = '$role' AND instance = '$name'});
	}
	return;
}

sub instances
{
	my ($pool) = @_;

	return sql(qq{SELECT string_agg(instance, ' ' ORDER BY instance)
		FROM pgpool_stats.instances WHERE pool = '$pool'});
}

#
# More connections go than instances are kept, and all of them report: the
# collector gives up those too many.
#
{
	my @all = map { session('many', instance => "m$_", as => 'many') } 1 .. 20;
	$all[ $_ - 1 ]->query_safe(
		"SELECT pgpool_stats.report('many', '{\"open\": 1}', 'm$_')") foreach 1 .. 20;
	is(sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'many'}),
		'20', 'each connection has an instance');
	$_->quit foreach @all;
	becomes(q{SELECT count(*) <= 8 FROM pgpool_stats.instances
		WHERE connections = 0 AND instance <> '(other)'}, 't',
		'of those that have gone not more than max_instances are kept');
	is(sql(q{SELECT connects, disconnects FROM pgpool_stats.pools WHERE pool = 'many'}),
		'20|20', 'and their pool knows of all');
	sql(join('', map { "SELECT pgpool_stats.forget('many', 'm$_');\n" } 1 .. 20),
		as => 'many');
}

#
# Who takes the place of one that had transactions begins with none.
#
come_and_go('many', ['busy'], ['busy'], 'SELECT 1;');
my $times = q{SELECT instance, xacts > 0, xact_time_p50 IS NOT NULL FROM pgpool_stats.instances WHERE pool = 'many'};
is(sql($times), 'busy|t|t', 'one that had a transaction');
sql(q{SELECT pgpool_stats.forget('many', 'busy'); SELECT pgpool_stats.report('many', '{"open": 1}', 'next')},
	as => 'many');
is(sql($times), 'next|f|f', 'the next one had none');
sql(q{SELECT pgpool_stats.forget('many', 'next')}, as => 'many');

#
# Who has been idle for longest gives way first, also after a restart.
#
come_and_go('app', [qw(i1 i2 i3 i4)], [qw(i2 i3 i4 i1)]);
is(instances('app'), 'i1 i2 i3 i4', 'a share of four');
$node->restart;
come_and_go('app', ['i5'], ['i5']);
is(instances('app'), 'i1 i3 i4 i5', 'the first one that went gave way');

#
# Rows (other) of several pools become one when there is less room for pools.
#
sql(join('', map { "SELECT pgpool_stats.report('p$_', '{\"open\": 1}', 'i');\n" } 1 .. 8),
	as => 'many');
foreach my $i (1 .. 3)
{
	my $session = session("x$i", instance => '(other)', as => 'app');
	$session->query_safe("SELECT $_;\n") foreach 1 .. $i;
	$session->quit;
}
my $counted = q{SELECT sum(xacts), sum(connects), sum(disconnects)
	FROM pgpool_stats.pools WHERE usename = 'app'};
becomes($counted, '6|8|8', 'some are counted under (other)');
$node->append_conf('postgresql.conf', 'pgpool_stats.max_pools = 8');
$node->restart;
is(sql($counted), '6|8|8', 'in one row they are added');
$node->restart;
is(sql($counted), '6|8|8', 'and stay so');

$node->stop;
done_testing();
