# Alerts: for, hysteresis, exceptions, silences; the log and NOTIFY; who sees
# what.  Which states raise which rule is tested with real pools in
# test/clients/alert_rules_*.py, and in 062_rules.pl.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node();
sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE other LOGIN;
CREATE ROLE operator LOGIN IN ROLE pg_signal_backend;
CREATE DATABASE alarms;
});

sub fails
{
	my ($query, $role) = @_;

	return (psql($query, as => $role))[2];
}

# what the pool says; each pool has one instance, on a host of its own
sub says
{
	my ($pool, $stats, $role) = @_;

	return report($pool, $stats, instance => "$pool-1:1", as => $role || 'app');
}

sub alerts
{
	my ($columns, $where) = @_;

	return "SELECT coalesce(string_agg(concat_ws(' ', $columns), ', ' ORDER BY rule, pool), '-')"
	  . " FROM pgpool_stats.alerts WHERE $where";
}

# the next passes have seen all that is there now
sub seen
{
	next_pass() foreach 1 .. 2;
	return;
}

# the test itself connects anew for each query
sub rules
{
	my ($entries) = @_;

	$entries = "no_pooling: off; $entries";
	$entries =~ s/\s+/ /g;
	set_to('alert_rules', $entries);
	seen();
}

# what is said in the log since the last call
my $logged = 0;

sub in_log
{
	my $log = substr(slurp_file($node->logfile), $logged);

	$logged += length($log);
	return $log;
}

#
# entries of the setting
#
rules(q{pool_exhausted@nightly-*: off; mean_wait@batch-*/dwh: warning 5s critical 1min for 10min;
connections@role/reports: off;connections@server: warning 50% critical 60 clear 40 ; *@database/test: off; timeouts: for 2h;;
nonsense; no_rule: off; leak: warning; leak: warning many; leak: loud 3; leak: off now; leak: for 5; mean_wait: warning 5kg; leak:; leak@: off;
leak: warning -1; leak: warning nan; leak: warning 5s; pool_full: warning 1e99; over_committed@server: warning 3 connections});
is(sql(q{SELECT rule, target, warning, critical, clear, unit, for_time, enabled FROM pgpool_stats.rules
	WHERE origin = 'setting' AND error IS NULL}), <<'EOT' =~ s/\n$//r, 'good entries');
no_pooling|*||||connections/min||f
pool_exhausted|nightly-*||||s||f
mean_wait|batch-*/dwh|5000|60000||ms|00:10:00|t
connections|role/reports||||percent||f
connections|server|50|60|40|percent||t
*|database/test||||||f
timeouts|*||||timeouts|02:00:00|t
EOT
is(sql(q{SELECT description, enabled, error FROM pgpool_stats.rules WHERE error IS NOT NULL}), <<'EOT' =~ s/\n$//r, 'bad entries');
nonsense|f|expected rule[@target]: off, or levels
no_rule: off|f|there is no rule "no_rule"
leak: warning|f|nothing follows "warning"
leak: warning many|f|"many" is not a number
leak: loud 3|f|"loud" is none of off, warning, critical, clear, for
leak: off now|f|nothing may follow "off"
leak: for 5|f|"5" is not a time such as 90s or 5min
mean_wait: warning 5kg|f|"5kg" is not in ms
leak:|f|expected "off", or warning, critical, clear, for
leak@: off|f|nothing follows "@"
leak: warning -1|f|"-1" is not a number
leak: warning nan|f|"nan" is not a number
leak: warning 5s|f|"5s" is not in connections
pool_full: warning 1e99|f|"1e99" is not a number
over_committed@server: warning 3 connections|f|nothing follows "connections"
EOT
my @bad = in_log() =~ /LOG:  entry "(.*)" of pgpool_stats.alert_rules has no effect/g;
is(scalar(@bad), 15, 'bad entries are in the log, once');

#
# for: pending, then firing; below the warning nothing
#
rules('pool_full: warning 60 clear 40 for 1h');
says('orders', '{"max_size": 10, "checked_out": 5, "waiting": 0}');
seen();
is(sql(alerts('rule', 'true')), '-', 'nothing below the warning');
says('orders', '{"max_size": 10, "checked_out": 6, "waiting": 0}');
becomes(alerts('severity, state, value, threshold, unit, pool, datname, usename, instance', 'true'),
	'warning pending 60 60 percent orders postgres app orders-1:1', 'pending while it does not last');
unlike(in_log(), qr/alert raised/, 'what is pending is not said');
says('orders', '{"max_size": 10, "checked_out": 5, "waiting": 0}');
becomes(alerts('rule', 'true'), '-', 'what is pending goes at once below the warning');
rules('pool_full: warning 60 clear 40 for 300ms');
says('orders', '{"max_size": 10, "checked_out": 6, "waiting": 0}');
becomes(alerts('rule, state', 'true'), 'pool_full firing', 'it lasted');
is(sql("SELECT now() - since >= interval '300 ms' FROM pgpool_stats.alerts"), 't', 'since it began, not since it fires');

#
# hysteresis: of the warning, and of critical
#
says('orders', '{"max_size": 10, "checked_out": 4, "waiting": 0}');
seen();
is(sql(alerts('severity, value', 'true')), 'warning 40', 'still firing at the clear level');
says('orders', '{"max_size": 50, "checked_out": 19, "waiting": 0}');
becomes(alerts('rule', 'true'), '-', 'cleared below it');
rules('pool_full: warning 60 critical 80 clear 40 for 0s');
says('orders', '{"max_size": 10, "checked_out": 8, "waiting": 0}');
becomes(alerts('severity, threshold', 'true'), 'critical 80', 'critical');
says('orders', '{"max_size": 10, "checked_out": 7, "waiting": 0}');
seen();
is(sql(alerts('severity, value, threshold', 'true')), 'critical 70 60', 'critical until it would be no warning');
says('orders', '{"max_size": 10, "checked_out": 5, "waiting": 0}');
becomes(alerts('severity, value', 'true'), 'warning 50', 'then a warning');
says('orders', '{"max_size": 10, "checked_out": 1, "waiting": 0}');
becomes(alerts('rule', 'true'), '-', 'cleared');

my $log = in_log();
my @said = $log =~ /LOG:  pgpool_stats alert (\w+: severity=\w+ rule=\w+ pool="\w+")/g;
is(join(', ', @said), join(', ', map { "$_ rule=pool_full pool=\"orders\"" }
		'raised: severity=warning', 'cleared: severity=warning',
		'raised: severity=critical', 'cleared: severity=warning'), 'one line for each change');
like($log, qr/LOG:  pgpool_stats alert raised: severity=critical rule=pool_full pool="orders" datname="postgres" usename="app" instance="orders-1:1" value=80 threshold=80 message="orders on postgres: an instance has lent out 8 of 10"\n/,
	'with fixed fields');
like($log, qr/LOG:  pgpool_stats alert cleared: severity=\w+ rule=pool_full pool="orders" datname="postgres" usename="app" instance="orders-1:1" message="/,
	'what is cleared has no value');

#
# one row a pool: the worst instance speaks
#
sql(q{SELECT pgpool_stats.report('many', '{"max_size": 10, "checked_out": 10, "waiting": 0}', 'h' || n || ':1') FROM generate_series(1, 3) n});
sql(q{SELECT pgpool_stats.report('many', '{"max_size": 10, "checked_out": 1, "waiting": 0}', 'h4:1')});
sql(q{SELECT pgpool_stats.report('many', '{"max_size": 10, "checked_out": 10, "waiting": 7}', 'h5:1')});
rules('pool_exhausted: for 0s');
becomes(alerts('rule, severity, instance, regexp_replace(message, $$for \d+ s$$, $$for N s$$)', "pool = 'many' AND rule = 'pool_exhausted'"),
	'pool_exhausted critical h5:1 many on postgres: 1 of 5 instances full (10/10) for N s, 7 callers waiting', 'one row, the worst');
sql(q{SELECT pgpool_stats.forget('many', 'h' || n || ':1') FROM generate_series(1, 5) n});

#
# exceptions, by pool, database and role; later ones win
#
my $full = '{"max_size": 2, "checked_out": 2, "waiting": 0}';
my $base = 'pool_exhausted: off; pool_full: for 0s;';
says($_, $full) foreach qw(nightly-export nightly-x orders);
says('mine', $full, 'other');
rules($base);
becomes(alerts('pool', 'true'), 'mine, nightly-export, nightly-x, orders', 'no exception');
rules("$base pool_full\@nightly-*: off");
is(sql(alerts('pool', 'true')), 'mine, orders', 'a glob of pools');
rules("$base pool_full\@nightly-*/post?res: off; pool_full\@nightly-x: warning 50");
is(sql(alerts('pool', 'true')), 'mine, nightly-x, orders', 'a database; and a later entry wins');
rules("$base *\@nightly-*/shop: off");
is(sql(alerts('pool', 'true')), 'mine, nightly-export, nightly-x, orders', 'another database is not meant');
rules("$base *\@role/app: off");
is(sql(alerts('pool', 'true')), 'mine', 'a role');
rules("$base *\@database/postgres: off");
is(sql(alerts('pool', 'true')), '-', 'a database');

#
# who sees what
#
rules($base);
becomes(alerts('pool', 'true'), 'mine, nightly-export, nightly-x, orders', 'all again');
is(sql(alerts('pool', 'true'), as => 'other'), 'mine', 'a role sees its own pools');

#
# silences
#
in_log();
is(sql("SELECT count(pgpool_stats.silence('*', '*', '1 hour'))", as => 'other'), '1', 'anybody may silence');
is(sql(alerts('pool', 'silenced_until IS NULL')), 'nightly-export, nightly-x, orders', 'his own pools, that is');
like(fails("SELECT pgpool_stats.unsilence(id) FROM (SELECT max(id) AS id FROM pgpool_stats.silences) s", 'app'),
	qr/^$/, 'others do not see it');
like(fails('SELECT pgpool_stats.unsilence(1)', 'app'), qr/ERROR:  there is no silence 1 of yours/, 'nor can they end it');
my $id = sql("SELECT pgpool_stats.silence('pool_full', 'nightly-*', '1 hour', 'release 12')", as => 'operator');
is(sql(alerts('pool', 'silenced_until IS NULL')), 'orders', 'an operator silences anybody');
is(sql("SELECT rule, pool, reason, created_by FROM pgpool_stats.silences WHERE id = $id"),
	'pool_full|nightly-*|release 12|operator', 'and is named');
sql("SELECT pgpool_stats.forget('nightly-export', 'nightly-export-1:1')", as => 'app');
becomes(alerts('pool', 'true'), 'mine, nightly-x, orders', 'cleared while silenced');
says('nightly-new', $full);
becomes(alerts('pool', 'true'), 'mine, nightly-new, nightly-x, orders', 'raised while silenced');
unlike(in_log(), qr/alert (raised|cleared)/, 'neither is said');
sql("SELECT pgpool_stats.unsilence($id)", as => 'operator');
seen();
my @late = in_log() =~ /alert raised: .* pool="([^"]*)"/g;
is("@late", 'nightly-new', 'said when the silence is over, if it was not before');
sql("SELECT pgpool_stats.silence('pool_full', 'orders', '1 ms')", as => 'operator');
becomes("SELECT count(*) FROM pgpool_stats.silences WHERE pool = 'orders'", '0', 'a silence ends by itself');
sql("SELECT pgpool_stats.silence('*', 'server', '1 hour'), pgpool_stats.silence('*', 'role/app', '1 hour', 'x')", as => 'operator');
is(sql(alerts('pool', 'silenced_until IS NULL')), '-', 'targets as in alert_rules');
$node->restart;
is(sql('SELECT count(*) FROM pgpool_stats.silences'), '3', 'silences survive a restart');
is(sql("SELECT pgpool_stats.silence('*') > max(id) FROM pgpool_stats.silences", as => 'operator'), 't', 'and no number comes twice');
sql('SELECT pgpool_stats.unsilence(id) FROM pgpool_stats.silences');

like(fails("SELECT pgpool_stats.silence('*', '*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b') FROM generate_series(1, 17)", 'other'),
	qr/ERROR:  role "other" has 16 silences already/, 'nobody takes all places');
says('a' x 63, $full, 'other');
becomes(alerts('silenced_until IS NULL', "pool LIKE 'aaa%'"), 't', 'no pattern takes long');
sql("SELECT pgpool_stats.forget('" . 'a' x 63 . "', '" . 'a' x 63 . "-1:1')", as => 'other');
is(sql("SELECT count(pgpool_stats.unsilence(id)::text) FROM pgpool_stats.silences"), '16', 'all ended');

#
# log_alerts, NOTIFY
#
becomes(alerts('pool', 'true'), 'mine, nightly-new, nightly-x, orders', 'alerts are evaluated again after a restart');
set_to('log_alerts', 'off');
set_to('notify_database', 'alarms');
seen();
in_log();
my $listener = $node->background_psql('alarms');
$listener->query_safe('LISTEN pgpool_stats');
says('paged', $full);
becomes(alerts('pool', "pool = 'paged'"), 'paged', 'something to send');
my $got = '';
my $tries = 0;
while ($got !~ /paged/ && $tries++ < 1000)
{
	$got .= $listener->query_safe('SELECT 1');
	seen() if $got !~ /paged/;
}
like($got, qr/notification "pgpool_stats" with payload "\{"event": "raised", .*"severity": "warning", "rule": "pool_full", "pool": "paged", "datname": "postgres", "usename": "app", "instance": "paged-1:1"/,
	'sent by NOTIFY');
my ($payload) = $got =~ /payload "(\{.*?\})" received/;
is(sql("SELECT j ->> 'message', (j ->> 'value')::float8, (j ->> 'since')::timestamptz <= now(), j ->> 'unit' FROM (SELECT '$payload'::json AS j) p"),
	'paged on postgres: an instance has lent out 2 of 2|100|t|percent', 'the payload is JSON');
sql("SELECT pgpool_stats.forget('paged', 'paged-1:1')", as => 'app');
$got = '';
$tries = 0;
while ($got !~ /cleared/ && $tries++ < 1000)
{
	$got .= $listener->query_safe('SELECT 1');
	seen() if $got !~ /cleared/;
}
like($got, qr/"event": "cleared".*"pool": "paged"/, 'and when it is over');
unlike($got, qr/"value"/, 'without a value');
$listener->quit;
unlike(in_log(), qr/alert (raised|cleared)/, 'log_alerts is off');
becomes("SELECT count(*) FROM pg_stat_activity WHERE datname = 'alarms'", '0', 'nobody stays in that database');
sql('DROP DATABASE alarms');
says('paged', $full);
seen();
becomes(alerts('pool', "pool = 'paged'"), 'paged', 'a database that is not there stops nothing');
is(sql('SELECT count(*) FROM pgpool_stats.info WHERE collector_pid IS NOT NULL'), '1', 'the collector lives');

$node->stop;
done_testing();
