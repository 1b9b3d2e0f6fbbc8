# Incidents: what fired is kept, over a restart too; each role has its share.
# The cause and the culprit of an alert, and who may see them.
use strict;
use warnings;
use PgpoolStats;

my $rules = 'no_pooling: off; over_committed: off; connections: off; pool_exhausted: off; pool_full: off; callers_waiting: for 0s';
my $node = start_node(qq{
max_connections = 60
max_prepared_transactions = 2
pgpool_stats.max_incidents = 16
pgpool_stats.alert_rules = '$rules'
});
sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE ops LOGIN;
CREATE ROLE flood LOGIN;
CREATE ROLE boss LOGIN IN ROLE pg_monitor;
CREATE TABLE t (a int);
GRANT ALL ON t TO app, ops;
});

sub incidents
{
	my ($columns, $where) = @_;

	return "SELECT coalesce(string_agg(concat_ws(' ', $columns), ', ' ORDER BY rule, pool), '-')"
	  . ' FROM pgpool_stats.incidents WHERE ' . ($where // 'true');
}

sub waiting
{
	my ($pool, $n, $role) = @_;

	return report($pool, qq({"max_size": 2, "checked_out": 2, "waiting": $n}), as => $role // 'app');
}

sub seen
{
	next_pass() foreach 1 .. 2;
	return;
}

#
# what fired, from its beginning to its end
#
is(sql(incidents('id')), '-', 'none yet');
waiting('orders', 3);
becomes(incidents('severity, rule, pool, datname, usename, instance, worst, unit, times, ended IS NULL, cause'),
	'warning callers_waiting orders postgres app i 3 callers 1 t', 'it fires');
is(sql('SELECT i.began = a.since, i.hint = a.hint FROM pgpool_stats.incidents AS i, pgpool_stats.alerts AS a'),
	't|t', 'it began when the alert did');
waiting('orders', 7);
becomes(incidents('worst, message'), '7 orders on postgres: 7 callers waiting, at 1 of 1 instance', 'at its worst');
waiting('orders', 2);
becomes('SELECT value FROM pgpool_stats.alerts', '2', 'it gets better');
seen();
is(sql(incidents('worst, message')), '7 orders on postgres: 7 callers waiting, at 1 of 1 instance', 'the worst is kept');
waiting('orders', 0);
becomes(incidents('ended > began, times, worst'), 't 1 7', 'it is over, and kept');
is(sql('SELECT count(*) FROM pgpool_stats.alerts'), '0', 'the alert is not');

# again, within 10 minutes
my $id = sql(incidents('id'));
set_to('alert_rules', "$rules warning 1 critical 5");
waiting('orders', 5);
becomes(incidents("id - $id, severity, times, ended IS NULL, worst"), '0 critical 2 t 7', 'the same incident, as severe as it was at most');
waiting('orders', 1);
seen();
is(sql(incidents('severity, ended IS NULL')), 'critical t', 'its highest severity');

# a new collector goes on
my $collector = sql('SELECT collector_pid FROM pgpool_stats.info');
my $pass = sql('SELECT last_pass FROM pgpool_stats.info');
sql("SELECT pg_terminate_backend($collector)");
wait_for("SELECT collector_pid <> $collector AND last_pass > '$pass' FROM pgpool_stats.info");
seen();
is(sql(incidents("id - $id, times, ended IS NULL")), '0 2 t', 'a new collector goes on with it');

#
# over a restart: open until it is found again, or not for 2 minutes (that is
# in 017_clock.pl)
#
waiting('stock', 1);
waiting('stock', 0);
waiting('mail', 4);
becomes(incidents('pool', 'ended IS NULL'), 'mail, orders', 'two fire');
waiting('mail', 0);
becomes(incidents('pool', 'ended IS NULL'), 'orders', 'one fires');
my $kept = sql(incidents('id, pool, began, ended, worst, message', 'ended IS NOT NULL'));
set_to('alert_rules', "$rules; callers_waiting: off");
becomes(incidents('pool', 'ended IS NULL'), '-', 'none fires when its rule is off');
set_to('alert_rules', $rules);
waiting('orders', 1);
becomes(incidents('pool, times', 'ended IS NULL'), 'orders 3', 'and again');
$node->append_conf('postgresql.conf', "pgpool_stats.alert_rules = '*: off'");
$node->restart;
seen();
is(sql(incidents('id, pool, began, ended, worst, message', 'ended IS NOT NULL')), $kept, 'what ended survives a restart');
is(sql(incidents("id - $id, times", 'ended IS NULL')), '0 3', 'what fired when the server stopped is open');
set_to('alert_rules', $rules);
waiting('orders', 1);
becomes('SELECT count(*) FROM pgpool_stats.alerts', '1', 'it is found again');
seen();
is(sql(incidents("id - $id, times", 'ended IS NULL')), '0 3', 'and goes on');
waiting('orders', 0);
becomes(incidents('pool', 'ended IS NULL'), '-', 'until it ends');

#
# who sees what; and nobody takes the places of others
#
is(sql(incidents('pool'), as => 'flood'), '-', 'another role sees none');
is(sql(incidents('pool'), as => 'app'), sql(incidents('pool'), as => 'boss'), 'its role and pg_monitor do');
my $mine = sql(incidents('pool, times, worst'), as => 'app');
sql(join('', map { "SELECT pgpool_stats.report('f$_', '{\"max_size\": 2, \"checked_out\": 2, \"waiting\": 9}', 'i');" } 1 .. 30), as => 'flood');
becomes('SELECT count(*) FROM pgpool_stats.alerts', '30', 'a flood');
seen();
is(sql('SELECT count(*) FROM pgpool_stats.incidents', as => 'flood'), '8', 'half of the places, for one role that fires');
is(sql(incidents('pool, times, worst'), as => 'app'), $mine, 'what others had is still there');
like(sql('SELECT notes FROM pgpool_stats.info'), qr/22 incidents have no place: raise pgpool_stats.max_incidents/, 'and info says so');
waiting('victim', 1);
becomes(incidents('pool', "pool = 'victim'"), 'victim', 'there is a place for what is new of another role');
waiting('victim', 0);
becomes(incidents('pool', "pool = 'victim' AND ended IS NOT NULL"), 'victim', 'also when it is over');
foreach my $round (1 .. 3)
{
	sql("SELECT pgpool_stats.forget('f' || n, 'i') FROM generate_series(1, 30) n", as => 'flood');
	wait_for('SELECT count(*) = 0 FROM pgpool_stats.alerts');
	sql(join('', map { "SELECT pgpool_stats.report('g$round-$_', '{\"max_size\": 2, \"checked_out\": 2, \"waiting\": 9}', 'i');" } 1 .. 8), as => 'flood');
	wait_for('SELECT count(*) = 8 FROM pgpool_stats.alerts');
	seen();
	is(sql("SELECT count(*) FROM pgpool_stats.incidents WHERE pool ~ '^g$round-' AND ended IS NULL"), '8', "what fires has its place, round $round");
	sql("SELECT pgpool_stats.forget('g$round-' || n, 'i') FROM generate_series(1, 8) n", as => 'flood');
}
is(sql(incidents('pool', "pool = 'victim'")), 'victim', 'the role with most gives up its own');
is(sql('SELECT count(*) FROM pgpool_stats.incidents'), '16', 'no more than there are places');
like(sql('SELECT notes FROM pgpool_stats.info'), qr/\d+ incidents gave way to newer ones: pgpool_stats.max_incidents is how many are kept/, 'it is counted');
wait_for('SELECT count(*) = 0 FROM pgpool_stats.alerts');

#
# why: a lock of somebody else
#
set_to('alert_rules', 'no_pooling: off; over_committed: off; connections: off; pool_full: off; pool_exhausted: for 0s');
my $why = "SELECT regexp_replace(message, 'for \\d+ s', 'for N s', 'g'), cause, culprit, culprit_pid FROM pgpool_stats.alerts WHERE pool = 'shop'";

sub pid_of
{
	return $_[0]->query_safe('SELECT pg_backend_pid()');
}

# Four sessions of the pool shop run a statement.
sub fill
{
	my ($statement) = @_;
	my @sessions = sessions(4, 'shop', instance => 'web-1:7', pool_size => 4, as => 'app');

	$_->query_until(qr/sent/, "\\echo sent\n$statement;\n") foreach @sessions;
	return @sessions;
}

# They go on and end.
sub empty
{
	$_->quit foreach @_;
	wait_for("SELECT count(*) = 0 FROM pgpool_stats.alerts WHERE pool = 'shop'");
	return;
}

set_to('notify_database', 'postgres');
my $listener = background(as => 'flood');
$listener->query_safe('LISTEN pgpool_stats');
my $migrate = session('migrate', instance => 'mig-1:77', as => 'ops');
my $pid = pid_of($migrate);
$migrate->query_safe("BEGIN;\nLOCK TABLE t;");
my @shop = fill('SELECT * FROM t');
my $full = 'shop on postgres: 1 of 1 instance full (4/4) for N s';
becomes($why, "$full: 4 wait for a lock of migrate mig-1:77 (pid $pid), idle in transaction for N s|lock|migrate mig-1:77|$pid",
	'the sentence names who holds the lock, and since when');
is(sql($why, as => 'app'), "$full: 4 wait for a lock of another role's connection (pid $pid)|lock|another role's connection|$pid",
	'no more of another role than pg_stat_activity shows');
is(sql($why, as => 'boss'), sql($why), 'pg_monitor sees all of it');
is(sql("SELECT hint FROM pgpool_stats.alerts WHERE pool = 'shop'") =~ /^That transaction must end/, 1, 'the hint follows from the cause');
my $sentence = qr/shop on postgres: .* full \(4\/4\) for \d+ s: 4 wait for a lock of migrate mig-1:77 \(pid $pid\), idle in transaction for \d+ s/;
like(sql("SELECT message FROM pgpool_stats.incidents WHERE pool = 'shop'"), $sentence, 'so says the incident');
$migrate->query_safe('COMMIT');
empty(@shop);
like(slurp_file($node->logfile), qr/alert cleared: .* pool="shop" .*message="$sentence/, 'and the log');
my ($got, $tries) = ('', 0);
while ($got !~ /"cleared".*"shop"/ && $tries++ < 300)
{
	$got .= $listener->query_safe('SELECT 1');
	next_pass();
}
like($got, qr/"cleared".*"pool": "shop".*"message": "[^"]*: 4 wait for a lock of another role's connection \(pid $pid\)[^"]*", "cause": "lock"/,
	'NOTIFY has what everybody may see');
$listener->quit;
set_to('notify_database', '');
my $saved = sql("SELECT message, cause, culprit, culprit_pid FROM pgpool_stats.incidents WHERE pool = 'shop'");
$migrate->quit;
$node->restart;
is(sql("SELECT message, cause, culprit, culprit_pid FROM pgpool_stats.incidents WHERE pool = 'shop'"), $saved, 'the same after a restart');
like(sql("SELECT message FROM pgpool_stats.incidents WHERE pool = 'shop'", as => 'app'), qr/for a lock of another role's connection \(pid $pid\)$/, 'also for its role');

# a chain: one reads, one waits for it to alter the table, all others wait
my $reader = session('quarterly-report-of-all-regions', instance => 'bi-1:5', as => 'app');
my $reader_pid = pid_of($reader);
$reader->query_safe("BEGIN;\nSELECT * FROM t;");
$migrate = session('migrate', instance => 'mig-2:78', as => 'ops');
$pid = pid_of($migrate);
$migrate->query_until(qr/sent/, "\\echo sent\nBEGIN;\nLOCK TABLE t;\n");
waits(1, 'relation');
@shop = fill('SELECT * FROM t');
becomes($why, "$full: 4 wait for a lock of quarterly-report-of-all~ bi-1:5 (pid $reader_pid), idle in transaction for N s; in between migrate mig-2:78 (pid $pid) asks for AccessExclusiveLock|lock|quarterly-report-of-all-regions bi-1:5|$reader_pid",
	'the root of the chain, and who stands between; a long name is shortened');
$_->quit foreach $reader, $migrate;
empty(@shop);

# nobody's process
sql("BEGIN; LOCK TABLE t; PREPARE TRANSACTION 'left'");
@shop = fill('SELECT * FROM t');
becomes($why, "$full: 4 wait for a lock of a prepared transaction|lock|a prepared transaction|", 'a prepared transaction');
sql("COMMIT PREPARED 'left'");
empty(@shop);

# the application holds its transactions
@shop = fill('BEGIN');
becomes("SELECT regexp_replace(regexp_replace(message, 'for \\d+ s', 'for N s', 'g'), ' after query -?\\d+', ' after query N'), cause, culprit FROM pgpool_stats.alerts WHERE pool = 'shop'",
	"$full: all idle in transaction after query N, the oldest for N s, the application holds them|idle in transaction|shop web-1:7", 'the application holds its transactions');
empty(@shop);

# what else they wait for
@shop = fill('SELECT pg_sleep(3600)');
becomes("SELECT regexp_replace(regexp_replace(message, 'for \\d+ s', 'for N s', 'g'), 'query -?\\d+', 'query N'), cause, culprit FROM pgpool_stats.alerts WHERE pool = 'shop'",
	"$full: 4 wait for something else (Timeout) in query N, the oldest statement for N s|other|shop web-1:7", 'something else');
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
eval { $_->quit } foreach @shop;

$node->stop;
done_testing();
