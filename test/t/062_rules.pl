# Rules that need a server of their own: registry_full and collector_down.  All
# others are in test/clients/alert_rules_*.py, with real pools.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 20
pgpool_stats.max_instances = 8
pgpool_stats.max_instances_per_role = 8
pgpool_stats.alert_rules = 'registry_full: for 10min; collector_down: critical 1h'
});
sql(q{
CREATE ROLE app LOGIN;
});

# as it is after the next pass of the collector
sub alert
{
	my ($rule) = @_;

	next_pass();
	return now_alert($rule);
}

sub now_alert
{
	my ($rule) = @_;

	return sql("SELECT concat_ws(' ', severity, state, value >= threshold, message) FROM pgpool_stats.alerts WHERE rule = '$rule'");
}

sub alert_becomes
{
	my ($rule, $expected, $name) = @_;

	return becomes("SELECT coalesce(string_agg(concat_ws(' ', severity, state), ''), '-') FROM pgpool_stats.alerts WHERE rule = '$rule'",
		$expected, $name);
}

#
# Pods come, have their connection and go.  Then there are some behind a
# pooler: all they leave here is their reports.
#
foreach my $pod (1 .. 4)
{
	local $ENV{PGOPTIONS} = labels('orders', instance => "pod-$pod:1");

	sql(q{SELECT pgpool_stats.report('orders', '{"open": 1, "checkouts": 1}')}, as => 'app');
}
is(sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'orders'}), '4', 'each pod has its row');

my $pooler = background(as => 'app');
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
	'warning firing t registry full: 1 reports or connections without a row in the last 10 min',
	'registry_full fires for the first one that has none');
$pooler->query_safe(qq{SELECT pgpool_stats.forget('orders', 'pod-$_:1')}) foreach (1 .. 4);
is($pooler->query_safe(qq{SELECT pgpool_stats.report('orders', '{"open": 1}', 'pod-$pod:1')}), 't',
	'there is room again');
set_to('alert_rules', 'registry_full: for 1s; collector_down: critical 1h');
alert_becomes('registry_full', '-', 'registry_full clears');
$pooler->quit;

#
# The collector stands still.  It cannot tell; who looks sees it.
#
my $pid = sql('SELECT collector_pid FROM pgpool_stats.info');
kill 'STOP', $pid;
wait_for(q{SELECT clock_timestamp() - last_pass > '1.5 s' FROM pgpool_stats.info});
is(now_alert('collector_down'), '', 'collector_down is silent below its level');
set_to('alert_rules', 'collector_down: critical 1');
alert_becomes('collector_down', 'critical firing', 'collector_down fires at its level');
like(now_alert('collector_down'), qr/^critical firing t pgpool_stats collector: no pass for \d+ s$/, 'in words');
kill 'CONT', $pid;
alert_becomes('collector_down', '-', 'collector_down clears');

$node->stop;
done_testing();
