# Alerts about how connections are made and how they end.
use strict;
use warnings;
use PgpoolStats;
use RawClient;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
autovacuum = off
restart_after_crash = on
pgpool_stats.save_interval = 1s
pgpool_stats.alert_rules = 'no_pooling: off'
});
use_port($node->port);
sql(q{CREATE ROLE app LOGIN SUPERUSER});

sub alert
{
	my ($pool, $columns) = @_;

	return sql("SELECT $columns FROM pgpool_stats.alerts WHERE pool = '$pool'");
}

sub fires
{
	my ($rule, $pool, $message) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_for(qq{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE pool = '$pool' AND rule = '$rule' AND state = 'firing'});
	my $fired = sql(qq{SELECT severity, message FROM pgpool_stats.alerts WHERE pool = '$pool' AND rule = '$rule'});

	return ref $message ? like($fired, $message, "$pool: $rule") :
		is($fired, "warning|$message", "$pool: $rule");
}

# Sessions of a pool that stays, ended in some way, and whether one is enough
sub lose
{
	my ($pool, $n, $end, %how) = @_;
	my @clients = map { client($pool, %how) } 1 .. $n;

	$end->($_) foreach @clients;
	wait_for(qq{SELECT disconnects = $n FROM pgpool_stats.sessions WHERE pool = '$pool'});
	next_pass();
	return;
}

sub terminate { return sql("SELECT pg_terminate_backend($_[0]->{pid})") }

# Cut off in a transaction
lose('few', 4, \&hang_up, in_xact => 1);
lose('cut', 5, \&hang_up, in_xact => 1);
fires('sessions_lost', 'cut', 'cut on postgres: 5 of 5 connections that ended in the last 5 min were lost: connection_lost');
is(alert('few', 'message'), '', '4 in 5 min raise nothing');

# Cut off while idle: an application that ends in a hurry; closed in order; and
# what the server needs for itself
lose('hurry', 6, \&hang_up);
lose('orderly', 6, \&leave, in_xact => 1);

# 5 of more than 500: 1 %
my $pgbench = do {
	local $ENV{PGOPTIONS} = labels('many');
	pgbench('SELECT 1;', $node->connstr('postgres') . ' user=app', '-C', '-c', 2, '-t', 250);
};
$pgbench->finish;
my @clients = map { client('many', in_xact => 1) } 1 .. 5;
hang_up($_) foreach @clients;

# Idle ones that the server ends are lost if the instance lives on, not if it
# ends with them
my @stay = (client('lives'), client('doomed'));
@clients = ((map { client('lives') } 1 .. 5), (map { client('doomed') } 1 .. 5));
terminate($_) foreach @clients, $stay[1];
fires('sessions_lost', 'lives', 'lives on postgres: 5 of 5 connections that ended in the last 5 min were lost: terminated, by whom is not known');
next_pass();
foreach my $pool ('doomed', 'hurry', 'orderly', 'many')
{
	is(alert($pool, 'message'), '', "$pool: nothing was lost");
}
cmp_ok(sql(q{SELECT disconnects FROM pgpool_stats.sessions WHERE pool = 'many'}), '>=', 505, '1 % of them is normal');

# ... and at once if it comes back
lose('back', 5, \&terminate);
is(alert('back', 'message'), '', 'all of it has ended');
$stay[2] = client('back');
fires('sessions_lost', 'back', 'back on postgres: 5 of 5 connections that ended in the last 5 min were lost: terminated, by whom is not known');

# An error of its own that is fatal, also in a transaction: it was told why
my $module = module('fatal', q{
#include "postgres.h"
#include "fmgr.h"
PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(fatal);
Datum
fatal(PG_FUNCTION_ARGS)
{
	ereport(FATAL, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("enough")));
	PG_RETURN_VOID();
}
});
sql("CREATE FUNCTION fatal() RETURNS void LANGUAGE c AS '$module'");
lose('fails', 6, sub { ask($_[0], 'SELECT fatal()') }, in_xact => 1);
is(alert('fails', 'message'), '', 'an error is not a loss');
is(sql(q{SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects WHERE pool = 'fails'}), 'error|53200|t|6', 'although all of them ended by it');

# Several reasons
lose('mixed', 7, sub { $_[0]->{pid} % 2 ? reset_connection($_[0]) : hang_up($_[0]) }, in_xact => 1);
like(alert('mixed', 'message'), qr/^mixed on postgres: 7 of 7 connections that ended in the last 5 min were lost, \d of them: connection_/, 'the most frequent reason');

# The server's own time limit is not the application's want of a pool
set_to('alert_rules', 'no_pooling: warning 1 for 1min');
lose('limited', 25, sub { }, options => ' -c idle_session_timeout=1');
lose('unpooled', 25, \&leave);
like(alert('unpooled', 'rule, message'), qr/^no_pooling\|unpooled on postgres: 25 connections a minute closed after 0\.0 transactions and \d+\.\d s on average$/, 'an application without a pool');
is(figures('limited', 'notes'), '', 'no note for what the server ended');
like(figures('unpooled', 'notes'), qr/hardly pools: its connections were closed after 0\.0 transactions and/, 'a note for what the application closed');
is(alert('limited', q{count(*) FILTER (WHERE rule = 'no_pooling')}), '0', 'and no alert');

# A pool that tells why it closes them
foreach my $told ('MaxIdleClosed', 'MaxLifetimeClosed')
{
	report($told, qq({"MaxOpenConnections": 9, "OpenConnections": 0, "InUse": 0, "Idle": 0, "$told": 0}), as => 'app');
	next_pass();
	lose($told, 25, \&leave);
	report($told, qq({"MaxOpenConnections": 9, "OpenConnections": 0, "InUse": 0, "Idle": 0, "$told": 25}), as => 'app');
	next_pass();
}
like(alert('MaxIdleClosed', 'message'), qr/on average, most because the pool keeps too few idle ones$/, 'too few idle ones');
like(alert('MaxLifetimeClosed', 'message'), qr/on average, most at the pool's maximum lifetime$/, 'a maximum lifetime');
set_to('alert_rules', 'no_pooling: off');

# Connects that take long: these wait before they say who they are
foreach my $n (19, 20)
{
	my @waiting = map { knock() } 1 .. $n;

	pass_time(1.2);
	@clients = map { enter($_, "slow$n") } @waiting;
	leave($_) foreach @clients;
}
fires('slow_connect', 'slow20', qr/^warning\|slow20 on postgres: 5 % of 20 connects in the last 5 min took [1-9][\d.]* s or more$/);
is(alert('slow19', 'message'), '', 'fewer than 20 say nothing');
is(sql(q{SELECT auth_time_p95 > 1000 AND connect_time_p50 > 1000 FROM pgpool_stats.sessions WHERE pool = 'slow20'}), 't', 'and in the view');
set_to('alert_rules', 'slow_connect: for 1s; sessions_lost: for 1s; no_pooling: off');
becomes(q{SELECT count(*) = 0 FROM pgpool_stats.alerts WHERE rule IN ('slow_connect', 'sessions_lost')}, 't', 'all of it clears');
set_to('alert_rules', 'no_pooling: off');

# A busy postmaster: only the client knows how long it waited for it
{
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
	my $clock = background();

	$clock->query_safe('SELECT 1');
	kill 'STOP', $postmaster;
	my $waits = knock();
	$clock->query_safe('SELECT pg_sleep(1)');
	my $began = $clock->query_safe('SELECT clock_timestamp()');
	kill 'CONT', $postmaster;
	leave(enter($waits, 'queued'));
	$clock->quit;
	is(sql(qq{SELECT connect_time_p50 * 7 / 8 <= extract(epoch FROM clock_timestamp() - '$began') * 1000 FROM pgpool_stats.sessions WHERE pool = 'queued'}),
		't', 'the time in its queue is not in connect_time');
}

# A crash
@clients = map { client('crashed') } 1 .. 5;
my $now = sql('SELECT clock_timestamp()');
wait_for(qq{SELECT modification > '$now'::timestamptz + interval '2 s' FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true)});
kill_hard($clients[0]{pid});
fires('sessions_lost', 'crashed', 'crashed on postgres: 5 of 5 connections that ended in the last 5 min were lost: crash, of which process is not known');

# What the library tells.  An attempt counts when it begins, and again when it
# has failed: their difference goes up and down, and nobody started again.
sub tells
{
	my ($tried, $failed) = @_;

	return report('told', qq({"connections_num": $tried, "connections_errors": $failed, "connections_ms": 60, "pool_min": 2, "pool_max": 3, "pool_size": 2, "pool_available": 2, "requests_waiting": 0}));
}
tells(4, 0);
is(sql(q{SELECT client_connect_time FROM pgpool_stats.sessions WHERE pool = 'told'}), '15', 'client_connect_time');
foreach my $failed (1 .. 10)
{
	tells(4 + $failed, $failed - 1);
	tells(4 + $failed, $failed);
}
is(figures('told', 'errors'), '10', 'connects that fail');
is(sql(q{SELECT client_connect_time FROM pgpool_stats.sessions WHERE pool = 'told'}), '15', 'do not count as made');
next_pass();
is(alert('told', q{count(*) FILTER (WHERE rule = 'shared_instance')}), '0', 'and it is still one process');

# The queries of the document
my @queries = slurp_file('docs/sessions.md') =~ /^<!-- test: \w+ -->\n```sql\n(.*?)^```$/msg;
cmp_ok(scalar @queries, '>=', 4, 'queries of docs/sessions.md');
isnt(sql($_), '', (split /\n/)[0]) foreach grep { !/tls/ } @queries;
unlike(slurp_file('docs/sessions.md'), qr/[^\x00-\x7f]/, 'ASCII only');
my ($query) = grep { /tls/ } @queries;
my $session = client('plain');
like(sql($query), qr/^plain\|app\|1\|0$/m, 'who is not on TLS');

$node->stop;
done_testing();
