# Sessions under TLS: who uses it, and how they end.
use strict;
use warnings;
use PgpoolStats;
use RawClient;

plan skip_all => 'no IO::Socket::SSL' if !eval { require IO::Socket::SSL };

my $node = start_node(q{
listen_addresses = '127.0.0.1'
autovacuum = off
});
my $data = $node->data_dir;
system('openssl', 'req', '-new', '-x509', '-nodes', '-days', '2', '-subj', '/CN=localhost',
	'-keyout', "$data/server.key", '-out', "$data/server.crt") == 0
  or plan skip_all => 'no openssl';
chmod 0600, "$data/server.key";
$node->append_conf('postgresql.conf', 'ssl = on');
$node->restart;
use_port($node->port);
sql('CREATE ROLE app LOGIN SUPERUSER');

my @clients = map { client('mixed', tls => $_) } 1, 1, 0;
is(sql(q{SELECT connections, tls_connections FROM pgpool_stats.sessions WHERE pool = 'mixed'}), '3|2', 'who uses TLS');
leave($_) foreach @clients;

sub terminate { return sql("SELECT pg_terminate_backend($_[0]->{pid})") }

# Each way to end, outside of a transaction and inside: how, and what view
# disconnects says then.  A connection that was just closed looks as if it were
# reset: both are lost, with the SQLSTATE that the server then logs, if any.
my $lost = qr/^connection_lost\|(?:08006|08P01)?\|f\|1$/;
my $lost_in_xact = qr/^connection_lost\|(?:08006|08P01)\|t\|1$/;
my %way = (
	closes => [ \&leave, 'client_closed||f|1', 'client_closed||t|1' ],
	eof => [ \&hang_up, $lost, $lost_in_xact ],
	rst => [ \&reset_connection, $lost, $lost_in_xact ],
	terminated => [ \&terminate, 'terminated|57P01|f|1', 'terminated|57P01|t|1' ],
	garbage => [
		sub { put($_[0]->{socket}, 'x', 'y') },
		'protocol_violation|08P01|f|1', 'protocol_violation|08P01|t|1'
	],
	'cut-message' => [
		sub { syswrite $_[0]->{socket}, 'Q' . pack('N', 100) . 'SELECT'; hang_up($_[0]) },
		$lost, $lost_in_xact
	],
	'timeout' => [
		sub { ask($_[0], "SET $_ = 1") foreach qw(idle_session_timeout idle_in_transaction_session_timeout) },
		'idle_session_timeout|57P05|f|1', 'idle_in_transaction_timeout|25P03|t|1'
	],
	checked => [
		sub {
			ask($_[0], 'SET client_connection_check_interval = 10');
			put($_[0]->{socket}, "SELECT pg_sleep(1000)\0", 'Q');
			waits(1, 'PgSleep');
			hang_up($_[0]);
		},
		'connection_lost|08006|t|1', 'connection_lost|08006|t|1'
	],
	dropped => [
		sub { sql('DROP DATABASE doomed WITH (FORCE)') },
		'terminated|57P01|f|1', 'terminated|57P01|t|1'
	]);

sub ends
{
	my ($pool) = @_;

	wait_for(qq{SELECT disconnects = 1 FROM pgpool_stats.sessions WHERE pool = '$pool'});
	return sql(qq{SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects WHERE pool = '$pool'});
}

foreach my $name (sort keys %way)
{
	my ($end, @expected) = @{ $way{$name} };

	foreach my $in_xact (0, 1)
	{
		my $pool = "$name$in_xact";

		sql('CREATE DATABASE doomed') if $name eq 'dropped';
		my $client = client($pool, tls => 1, in_xact => $in_xact,
			on => $name eq 'dropped' ? 'doomed' : 'postgres');
		$end->($client);
		my $ends = ends($pool);
		ref $expected[$in_xact] ? like($ends, $expected[$in_xact], $pool)
		  : is($ends, $expected[$in_xact], $pool);
	}
}

# The server is stopped
@clients = map { client("stopped$_", tls => 1, in_xact => $_) } 0, 1;
$node->restart;
is(ends("stopped$_"), 'shutdown|57P01|' . ($_ ? 't' : 'f') . '|1', "stopped$_") foreach 0, 1;

# It crashes: nobody tells anything
@clients = map { client("crashed$_", tls => 1, in_xact => $_) } 0, 1;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
set_to('save_interval', '1s');
my $now = sql('SELECT clock_timestamp()');
wait_for(qq{SELECT modification > '$now'::timestamptz + interval '2 s' FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true)});
kill_hard($clients[0]{pid});
is(ends("crashed$_"), 'crash|||1', "crashed$_") foreach 0, 1;
is(sql(q{SELECT sum(connections), sum(tls_connections) FROM pgpool_stats.sessions WHERE usename = 'app'}), '0|0', 'none of them is left');

$node->stop;
done_testing();
