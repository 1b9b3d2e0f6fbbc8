# Connections that are rejected for all other reasons than a limit, each made
# for real: reason and SQLSTATE, whose they are, and the alerts.
use strict;
use warnings;

use File::Path qw(make_path);
use IO::Socket::UNIX;
use PgpoolStats;
use RawClient;

# a language that messages are translated to
my $locales = PostgreSQL::Test::Utils::tempdir() . '/locales';
make_path($locales);
my $german = system("localedef -i de_DE -f UTF-8 '$locales/de_DE.UTF-8' >/dev/null 2>&1") == 0;
$ENV{LOCPATH} = $locales if $german;

# another extension, which has a limit of its own
my $gate = module('gate', q{
#include "postgres.h"
#include "fmgr.h"
#include "libpq/auth.h"
PG_MODULE_MAGIC;
static ClientAuthentication_hook_type next;
static void
limit(Port *port, int status)
{
	if (next)
		next(port, status);
	if (status == STATUS_OK && strcmp(port->user_name, "limited") == 0)
		ereport(FATAL, (errcode(ERRCODE_TOO_MANY_CONNECTIONS), errmsg("not at this hour")));
}
void _PG_init(void);
void
_PG_init(void)
{
	next = ClientAuthentication_hook;
	ClientAuthentication_hook = limit;
}
});

my $node = start_node("shared_preload_libraries = 'pgpool_stats, $gate'\n" . q{
max_connections = 30
wal_level = replica
max_wal_senders = 1
autovacuum = off
authentication_timeout = 1min
listen_addresses = '127.0.0.1'
password_encryption = 'scram-sha-256'
pgpool_stats.save_interval = 1h
});
my $port = $node->port;
my $tcp = "host=127.0.0.1 port=$port dbname=postgres";

sql(q{
CREATE ROLE app LOGIN PASSWORD 'right';
CREATE ROLE banned LOGIN;
CREATE ROLE nologin;
CREATE ROLE plain LOGIN;
CREATE ROLE limited LOGIN;
CREATE DATABASE closed ALLOW_CONNECTIONS false;
CREATE DATABASE private;
REVOKE CONNECT ON DATABASE private FROM PUBLIC;
});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', q{
local all app,ghost scram-sha-256
local all banned reject
local all all trust
local replication all trust
host all app 127.0.0.1/32 scram-sha-256
host all plain 127.0.16.0/20 trust
});
$node->reload;
$ENV{PGPASSWORD} = 'wrong';

# What the client of a connection hears
sub rejected
{
	my ($connstr) = @_;

	$connstr = $node->connstr('postgres') . " $connstr" unless $connstr =~ /host=/;
	return (psql('SELECT 1', connstr => undef, extra_params => [ '-d', $connstr ]))[2];
}

# It is rejected, and counted under its reason.
sub is_rejected
{
	my ($connstr, $reason, $sqlstate, $message) = @_;
	my $counted = "SELECT coalesce(sum(count), 0) FROM pgpool_stats.rejections WHERE reason = '$reason' AND sqlstate = '$sqlstate'";
	my $before = sql($counted);

	like(rejected($connstr), $message, "$reason $sqlstate: the client hears it");
	# libpq tries again without application_name when there is no such setting
	return is(sql($counted) - $before, $sqlstate eq '42704' ? 2 : 1, 'and it is counted');
}

my @rejections = (
	[ 'user=app', 'authentication', '28P01', qr/password authentication failed/ ],
	[ 'user=ghost', 'authentication', '28P01', qr/password authentication failed/ ],
	[ 'user=banned', 'hba', '28000', qr/pg_hba.conf rejects/ ],
	[ "$tcp user=plain", 'hba', '28000', qr/no pg_hba.conf entry/ ],
	[ 'user=nosuch', 'no_role', '28000', qr/role "nosuch" does not exist/ ],
	[ 'user=nologin', 'no_login', '28000', qr/is not permitted to log in/ ],
	[ 'user=plain dbname=nosuch', 'no_database', '3D000', qr/database "nosuch" does not exist/ ],
	[ 'user=plain dbname=closed', 'not_accepting', '55000', qr/not currently accepting/ ],
	[ 'user=plain dbname=private', 'no_privilege', '42501', qr/permission denied for database/ ],
	[ q{user=plain options='-c work_memm=1MB'}, 'bad_option', '42704', qr/unrecognized configuration parameter/ ],
	[ q{user=plain options='-c work_mem=lots'}, 'bad_option', '22023', qr/invalid value for parameter/ ],
	[ q{user=plain options='-c fsync=off'}, 'bad_option', '55P02', qr/cannot be changed now/ ],
	[ q{user=plain options='-c log_statement=all'}, 'bad_option', '42501', qr/permission denied to set parameter/ ],
	[ q{user=plain options='--nosuch'}, 'bad_option', '42601', qr/requires a value|invalid command-line/ ]);
is_rejected(@$_) foreach @rejections;

# a protocol that nobody speaks
my $socket = IO::Socket::UNIX->new(Peer => $node->host . "/.s.PGSQL.$port");
print $socket pack('NN', 8, 0x00090009);
$socket->flush;
1 while sysread $socket, my $rest, 8192;
becomes(q{SELECT sum(count) FROM pgpool_stats.rejections WHERE reason = 'other' AND sqlstate = '0A000'}, '1', 'anything else is other');

# no walsender is left: not a limit of client connections
my $walsender = background(extra_params => [ '-d', $node->connstr('postgres') . ' replication=database' ], connstr => undef);
is_rejected("user=@{[ scalar getpwuid $< ]} replication=database", 'other_limit', '53300', qr/max_wal_senders/);
$walsender->quit;

# somebody who connects and says nothing
$node->append_conf('postgresql.conf', 'authentication_timeout = 1s');
$node->reload;
wait_for('SHOW authentication_timeout', '1s');
$socket = IO::Socket::UNIX->new(Peer => $node->host . "/.s.PGSQL.$port");
my $packet = "user\0app\0database\0postgres\0\0";
print $socket pack('NN', length($packet) + 8, 196608) . $packet;
$socket->flush;
becomes(q{SELECT sum(count) FROM pgpool_stats.rejections WHERE reason = 'timeout' AND sqlstate = '57014'}, '1', 'authentication timeout');
close $socket;

# an error in a session is not a rejection
my $rejections = q{SELECT sum(count) FROM pgpool_stats.rejections};
my $all = sql($rejections);
psql('SELECT pg_terminate_backend(pg_backend_pid())');
is(sql($rejections), $all, 'a session that is terminated was not rejected');

# the limit of another extension
is_rejected('user=limited', 'other_limit', '53300', qr/not at this hour/);

# all of them count by reason, only these two for a limit: the server's, which
# says nothing of its slots
is(sql(q{SELECT sum(rejected) FROM pgpool_stats.budget WHERE scope <> 'server'}), '0', 'no role or database has rejected anything');
is(sql(q{SELECT rejected, last_rejected IS NOT NULL, status, peak_used < usable FROM pgpool_stats.budget WHERE scope = 'server'}),
	'2|t|ok|t', 'other limits count for the server');
is(sql(q{SELECT value FROM pgpool_stats.metrics WHERE name = 'pgpool_stats_budget_rejected_total' AND labels = '{"scope": "server"}'}), '2', 'exported, too');
is(sql(q{SELECT count(*) FROM pgpool_stats.rejections WHERE usable IS NOT NULL}), '0', 'none has a limit');
becomes(q{SELECT string_agg(coalesce(usename, 'server') || ' ' || value, ',') FROM pgpool_stats.alerts WHERE rule = 'refused'}, 'server 2', 'an alert of them');
is(sql(q{SELECT string_agg(format('%s %s', labels->>'reason', value), ', ' ORDER BY name, labels->>'reason' COLLATE "C")
	FROM pgpool_stats.metrics WHERE name ~ '^pgpool_stats_rejected_(logins_|unavailable_)?total' AND value > 0}),
	'authentication 2, bad_option 6, hba 2, no_database 1, no_login 1, no_privilege 1, no_role 1, not_accepting 1, other 1, timeout 1, other_limit 2',
	'metrics by reason');
is(sql(q{SELECT string_agg(DISTINCT name, ' ' ORDER BY name) FROM pgpool_stats.metrics WHERE labels->>'reason' IN ('hba', 'starting', 'role') AND name LIKE '%rejected%'}),
	'pgpool_stats_rejected_logins_total pgpool_stats_rejected_total pgpool_stats_rejected_unavailable_total',
	'a metric of each kind');

# in another language
SKIP:
{
	skip 'no locale de_DE', 2 * @rejections unless $german;
	$node->append_conf('postgresql.conf', "lc_messages = 'de_DE.UTF-8'");
	$node->reload;
	wait_for('SHOW lc_messages', 'de_DE.UTF-8');
	skip 'no German messages', 2 * @rejections unless rejected('user=app') =~ /Passwort/;
	is_rejected(@$_[ 0 .. 2 ], qr/./) foreach @rejections;
	$node->append_conf('postgresql.conf', "lc_messages = 'C'");
	$node->reload;
	wait_for('SHOW lc_messages', 'C');
}

# a password was changed: whose logins are rejected
sub app
{
	my ($password, $instance, %more) = @_;
	my $where = $more{tcp} ? "host=127.0.0.1 port=$port" : 'host=' . $node->host . " port=$port";

	local $ENV{PGPASSWORD} = $password;
	return (psql('SELECT 1', connstr => undef,
			extra_params => [ '-d', "$where user=app dbname=postgres application_name=orders options='-c pgpool_stats.pool=orders -c pgpool_stats.instance=$instance'" ]))[0];
}

sub alert
{
	return sql(q{SELECT severity, message FROM pgpool_stats.alerts WHERE rule = 'logins_rejected' AND pool = 'orders'});
}

sql('SELECT pgpool_stats.reset()');
is(app('right', "web-$_"), 0, "web-$_ logs in") foreach 1 .. 2;
app('wrong', 'web-1') foreach 1 .. 4;
next_pass();
is(alert(), '', 'a mistyped password or four: no alert');
app('wrong', 'web-2');
wait_for(q{SELECT count(*) > 0 FROM pgpool_stats.alerts WHERE rule = 'logins_rejected' AND pool = 'orders'});
is(alert(), 'critical|orders on postgres: 5 logins rejected in the last 5 min, most by authentication; it has no connection',
	'none of its connections is left: critical');
is(sql(q{SELECT code FROM pgpool_stats.check_status('orders')}), '2', 'check_status says so');
my $held;
{
	local $ENV{PGPASSWORD} = 'right';
	$held = session('orders', instance => 'web-3', as => 'app');
}
becomes(q{SELECT message LIKE '%; 2 of 3 instances cannot log in' FROM pgpool_stats.alerts WHERE rule = 'logins_rejected' AND pool = 'orders'},
	't', 'some of its instances have none');
is(sql(q{SELECT rejected FROM pgpool_stats.pools WHERE pool = 'orders'}), '0', 'not rejected by a limit');

# from where the pool has never logged in
sql('SELECT pgpool_stats.reset()');
app('wrong', 'web-1', tcp => 1) foreach 1 .. 9;
becomes(q{SELECT message LIKE '%, from addresses not seen before' AND severity = 'warning' FROM pgpool_stats.alerts WHERE rule = 'logins_rejected' AND pool = 'orders'},
	't', 'claims from elsewhere: a warning');
$held->quit;
wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'orders'});
next_pass();
like(alert(), qr/^warning/, 'also when it has no connection');

# an address stands for its network, a /24; a pool keeps the latest eight
sub knocks
{
	my ($from) = @_;

	wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'plain'});
	my $client = client('net', as => 'plain', from => $from);
	leave($client);
	return;
}
sub counts
{
	my ($from) = @_;
	my $rejected_logins = q{SELECT rejected_logins FROM pgpool_stats.sessions WHERE pool = 'net'};
	my $before = sql($rejected_logins);

	client('net', as => 'plain', from => $from, options => ' -c work_mem=lots', is_rejected => 1);
	return sql($rejected_logins) - $before;
}
use_port($port);
knocks('127.0.16.1');
is(counts($_->[0]), $_->[1], $_->[2]) foreach
  [ '127.0.16.1', 1, 'an address that logged in before counts' ],
  [ '127.0.16.200', 1, 'so does one of its network' ],
  [ '127.0.17.1', 0, 'another network does not' ];
knocks("127.0.$_.1") foreach 17 .. 23, 16, 24;
is(counts('127.0.17.1'), 0, 'the network of which nothing was seen for longest is given up');
is(counts("127.0.$_.1"), 1, "network $_ is kept") foreach 16, 18, 24;

# a typo in the name of the database: there is no such pool, but the role
my $options = "options='-c pgpool_stats.pool=orders'";
rejected("user=plain dbname=postgrse $options") foreach 1 .. 5;
rejected("user=nobody dbname=postgres $options") foreach 1 .. 20;
sql('SELECT 1', as => 'plain');
rejected("user=plain dbname=postgrse $options");
becomes(q{SELECT string_agg(format('%s %s', usename, message), ',') FROM pgpool_stats.alerts WHERE rule = 'logins_rejected' AND pool IS NULL},
	'plain role plain: 6 logins rejected in the last 5 min, most by no_database, from addresses not seen before',
	'a role that is known has an alert, a stranger has none');

# over a restart by a smart shutdown, which rejects meanwhile
set_to('alert_rules', 'unavailable: warning 0');
sql('SELECT pgpool_stats.reset()');
$held = background();
$held->query_safe('SELECT 1');
system_or_bail('pg_ctl', '-D', $node->data_dir, '-m', 'smart', '--no-wait', 'stop');
my $heard = '';
for (1 .. 600)
{
	$heard = rejected('user=plain');
	last if $heard =~ /shutting down/;
}
like($heard, qr/shutting down/, 'stopping');
is($held->query_safe(q{SELECT reason, sqlstate FROM pgpool_stats.rejections}), 'stopping|57P03', 'a reason of its own');
for (1 .. 600)
{
	$heard = $held->query_safe(q{SELECT severity, message ~ '^server: starting or stopping, rejects connections for \d+ s$'
		FROM pgpool_stats.alerts WHERE rule = 'unavailable' AND state = 'firing'});
	last if $heard ne '';
	rejected('user=plain');
}
is($heard, 'warning|t', 'an alert of it');
$held->quit;
PostgreSQL::Test::Utils::system_log('pg_ctl', '-D', $node->data_dir, '-w', '-m', 'fast', 'stop');
$node->{_pid} = undef;
$node->start;
is(sql(q{SELECT reason, sqlstate FROM pgpool_stats.rejections}), 'stopping|57P03', 'kept over the restart');

# a standby that nobody may read
$node->stop;
append_to_file($node->data_dir . '/standby.signal', '');
$node->append_conf('postgresql.conf', 'hot_standby = off');
$node->start;
like(rejected('user=plain'), qr/not accepting connections/, 'hot_standby is off');
$node->stop;
unlink $node->data_dir . '/standby.signal';
$node->start;
is(sql(q{SELECT reason, sqlstate FROM pgpool_stats.rejections WHERE reason <> 'starting' ORDER BY 1}),
	"hot_standby_off|57P03\nstopping|57P03", 'counted, too');

$node->stop;
done_testing();
