# Rules that need a server of their own: registry_full and collector_down.  All
# others are in test/clients/alert_rules_*.py, with real pools.
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
pgpool_stats.sample_interval = 100ms
pgpool_stats.max_instances = 8
pgpool_stats.max_instances_per_role = 8
pgpool_stats.alert_rules = 'registry_full: for 1min; collector_down: critical 1h'
});
$node->start;
$node->safe_psql(
	'postgres', q{
CREATE EXTENSION pgpool_stats;
CREATE ROLE app LOGIN;
});

sub one
{
	return $node->safe_psql('postgres', $_[0]);
}

# as it is after the next pass of the collector
sub alert
{
	my ($rule) = @_;
	my $now = one('SELECT clock_timestamp()');

	$node->poll_query_until('postgres', "SELECT last_pass > '$now' FROM pgpool_stats.info")
	  or die 'no pass of the collector';
	return now_alert($rule);
}

sub now_alert
{
	my ($rule) = @_;

	return one("SELECT concat_ws(' ', severity, state, value >= threshold, message) FROM pgpool_stats.alerts WHERE rule = '$rule'");
}

sub becomes
{
	my ($rule, $expected, $name) = @_;

	ok( $node->poll_query_until('postgres',
			"SELECT coalesce(string_agg(concat_ws(' ', severity, state), ''), '-') FROM pgpool_stats.alerts WHERE rule = '$rule'",
			$expected),
		$name) or diag(now_alert($rule));
}

sub rules
{
	my ($entries) = @_;

	one("ALTER SYSTEM SET pgpool_stats.alert_rules = '$entries'");
	one('SELECT pg_reload_conf()');
	$node->poll_query_until('postgres', "SELECT current_setting('pgpool_stats.alert_rules') = '$entries'");
}

#
# Pods come, have their connection and go.  Then there are some behind a
# pooler: all they leave here is their reports.
#
foreach my $pod (1 .. 4)
{
	local $ENV{PGOPTIONS} = "-c pgpool_stats.pool=orders -c pgpool_stats.instance=pod-$pod:1";

	$node->safe_psql('postgres', q{SELECT pgpool_stats.report('orders', '{"open": 1, "checkouts": 1}')},
		extra_params => [ '-U', 'app' ]);
}
is(one(q{SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'orders'}), '4', 'each pod has its row');

my $pooler = $node->background_psql('postgres', extra_params => [ '-U', 'app' ]);
my $pod = 4;
my $has_row = 't';
my $silent = 1;
while ($has_row eq 't' && $pod < 20)
{
	$silent &&= alert('registry_full') eq '';
	$pod++;
	$has_row = $pooler->query_safe(qq{SELECT pgpool_stats.report('orders', '{"open": 1}', 'pod-$pod:1')});
}
is($has_row, 'f', 'pods report until the registry is full');
cmp_ok($pod, '<=', 9, 'max_instances of them have no connection');
ok($silent, 'registry_full is silent while each has its row');
is(alert('registry_full'),
	'warning firing t registry full: 1 reports or connections without a row in the last 1 min',
	'registry_full fires for the first one that has none');
$pooler->query_safe(qq{SELECT pgpool_stats.forget('orders', 'pod-$_:1')}) foreach (1 .. 4);
is($pooler->query_safe(qq{SELECT pgpool_stats.report('orders', '{"open": 1}', 'pod-$pod:1')}), 't',
	'there is room again');
rules('registry_full: for 1s; collector_down: critical 1h');
becomes('registry_full', '-', 'registry_full clears');
$pooler->quit;

#
# The collector stands still.  It cannot tell; who looks sees it.
#
my $pid = one('SELECT collector_pid FROM pgpool_stats.info');
kill 'STOP', $pid;
$node->poll_query_until('postgres', q{SELECT clock_timestamp() - last_pass > '1.5 s' FROM pgpool_stats.info});
is(now_alert('collector_down'), '', 'collector_down is silent below its level');
rules('collector_down: critical 1');
becomes('collector_down', 'critical firing', 'collector_down fires at its level');
like(now_alert('collector_down'), qr/^critical firing t pgpool_stats collector: no pass for \d+ s$/, 'in words');
kill 'CONT', $pid;
becomes('collector_down', '-', 'collector_down clears');

$node->stop;
done_testing();
