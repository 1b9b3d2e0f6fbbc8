# How sessions end: each ending made for real, its reason and counts exact.
use strict;
use warnings;

use PgpoolStats;
use RawClient;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
autovacuum = off
restart_after_crash = on
pgpool_stats.save_interval = 1h
});
use_port($node->port);
sql(q{CREATE ROLE app LOGIN SUPERUSER});

# What view disconnects says of a pool
sub ends
{
	my ($pool) = @_;

	return sql(qq{
		SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects
		WHERE pool = '$pool' ORDER BY reason, in_xact, sqlstate});
}

# So many sessions of the pool have ended.
sub wait_ended
{
	my ($pool, $n) = @_;

	wait_for(qq{SELECT disconnects = $n FROM pgpool_stats.sessions WHERE pool = '$pool'});
	return;
}

# Core's words: abandoned, fatal, killed; and what is left
sub core
{
	my ($pool) = @_;

	return sql(qq{
		SELECT sessions_abandoned, sessions_fatal, sessions_killed, connections
		FROM pgpool_stats.sessions WHERE pool = '$pool'});
}

sub terminate { return sql("SELECT pg_terminate_backend($_[0]->{pid})") }

# Each way to end, outside of a transaction and inside: how, what view
# disconnects says then, and core's words
my %way = (
	closes => [ \&leave, 'client_closed||f|1', 'client_closed||t|1', '0|0|0|0' ],
	eof => [ \&hang_up, 'connection_lost||f|1', 'connection_lost|08006|t|1', '1|0|0|0' ],
	rst => [ \&reset_connection, 'connection_reset|08006|f|1', 'connection_reset|08006|t|1', '1|0|0|0' ],
	terminated => [ \&terminate, 'terminated|57P01|f|1', 'terminated|57P01|t|1', '0|0|1|0' ],
	garbage => [
		sub { put($_[0]->{socket}, 'x', 'y') },
		'protocol_violation|08P01|f|1', 'protocol_violation|08P01|t|1', '0|1|0|0'
	],
	'bad-length' => [
		sub { syswrite $_[0]->{socket}, 'Q' . pack('N', 1) },
		'protocol_violation|08P01|f|1', 'protocol_violation|08P01|t|1', '1|0|0|0'
	],
	'cut-message' => [
		sub { syswrite $_[0]->{socket}, 'Q' . pack('N', 100) . 'SELECT'; hang_up($_[0]) },
		'connection_lost|08P01|f|1', 'connection_lost|08P01|t|1', '1|0|0|0'
	],
	'in-copy' => [
		sub {
			ask($_[0], 'CREATE TEMP TABLE t (a int)');
			put($_[0]->{socket}, "COPY t FROM STDIN\0", 'Q');
			# what is not read would make it a reset
			sysread $_[0]->{socket}, my $answer, 8192;
			hang_up($_[0]);
		},
		'connection_lost|08006|t|1', 'connection_lost|08006|t|1', '0|1|0|0'
	]);

foreach my $name (sort keys %way)
{
	my ($end, $idle, $in_xact, $core) = @{ $way{$name} };

	foreach my $pool ($name, "$name-xact")
	{
		my $client = client($pool, in_xact => $pool =~ /xact$/);

		$end->($client);
		wait_ended($pool, 1);
		is(ends($pool), $pool eq $name ? $idle : $in_xact, "$pool: the reason");
		is(core($pool), $core, "$pool: in core's words");
		is(sql(qq{SELECT last_pid, last_at IS NOT NULL FROM pgpool_stats.disconnects WHERE pool = '$pool'}),
			"$client->{pid}|t", "$pool: the last one");
	}
}

# Timeouts of the server
my $client = client('idle', options => ' -c idle_session_timeout=1');
wait_ended('idle', 1);
is(ends('idle'), 'idle_session_timeout|57P05|f|1', 'idle_session_timeout');
is(core('idle'), '0|1|0|0', 'idle_session_timeout is fatal');
$client = client('idle-xact', options => ' -c idle_in_transaction_session_timeout=1', in_xact => 1);
wait_ended('idle-xact', 1);
is(ends('idle-xact'), 'idle_in_transaction_timeout|25P03|t|1', 'idle_in_transaction_session_timeout');

SKIP:
{
	skip 'PostgreSQL 17 has transaction_timeout', 2 if $node->pg_version < 17;
	$client = client('xact-limit', options => ' -c transaction_timeout=10', in_xact => 1);
	wait_ended('xact-limit', 1);
	is(ends('xact-limit'), 'transaction_timeout|25P04|t|1', 'transaction_timeout');
	is(core('xact-limit'), '0|1|0|0', 'transaction_timeout is fatal');
}

# A query runs when its client goes: found by client_connection_check_interval
$client = client('checked', options => ' -c client_connection_check_interval=10');
put($client->{socket}, "SELECT pg_sleep(1000)\0", 'Q');
waits(1, 'PgSleep');
hang_up($client);
wait_ended('checked', 1);
is(ends('checked'), 'connection_lost|08006|t|1', 'the client of a running query is gone');
is(core('checked'), '0|1|0|0', 'in core\'s words that is fatal');

# The client's process is killed: nothing is said, as when it closes its socket
my $psql = session('killed');
$psql->query_safe('SELECT 1');
$psql->{run}->signal('KILL');
eval { $psql->{run}->finish };
wait_ended('killed', 1);
is(ends('killed'), 'connection_lost||f|1', 'kill -9 of the client');

# Its database is dropped
sql('CREATE DATABASE doomed');
my @doomed = map { client('doomed', on => 'doomed') } 1 .. 3;
sql('DROP DATABASE doomed WITH (FORCE)');
wait_ended('doomed', 3);
is(ends('doomed'), 'terminated|57P01|f|3', 'DROP DATABASE FORCE');

# What is not logged is not seen
my %quiet = (
	fatal => {
		rst => 'connection_lost||f|1',
		'bad-length' => 'connection_lost||f|1',
		garbage => 'protocol_violation|08P01|f|1',
		terminated => 'terminated|57P01|f|1'
	},
	panic => {
		closes => 'client_closed||f|1',
		garbage => 'error||f|1',
		terminated => 'terminated||f|1'
	});
foreach my $level (sort keys %quiet)
{
	foreach my $name (sort keys %{ $quiet{$level} })
	{
		my $pool = "$level-$name";

		$client = client($pool, options => " -c log_min_messages=$level");
		$way{$name}[0]->($client);
		wait_ended($pool, 1);
		is(ends($pool), $quiet{$level}{$name}, "log_min_messages = $level: $name");
	}
}
like(sql(q{SET log_min_messages = fatal; SELECT notes FROM pgpool_stats.info}),
	qr/log_min_messages is above log: a connection that was reset, .* counts as lost/, 'info says so');

# Nothing of it depends on what the server tracks
foreach my $off ('track_activities', 'track_counts')
{
	$client = client($off, options => " -c $off=off", in_xact => 1);
	terminate($client);
	wait_ended($off, 1);
	is(ends($off), 'terminated|57P01|t|1', "$off is off");
	is(core($off), '0|0|1|0', "$off is off, in core's words");
}

# An extension ends sessions with errors of its own, of more kinds than there
# are places: none is left out
my $module = module('fatal', q{
#include "postgres.h"
#include "fmgr.h"
#include "utils/builtins.h"
PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(fatal);
Datum
fatal(PG_FUNCTION_ARGS)
{
	const char *s = text_to_cstring(PG_GETARG_TEXT_PP(0));

	ereport(FATAL, (errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])), errmsg("enough")));
	PG_RETURN_VOID();
}
});
sql("CREATE FUNCTION fatal(text) RETURNS void LANGUAGE c AS '$module', 'fatal'");
foreach my $n (10 .. 21)
{
	$client = client('kinds');
	ask($client, "SELECT fatal('X00$n')");
	wait_ended('kinds', $n - 9);
}
is(sql(q{SELECT reason, in_xact, count(sqlstate), count(*) FILTER (WHERE sqlstate IS NULL), sum(count), max(count) FROM pgpool_stats.disconnects WHERE pool = 'kinds' GROUP BY 1, 2}),
	'error|t|8|1|12|4', 'more kinds of errors than places');
is(core('kinds'), '0|12|0|0', 'in core\'s words fatal');

# What sessions did and how old they became: of those that have ended
my @worked = map { client('worked') } 1 .. 3;
my $born = sql('SELECT clock_timestamp()');
ask($_, 'SELECT 1') foreach ($worked[0]) x 6, $worked[1];
pass_time(0.5);
my $age = sql("SELECT extract(epoch FROM clock_timestamp() - '$born') * 1000");
leave($_) foreach @worked[ 0, 1 ];
wait_ended('worked', 2);
is(sql(q{SELECT connections, xacts_per_session FROM pgpool_stats.sessions WHERE pool = 'worked'}), '1|3.5', 'transactions per session');
is(sql(qq{SELECT session_age_p50 >= $age * 7 / 8, session_age_max >= $age, session_age_p50 <= session_age_max FROM pgpool_stats.sessions WHERE pool = 'worked'}),
	't|t|t', 'ages');
leave($worked[2]);
wait_ended('worked', 3);

# Each role sees its own
sql('CREATE ROLE stranger LOGIN');
is(sql(q{
		SELECT (SELECT count(*) FROM pgpool_stats.disconnects WHERE usename <> 'stranger'),
			(SELECT count(*) FROM pgpool_stats.sessions WHERE usename <> 'stranger')}, as => 'stranger'),
	'0|0', 'of other roles a role sees nothing');

# Core counts the same, by database
becomes(q{
		SELECT concat(sum(s.sessions_abandoned), ' ', sum(s.sessions_fatal), ' ', sum(s.sessions_killed))
			 = (SELECT concat(d.sessions_abandoned, ' ', d.sessions_fatal, ' ', d.sessions_killed) FROM pg_stat_database d WHERE datname = 'postgres')
		FROM pgpool_stats.sessions s WHERE datname = 'postgres'}, 't', 'as many as core counts');

sql(q{
	SELECT pgpool_stats.reset('eof');
	SELECT pgpool_stats.reset('eof-xact')});
is(ends('eof'), '', 'reset');
is(sql(q{SELECT count(*) FROM pgpool_stats.disconnects d FULL JOIN pgpool_stats.sessions s USING (pool) WHERE pool LIKE 'eof%' AND s.connect_time_p50 IS NOT NULL}),
	'0', 'reset takes the times, too');

# All that ended has a reason
is(sql(q{
		SELECT count(*) FROM (
			SELECT s.pool FROM pgpool_stats.sessions s LEFT JOIN pgpool_stats.disconnects d USING (pool, datname, usename)
			WHERE s.pool <> 'psql'
			GROUP BY s.pool, s.datname, s.usename, s.connects, s.connections, s.disconnects
			HAVING coalesce(sum(d.count), 0) <> s.disconnects) AS wrong}),
	'0', 'each end has its reason');
is(sql(q{SELECT count(*) FROM pgpool_stats.sessions WHERE pool <> 'psql' AND connects > 0 AND NOT (auth_time_p95 > 0 AND connect_time_p95 >= auth_time_p95 AND connect_time_p95 >= connect_time_p50 AND session_age_max >= session_age_p50)}),
	'0', 'times make sense');

# A fast shutdown: what was counted is there after it
my @idle = map { client('stopped') } 1 .. 3;
my @in_xact = map { client('stopped', in_xact => 1) } 1 .. 2;
my $before = sql(q{SELECT * FROM pgpool_stats.disconnects WHERE pool = 'rst'});
$node->restart;
is(ends('stopped'), "shutdown|57P01|f|3\nshutdown|57P01|t|2", 'fast shutdown');
is(core('stopped'), '0|0|5|0', 'in core\'s words they were killed');
is(sql(q{SELECT * FROM pgpool_stats.disconnects WHERE pool = 'rst'}), $before, 'what was before is kept');

# A crash: those that were connected when it was saved
@idle = map { client('crashed') } 1 .. 3;
set_to('save_interval', '1s');
my $now = sql('SELECT clock_timestamp()');
wait_for(qq{SELECT modification > '$now'::timestamptz + interval '2 s' FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true)});
kill_hard($idle[0]{pid});
is(ends('crashed'), 'crash|||3', 'a crash ends all connections');
is(sql(q{SELECT connects, disconnects, connections FROM pgpool_stats.sessions WHERE pool = 'crashed'}), '3|3|0', 'they are no connections any more');
is(sql(q{SELECT sum(count) FROM pgpool_stats.get_disconnects(exported => true) WHERE pool IN ('crashed', 'rst')}), '3', 'exporters begin again at 0');

$node->stop;
done_testing();
