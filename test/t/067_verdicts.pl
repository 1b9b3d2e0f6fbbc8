# What is concluded from reports and connections that do not agree, or that
# stopped: gone, ghosts, lost, stalled, full and exhausted, forked, missing.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 60
pgpool_stats.alert_rules = '*: for 0s; no_pooling: off'
});
sql('CREATE ROLE app LOGIN; CREATE ROLE few LOGIN CONNECTION LIMIT 1; CREATE ROLE turned_away LOGIN CONNECTION LIMIT 1');

# The alert of a rule about a pool, or these columns of it
sub alert
{
	my ($rule, $pool, $columns) = @_;

	return sql("SELECT @{[$columns // 'severity, message']} FROM pgpool_stats.alerts
		WHERE rule = '$rule' AND pool = '$pool'");
}

sub alert_becomes
{
	my ($rule, $pool, $columns, $expected, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return becomes("SELECT $columns FROM pgpool_stats.alerts WHERE rule = '$rule' AND pool = '$pool'", $expected, $name);
}

#
# A standstill begins here, and is looked at in the end.
#
report($_, '{"pool_size": 5, "checked_out": 0, "waiting": 2, "checkouts": 7}') foreach qw(still moves anew);

# psycopg_pool counts who asks
my $asked = '{"pool_min": 1, "pool_max": 5, "pool_size": 1, "pool_available": 0, "requests_waiting": %d, "requests_num": %d, "requests_errors": %d, "connections_num": 3, "connections_errors": 3}';
report($_, sprintf($asked, 2, 7, 4), as => 'app') foreach qw(still-asked moves-asked);

#
# Gone as soon as its last connection went after its last report
#
my ($pod) = used(1, 'pod');
report('pod', '{"pool_size": 5, "open": 1, "checked_out": 1, "waiting": 0}');
is(figures('pod', 'status, connections'), 'ok|1', 'a pod');
$pod->quit;
becomes(q{SELECT status, instances, checked_out, gone_instances FROM pgpool_stats.pools WHERE pool = 'pod'},
	'gone|0||1', 'gone with its connections, and its figures leave the sums');
is(sql(q{SELECT bool_and(p.status_since = i.status_since AND i.status_since > i.last_report)
		FROM pgpool_stats.pools p JOIN pgpool_stats.instances i USING (pool) WHERE pool = 'pod'}),
	't', 'since then');
is(sql(q{SELECT code FROM pgpool_stats.check_status('pod')}), '0', 'closed in order: that is all right');
report('pod', '{"pool_size": 5, "open": 0, "checked_out": 0, "waiting": 0}');
is(figures('pod', 'status'), 'ok', 'the next report says otherwise');

# ... but not if it went otherwise
my ($cut) = used(1, 'cut');
report('cut', '{"pool_size": 5, "open": 1, "checked_out": 1, "waiting": 0}');
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'cut'});
becomes(q{SELECT status FROM pgpool_stats.pools WHERE pool = 'cut'}, 'gone', 'another pod is cut off');
like(sql(q{SELECT code, message FROM pgpool_stats.check_status('cut')}), qr/^3\|cut: no live instance since 20/,
	'asked by name that is unknown');
is(alert('no_instance', 'cut'), '', 'and no alert');
set_to('alert_rules', '*: for 0s; no_pooling: off; no_instance@cut: off; no_instance@pod: warning 0');
is(sql(q{SELECT code FROM pgpool_stats.check_status('cut')}), '0', 'unless nobody wants to know');
set_to('alert_rules', '*: for 0s; no_pooling: off; no_instance@cut: warning 0');
alert_becomes('no_instance', 'cut', q{severity, message LIKE 'cut on postgres: no live instance for %'}, 'warning|t',
	'an alert of it, if that is asked for');
set_to('alert_rules', '*: for 0s; no_pooling: off; pool_exhausted: critical 1h for 1s');
eval { $cut->quit };
report('cut', '{"open": 1}');
sql(q{SELECT pgpool_stats.forget('cut', 'i')});
is(sql(q{SELECT code FROM pgpool_stats.check_status('cut')}), '0', 'who says goodbye is not missed');

#
# Ghosts: what is lent out and not here
#
my @two = used(2, 'ghosts');
my $all_lent = '"pool_size": 2, "max_overflow": 0, "open": 2, "checked_out": 2, "checked_in": 0';
report('ghosts', "{$all_lent}");
$two[1]->quit;
wait_for(q{SELECT connections = 1 FROM pgpool_stats.instances WHERE pool = 'ghosts'});
report('ghosts', "{$all_lent, \"errors\": 0}");
is(figures('ghosts', 'status, notes'), 'exhausted|', 'in one report it may be a matter of time');
report('ghosts', "{$all_lent, \"errors\": 0}");
is(figures('ghosts', 'status, notes'), 'exhausted|counts 1 as lent out that are not here', 'in two it is not');
alert_becomes('ghosts', 'ghosts', 'severity, state, message',
	'warning|firing|ghosts on postgres: an instance counts 1 connection as lent out that is not here', 'which is an alert');
alert_becomes('pool_exhausted', 'ghosts', 'severity, state', 'warning|firing', 'full with their help');
report('ghosts', "{$all_lent, \"errors\": 1}");
alert_becomes('pool_exhausted', 'ghosts', 'severity', 'critical', 'critical as soon as checkouts fail');
report('ghosts', '{"pool_size": 2, "open": 2, "checked_out": 1, "checked_in": 1}') foreach 1 .. 2;
is(figures('ghosts', 'status, notes'), 'ok|', 'idle ones are not counted: the pool will find out');
$two[0]->quit;

my ($one) = used(1, 'several_servers');
report('several_servers', '{"pool_size": 4, "open": 4, "checked_out": 4, "waiting": 0}') foreach 1 .. 3;
is(figures('several_servers', 'status, notes'), 'full|', 'what never was here is on another server');
$one->quit;

#
# Full for long: critical only if nothing moves, or callers give up
#
my @full = map { used(1, $_) } qw(moves_on stuck hurts);
report($_, '{"pool_size": 2, "max_overflow": 0, "open": 2, "checked_out": 2, "timeouts": 0}') foreach qw(moves_on stuck hurts);
alert_becomes('pool_exhausted', 'hurts', 'severity, state', 'warning|firing', 'nothing says that callers wait');
report('hurts', '{"pool_size": 2, "max_overflow": 0, "open": 2, "checked_out": 2, "timeouts": 1}');
alert_becomes('pool_exhausted', 'hurts', 'severity', 'critical', 'callers gave up');
$full[0]->query_safe('SELECT 1');
set_to('alert_rules', '*: for 0s; no_pooling: off; pool_exhausted: critical 1');
alert_becomes('pool_exhausted', 'stuck', 'severity', 'critical', 'for longer than its critical level, and nothing moves');
alert_becomes('pool_exhausted', 'moves_on', 'severity, value > 1', 'warning|t', 'transactions end meanwhile: a warning');
$_->quit foreach @full;
wait_for(q{SELECT bool_and(status = 'gone') FROM pgpool_stats.pools WHERE pool IN ('moves_on', 'stuck', 'hurts')});

#
# One connection a process, and it is busy: healthy
#
my $busy = session('php', pool_size => 1);
$busy->query_safe('BEGIN');
is(figures('php', 'status, checked_out, max_size'), 'full|1|1', 'nobody can wait there');
next_pass();
is(alert('pool_full', 'php') . alert('pool_exhausted', 'php'), '', 'and there is no alert');
$busy->quit;

#
# A pool made before a fork, with the reporter that the documents recommend.  Its
# role is not that of whoever looks: a session without a label may be anybody's.
#
sub report_of
{
	my ($pool, @pids) = @_;

	report($pool, '{"pool_size": 3, "max_overflow": 0, "open": 1, "checked_out": 0, "waiting": 0}', instance => "web-1:$_", as => 'app')
	  foreach @pids;
	next_pass();
	return;
}
my @forked = map { session($_, instance => 'web-1:1', as => 'app') } qw(forked label_only label_only);
$_->query_safe('SELECT 1') foreach @forked;
report_of('forked', 2, 3);
is(alert('fork_sharing', 'forked'), '', 'claimed once');
report_of('label_only', 2, 3) foreach 1 .. 2;
foreach (1 .. 100)
{
	report_of('forked', 2, 3);
	last if alert('fork_sharing', 'forked') ne '';
}
alert_becomes('fork_sharing', 'forked', 'severity, message, cause, culprit',
	'critical|forked on postgres: 2 of 3 instances use the connection of another process: web-1:2 that of web-1:1|fork|forked web-1:2 and web-1:1',
	'two processes claim what is here once');
like(figures('forked', q{string_agg(notes, ';') FILTER (WHERE instance <> 'web-1:1')}), qr/was the pool made before a fork/, 'a note, too');
is(alert('fork_sharing', 'label_only'), '', 'enough connections for all');
is(figures('label_only', q{string_agg(DISTINCT notes, ';') FILTER (WHERE instance <> 'web-1:1')}), 'its connections have the label of web-1:1, made before a fork',
	'then only the label was made before');
$_->quit foreach @forked;
sql(q{SELECT pgpool_stats.forget(pool, instance) FROM pgpool_stats.instances WHERE pool IN ('forked', 'label_only')}, as => 'app');

#
# Reported once, and over
#
my $before = sql(q{SELECT committed, committed_peak FROM pgpool_stats.budget WHERE scope = 'server'});
report('script', '{"max_size": 7, "open": 0, "checked_out": 0}');
is(sql(q{SELECT committed - split_part('} . $before . q{', '|', 1)::int FROM pgpool_stats.budget WHERE scope = 'server'}),
	'7', 'it may ask for its maximum');

#
# Lost: who reported by a timer, and stopped together with its statements.
# There are others who report, so that it is not most of them.
#
sql(q{SELECT pgpool_stats.report('steady', '{"open": 0, "every": 80000}', 'i' || g) FROM generate_series(1, 20) g});
my %lost = map { $_ => (used(1, $_))[0] } qw(timer quiet checkin full_one working spread);
my ($few) = used(1, 'few', as => 'few');
my ($turned_away) = used(1, 'turned_away', as => 'turned_away');
my $ok = '{"pool_size": 2, "max_overflow": 0, "open": 1, "checked_out": 0';
report('timer', "$ok, \"waiting\": 0, \"every\": 1}");
report('quiet', "$ok}") foreach 1 .. 4;
for (1 .. 4)
{
	$lost{checkin}->query_safe('SELECT 1');
	report('checkin', "$ok}");
}
# of one program: what is known of one process is known of the other
my @siblings = map { used(1, 'siblings', instance => $_) } qw(a b);
report('siblings', "$ok}", instance => 'a');
report('siblings', "$ok, \"every\": 1}", instance => 'b');
report('spread', "$ok, \"every\": 1, \"hosts\": 2}");
report('full_one', '{"pool_size": 2, "max_overflow": 0, "open": 2, "checked_out": 2, "every": 1}');
$lost{working}->query_until(qr/begun/, "\\echo begun\nSELECT pg_sleep(3600);\n");
waits(1, 'PgSleep');
report('working', "$ok, \"every\": 1}");
sql(q{ALTER ROLE few CONNECTION LIMIT 2; ALTER ROLE turned_away CONNECTION LIMIT 2});
report('few', "$ok, \"every\": 1}", as => 'few');
report('turned_away', "$ok, \"every\": 1}", as => 'turned_away');
sql(q{ALTER ROLE few CONNECTION LIMIT 1; ALTER ROLE turned_away CONNECTION LIMIT 1});
wait_for(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'turned_away'});
isnt((psql('SELECT 1', as => 'turned_away'))[0], 0, 'a login is rejected');
is(figures('timer', 'status'), 'ok', 'before it is late');
set_to('stale_after', '1s');
becomes(q{SELECT string_agg(pool || ' ' || status, ', ' ORDER BY pool) FROM pgpool_stats.instances WHERE status = 'lost'},
	'few lost, quiet lost, siblings lost, siblings lost, timer lost', 'reports and statements have stopped');
next_pass();
is(sql(q{SELECT string_agg(pool || ' ' || status, ', ' ORDER BY pool) FROM pgpool_stats.instances
		WHERE pool IN ('checkin', 'full_one', 'spread', 'working', 'turned_away')}),
	'checkin ok, full_one exhausted, spread ok, turned_away ok, working ok',
	'not: who reports when it works, was full, works, is not let in, or has others at another server');
is(figures('spread', 'notes'), 'its figures are of connections to 2 servers', 'as is noted');
like(alert('lost', 'timer'), qr/^warning\|timer on postgres: 1 of 1 instance: no report and no statement for \d+ s, holds 1 connection$/,
	'in words');
is(alert('lost', 'few', 'severity'), 'critical', 'critical when there are no slots left');
is(alert('silent', 'timer'), '', 'it is not said to work');
is(sql(q{SELECT i.status, p.max_size FROM pgpool_stats.pools p JOIN pgpool_stats.instances i USING (pool) WHERE pool = 'script'}),
	'silent|7', 'the script is silent');
my $with_script = sql(q{SELECT committed_peak FROM pgpool_stats.budget WHERE scope = 'server'});
sql(q{SELECT pgpool_stats.forget('script', 'i')});
is(sql(q{SELECT committed_peak FROM pgpool_stats.budget WHERE scope = 'server'}), $with_script,
	'it commits nothing, and does not stand in the peak');
$lost{timer}->query_safe('SELECT 1');
is(figures('timer', 'status'), 'silent', 'a statement: it works after all');

# most of them at once: that has another reason
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
eval { $_->quit } foreach $few, $turned_away, @siblings, values %lost;
wait_for(q{SELECT count(*) = 0 FROM pgpool_stats.connections WHERE pool IN ('few', 'turned_away', 'timer', 'working')});
sql(q{SELECT pgpool_stats.forget(pool, instance) FROM pgpool_stats.instances
	  WHERE usename = current_user AND last_report IS NOT NULL AND pool NOT IN ('still', 'moves', 'anew')});
my @many = map { session('many', instance => "m$_") } 1 .. 6;
$_->query_safe('SELECT 1') foreach @many;
sql(q{SELECT pgpool_stats.report('many', '{"pool_size": 2, "open": 1, "checked_out": 0, "waiting": 0, "every": 0.5}', 'm' || g) FROM generate_series(1, 6) g});
becomes(q{SELECT severity, message FROM pgpool_stats.alerts WHERE rule = 'silent' AND pool IS NULL},
	'warning|server: reports stopped at 6 of 6 instances', 'most reports stop: one alert');
next_pass();
is(sql(q{SELECT DISTINCT status FROM pgpool_stats.instances WHERE pool = 'many'}), 'ok', 'and none is lost');
$_->quit foreach @many;
set_to('stale_after', '1h');

#
# Connections that only report
#
set_to('alert_rules', '*: for 0s; no_pooling: off; slow_connect: warning 0 for 1h');
foreach my $pool (qw(reports works))
{
	my $say = $pool eq 'works' ? 'SELECT 1' : q{SELECT pgpool_stats.report('reported', '{"open": 0}', 'i')};

	local $ENV{PGOPTIONS} = labels($pool);
	sql("$say;\n" . "\\connect\n$say;\n" x 24);
}
alert_becomes('slow_connect', 'works', 'severity', 'warning', 'a pool that works');
is(alert('slow_connect', 'reports'), '', 'not the connections of reporters');

#
# The standstill
#
wait_for(q{SELECT pgpool_stats.report('still', '{"pool_size": 5, "checked_out": 0, "waiting": 2, "checkouts": 7}', 'i')
		AND pgpool_stats.report('moves', '{"pool_size": 5, "checked_out": 0, "waiting": 2, "checkouts": 8}', 'i')
		AND (SELECT status = 'stalled' FROM pgpool_stats.instances WHERE pool = 'still')});
foreach (1 .. 600)
{
	report('still-asked', sprintf($asked, 3, 9, 5), as => 'app');
	last if figures('still-asked', 'status') eq 'stalled';
}
report('moves-asked', sprintf($asked, 2, 9, 5), as => 'app');
is(sql(q{SELECT string_agg(pool || ' ' || status || ' ' || checked_out, ', ' ORDER BY pool) FROM pgpool_stats.instances WHERE pool LIKE '%-asked'}),
	'moves-asked waiting 0, still-asked stalled 0', 'who waits or gave up was lent nothing');
alert_becomes('stalled', 'still', q{severity, message ~ '^still on postgres: 1 of 1 instance at a standstill for \d+ (s|min), 2 callers waiting and nothing is lent out$'},
	'critical|t', 'callers wait and nothing is lent out');
is(figures('moves', 'status'), 'waiting', 'something was lent in between');
report('anew', '{"pool_size": 5, "checked_out": 0, "waiting": 2, "checkouts": 3}');
is(figures('anew', 'status'), 'waiting', 'its counters began anew: so did the process');
is(alert('callers_waiting', 'still'), '', 'said once');
report('still', '{"pool_size": 5, "checked_out": 1, "waiting": 2, "checkouts": 8}');
is(figures('still', 'status'), 'waiting', 'it goes on');

$node->stop('immediate');

#
# A superuser's pool takes what is reserved
#
my $reserved = start_node(q{
max_connections = 6
superuser_reserved_connections = 4
autovacuum = off
pgpool_stats.alert_rules = '*: for 0s'
}, name => 'reserved');
my @greedy = sessions(3, 'composeapp');
is(sql(q{SELECT usable, used_pct FROM pgpool_stats.budget WHERE scope = 'server'}), '2|100.0', 'at most 100 %');
becomes(q{SELECT message ~ '^server: 2 of 2 usable connections in use, and [123] of 4 reserved by pools of superusers: ' AND value = 100
		FROM pgpool_stats.alerts WHERE rule = 'connections'}, 't', 'who uses the reserved ones');
like(sql(q{SELECT used FROM pgpool_stats.overview WHERE pool = '(server)'}), qr{/6$}, 'of all slots');
$_->quit foreach @greedy;
$reserved->stop;

done_testing();
