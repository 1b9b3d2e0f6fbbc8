# The poller and a real PgBouncer: its figures are ours, its server connections
# are known as its own, and whatever becomes of it is survived and shown.
#
# The environment variable PGBOUNCER may name the binary.

use strict;
use warnings;
use PgpoolStats;
use Poolers;

my $pgbouncer = Poolers::find('pgbouncer', 'PGBOUNCER');
plan skip_all => 'there is no PgBouncer; PGBOUNCER may name one'
  unless $pgbouncer;
my ($version) = `"$pgbouncer" --version 2>&1` =~ /PgBouncer (\S+)/;
note "PgBouncer $version";
my ($minor) = $version =~ /^1\.(\d+)/;
my $tracks = !defined $minor || $minor >= 20;
my $track = $tracks ?
  'track_extra_parameters = IntervalStyle, pgpool_stats.pool, pgpool_stats.instance, pgpool_stats.pool_size'
  : '';

# a service may hold the password, too
my $services = PostgreSQL::Test::Utils::tempdir() . '/services';
$ENV{PGSERVICEFILE} = $services;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
pgpool_stats.poll_interval = 200ms
pgpool_stats.poll_timeout = 2s
pgpool_stats.alert_rules = 'pooler_down: critical 0.2; pooler_down@pooler/ser*: critical 1h; connections@pooler/b*: warning 10% clear 5'
});
sql(q{
	CREATE ROLE app LOGIN;
	CREATE ROLE other LOGIN;
	ALTER ROLE app SET pgpool_stats.pool = 'orders';
	ALTER ROLE app SET pgpool_stats.pool_size = '10';
});

my $home = $node->basedir;
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $bouncer_conf = "$home/pgbouncer.ini";
my $passfile = Poolers::passfile();

sub set_password
{
	my ($password) = @_;

	write_file("$home/users",
		qq{"app" ""\n"other" ""\n"stats" "$password"\n});
	return;
}

# "app" has no password at the server; the console wants one
write_file(
	$bouncer_conf, qq{
[databases]
shop = host=127.0.0.1 port=@{[$node->port]} dbname=postgres pool_size=2 reserve_pool=1
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = hba
auth_hba_file = $home/hba
auth_file = $home/users
logfile = $home/pgbouncer.log
pool_mode = transaction
max_client_conn = 60
stats_users = stats
query_wait_timeout = 1000
$track
reserve_pool_timeout = 0.1
});
write_file("$home/hba",
	"host pgbouncer stats 127.0.0.1/32 scram-sha-256\nhost all app,other 127.0.0.1/32 trust\n");
set_password('one');
tell_password('one');

my $is_poller =
  q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pgpool_stats poller'};

# nothing to poll, nobody who polls
is(sql($is_poller), '0', 'no poller');
is(sql('SELECT count(*) FROM pgpool_stats.poolers'), '0', 'no poolers');

# mistakes are reported without the text
foreach my $wrong (
	[ 'host=1.2.3.4 password=hunter2', qr/must not have its password here/ ],
	[ "host=1.2.3.4 user='hunter2", qr/quote without end/ ],
	[ 'hunter2', qr/keywords and values/ ],
	[ 'name=a host=::1; name=a port=7', qr/Pooler 2 has the name of another/ ],
	[ 'host=1.2.3.4 name=' . 'x' x 64, qr/name of 1 to 63 bytes/ ],
	[ "name=''", qr/name of 1 to 63 bytes/ ],
	[
		join(';', map { "host=10.0.0.$_" } 1 .. 129),
		qr/Pooler 129 is one too many/
	])
{
	my ($list, $detail) = @$wrong;
	my ($ret, $out, $err);

	$list =~ s/'/''/g;
	($ret, $out, $err) = psql("ALTER SYSTEM SET pgpool_stats.poolers = '$list'");
	like($err, $detail, "rejected: $detail");
	unlike($err, qr/ERROR.*(hunter2|1\.2\.3\.4)/, 'without its text');
}

# a pooler that is not there yet, a port that never answers, a name
my $silent_port = PostgreSQL::Test::Cluster::get_free_port();
my $silent = IO::Socket::INET->new(
	LocalAddr => '127.0.0.1',
	LocalPort => $silent_port,
	Listen => 100) or die $!;
my $console =
  "name=bouncer host=localhost port=$port dbname=pgbouncer user=stats passfile='$passfile'";
set_poolers(
	"$console; host=127.0.0.1 port=$silent_port;; name='a name' host=no.such.host ;name=server host=@{[$node->host]} port=@{[$node->port]} dbname=postgres");
becomes($is_poller, '1', 'the poller starts');
becomes(
	q{SELECT string_agg(format('%s: %s %s', name, reachable, error ~ ANY ('{refused,^no answer within 2000 ms$,name server,no pooler}')), ', ' ORDER BY name) FROM pgpool_stats.poolers},
	"127.0.0.1:$silent_port: f t, a name: f t, bouncer: f t, server: f t",
	'each says what is wrong with it');
my $down = q{SELECT string_agg(concat_ws(' ', pool, severity, datname), ', ' ORDER BY pool) FROM pgpool_stats.alerts WHERE rule = 'pooler_down' AND state = 'firing'};
becomes($down, "127.0.0.1:$silent_port critical, a name critical, bouncer critical", 'alerts say so, but for the one below its level');
is(sql($down, as => 'other'), '', 'not to an ordinary role');
is(sql(q{SELECT wait_event_type, datname IS NULL, backend_xmin IS NULL FROM pg_stat_activity WHERE backend_type = 'pgpool_stats poller'}),
	'Extension|t|t', 'the poller waits, in no database, in no transaction');

my $began = sql('SELECT clock_timestamp()');
my $bouncer =
  Poolers->start('pgbouncer', $port, $pgbouncer, '-q', $bouncer_conf);
becomes(
	q{SELECT product, version, reachable, error IS NULL, max_client_conn, clients, max_db_connections IS NULL, now() - last_poll < '2s' FROM pgpool_stats.poolers WHERE name = 'bouncer'},
	"PgBouncer|$version|t|t|60|1|t|t", 'PgBouncer is polled');
becomes($down, "127.0.0.1:$silent_port critical, a name critical", 'its alert is over');
like(sql(q{SHOW pgpool_stats.poolers}), qr/^name=bouncer/, 'a superuser sees the setting');
is(sql(
		q{SELECT string_agg(name || ' ' || CASE WHEN name ~ 'seconds' THEN (value < 10)::text ELSE value::text END, ', ' ORDER BY name COLLATE "C")
		  FROM pgpool_stats.metrics WHERE labels = '{"pooler": "bouncer"}'}),
	join(', ', map { "pgpool_stats_pooler_$_" } grep { $minor >= 24 || !/binds|parses/ }
		  'binds_total 0', 'client_connections 1', 'client_connections_max 60', 'client_parses_total 0', 'poll_seconds true',
		'received_bytes_total 0', 'sent_bytes_total 0', 'server_parses_total 0', 'up 1'),
	'metrics of the pooler');
is(sql(q{SELECT count(*) FROM pgpool_stats.poolers}, as => 'other'),
	'0', 'an ordinary role sees no poolers');
my ($ret, $out, $err) = psql('SHOW pgpool_stats.poolers', as => 'other');
like($err, qr/permission denied|must be superuser/, 'nor the setting');

# A column of SHOW POOLS, or of another table of the console
sub console
{
	my ($show, $where, @columns) = @_;
	my ($header, @rows) = map { [ split(/\|/, $_, -1) ] }
	  split(/\n/, do {
		local $ENV{PGPASSFILE} = $passfile;
		my ($out, $err);
		IPC::Run::run(
			[
				'psql', '-XAw', '-P', 'footer=off', '-d',
				"host=127.0.0.1 port=$port dbname=pgbouncer user=stats",
				'-c', $show
			],
			'>', \$out, '2>', \$err);
		$out;
	  });
	my %at = map { $header->[$_] => $_ } 0 .. $#$header;

	foreach my $row (@rows)
	{
		next if grep { $row->[ $at{$_} ] ne $where->{$_} } keys %$where;
		return join('|', map { $row->[ $at{$_} ] } @columns);
	}
	return;
}

# load: more clients than server connections
my $load = start_load("port=$port dbname=shop user=app", 8);
my $row = q{FROM pgpool_stats.instances WHERE pool = 'bouncer'};
becomes("SELECT waiting $row", '5', 'callers wait');
becomes(
	"SELECT instance, datname, usename, source, status, pool_size, max_overflow, max_size, open, checked_out, checked_in, overflow $row",
	'shop/app|postgres|app|pooler|exhausted|2|1|3|3|3|0|1',
	'the pool of a pooler');
my $crowded = q{SELECT pool, message FROM pgpool_stats.alerts WHERE rule = 'connections' AND datname IS NULL AND usename IS NULL};
becomes($crowded, 'bouncer|pooler bouncer: 9 of 60 client connections in use', 'its clients near their limit are an alert');
is(sql("SELECT checked_out, checked_in, waiting $row"),
	console(
		'SHOW POOLS',
		{ database => 'shop' },
		'sv_active', 'sv_idle', 'cl_waiting'),
	'as SHOW POOLS says');
my $asked = sql('SELECT clock_timestamp()');
my $seconds = console('SHOW POOLS', { database => 'shop' }, 'maxwait');
becomes(
	"SELECT max_wait BETWEEN 1000 * $seconds AND 1000 * ($seconds + 1 + extract(epoch FROM clock_timestamp() - '$asked')) $row",
	't', 'max_wait, in ms');
is(sql("SELECT dialect, app_version, client_addr IS NULL, connections, unclaimed IS NULL, notes IS NULL $row"),
	"pgbouncer_pools|PgBouncer $version|t|0|t|t", 'what else is known');

# its connections are known by port and pid
is(sql(q{SELECT count(*), bool_and(multiplexed), bool_and(source = 'label') FROM pgpool_stats.connections WHERE via = 'bouncer'}),
	'3|t|t', 'its server connections are known as its own');
is(sql(q{SELECT via, connections, unclaimed IS NULL FROM pgpool_stats.pools WHERE pool = 'orders'}),
	'bouncer|3|t', 'the pool that comes through it');
is(sql(q{SELECT sum(connections) = (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') FROM pgpool_stats.pools}),
	't', 'each connection is counted once');
is(sql(q{SELECT scope, committed FROM pgpool_stats.budget WHERE name = 'app' AND scope = 'role'}),
	'role|3', 'the budget counts what the pooler may open, once');
is(sql(q{SELECT bottleneck, instances, checked_out, pooler, pool_mode, clients, pooler_max_size, pooler_checked_out, pooler_waiting, connections, in_xact FROM pgpool_stats.chains WHERE pool = 'orders'}),
	'pooler|1|3|bouncer|transaction|8|3|3|5|3|3',
	'the chain: they wait at the pooler');

# why: what its connections do, and that the clients of another pool wait in it
becomes(q{SELECT regexp_replace(message, '^.*: | in query.*$', '', 'g'), cause FROM pgpool_stats.alerts WHERE pool = 'bouncer' AND rule = 'pool_exhausted'},
	'3 wait for something else (Timeout)|other', 'what holds the connections of a pooler up');
{
	# who reports is of no pool with a size
	local $ENV{PGOPTIONS} = '-c pgpool_stats.pool=reporter -c pgpool_stats.pool_size=';
	report('orders', '{"max_size": 8, "open": 8, "checked_out": 8, "waiting": 1}', instance => '127.0.0.1', as => 'app');
	becomes(q{SELECT regexp_replace(message, '^.*waiting: ', ''), cause, culprit FROM pgpool_stats.alerts WHERE pool = 'orders' AND rule = 'pool_exhausted'},
		'5 clients of #_pgbouncer_poll.pl wait in pooler bouncer (all its connections are lent) + 3 wait for something else|pooler|pooler bouncer', 'and those of a pool behind it');
	sql(q{SELECT pgpool_stats.forget('orders', '127.0.0.1')}, as => 'app');
}

# what is planned behind it
is(sql(q{SELECT scope, name, usable, committed, requested, remaining, fits FROM pgpool_stats.check_budget(5, 5, 6, via => 'bouncer')}),
	'pooler|bouncer|60|10|60|-10|f', 'check_budget through a pooler');
is(sql(q{SELECT note FROM pgpool_stats.check_budget(5, via => 'nobody')}),
	'no pooler of this name is known', '... that is not known');

# statistics; what those did who are gone goes on at the server
$load->kill_kill;
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'});
my $short = "SELECT pg_sleep(0.01);\n";
$load = start_load("port=$port dbname=shop user=app", 8, $short);
becomes(
	"SELECT xacts > 100 AND total_wait_time > 1000 AND mean_xact_time > 5 AND total_xact_time BETWEEN 1000 AND 3000 * extract(epoch FROM clock_timestamp() - '$began') $row",
	't', 'statistics grow');
$load->kill_kill;
my $wait;
foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	# the last of them may still be counted
	$wait = console('SHOW STATS', { database => 'shop' },
		'total_wait_time', 'total_xact_count', 'total_query_count');
	last
	  if $wait eq
	  sql("SELECT (1000 * total_wait_time)::bigint, xacts, xacts $row");
	select(undef, undef, undef, 0.1);
}
is(sql("SELECT (1000 * total_wait_time)::bigint, xacts, xacts $row"),
	$wait, 'and are as SHOW STATS says');
my $xacts = sql("SELECT xacts $row");

# with several users in a database nobody knows whose they are
$load = start_load("port=$port dbname=shop user=other", 1, $short);
becomes(
	"SELECT string_agg(concat_ws(' ', instance, usename, open IS NULL, xacts > 5), ', ' ORDER BY instance) $row",
	'shop t t, shop/app app f t, shop/other other f',
	'statistics of a database with several users have a row of their own');
$load->kill_kill;
becomes($crowded, '', 'which is over, too');
foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	$wait = console('SHOW STATS', { database => 'shop' },
		'total_wait_time', 'total_xact_count');
	last if $wait eq sql("SELECT sum((1000 * total_wait_time)::bigint), sum(xacts) $row");
	select(undef, undef, undef, 0.1);
}
is(sql("SELECT sum((1000 * total_wait_time)::bigint), sum(xacts) $row"),
	$wait, 'nothing is counted twice');
is(sql("SELECT xacts $row AND instance = 'shop/app'"), $xacts, 'nor lost');

# the label decides whose connection it is, the pooler where it comes from
is(sql(q{SELECT count(*) FROM pgpool_stats.chains WHERE pool = 'orders' AND pooler <> 'bouncer'}),
	'0', 'no other chain');

# a report that comes through it shows where its pool is
my $reported = '';
foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	sql(q{SELECT pgpool_stats.report('reported', '{"pool_size": 9, "checked_out": 9, "waiting": 2}', 'web-1:1')},
		extra_params =>
		  [ '-d', "host=127.0.0.1 port=$port dbname=shop user=other" ]);
	$reported = sql(
		q{SELECT via, max_size, unclaimed FROM pgpool_stats.instances WHERE pool = 'reported'});
	last if $reported =~ /^bouncer/;
	select(undef, undef, undef, 0.1);
}
is($reported, 'bouncer|9|', 'a report through the pooler');
is(sql(q{SELECT bottleneck, waiting, pooler, pooler_waiting FROM pgpool_stats.chains WHERE pool = 'reported'}),
	'application|2|bouncer|0', 'they wait in the application');

# what they share is counted once
is(sql(q{SELECT scope, committed FROM pgpool_stats.budget WHERE scope = 'role' AND name IN ('app', 'other') ORDER BY name}),
	"role|3\nrole|3", 'each role could have all of it');
my $both = sql(
	q{SELECT committed FROM pgpool_stats.budget WHERE scope = 'database' AND name = 'postgres'});
append_to_file($bouncer_conf, "max_db_connections = 4\n");
$bouncer->signal('HUP');
becomes(
	q{SELECT committed FROM pgpool_stats.budget WHERE scope = 'database' AND name = 'postgres'},
	$both - 2, 'max_db_connections is for all roles together');
is(sql(q{SELECT count(*) > 0 FROM pgpool_stats.metrics WHERE labels @> '{"layer": "pooler", "pool": "bouncer"}'}),
	't', 'its metrics have a layer of their own');

# labels that it passes on: two pools share its connections
SKIP:
{
	skip "PgBouncer $version passes on no labels", 6 unless $tracks;

	sql(q{SELECT pgpool_stats.reset()});
	my %sent = (red => 30, blue => 50);
	foreach my $pool (keys %sent)
	{
		ok(pgbench($short, "host=127.0.0.1 port=$port dbname=shop user=app options='@{[labels($pool, pool_size => 7)]}'", '-c', '1', '-t', $sent{$pool})->finish,
			"load of $pool");
	}
	becomes(
		q{SELECT string_agg(concat_ws(' ', pool, source, via, max_size, xacts), ', ' ORDER BY pool) FROM pgpool_stats.instances WHERE pool IN ('red', 'blue')},
		'blue label bouncer 7 50, red label bouncer 7 30',
		'each transaction counts for the pool that sent it');
	becomes("SELECT xacts $row AND instance = 'shop'",
		'80', 'the pooler counts them all, too');
	is(sql(q{SELECT string_agg(concat_ws(' ', pool, pooler, max_size, pooler_max_size), ', ' ORDER BY pool) FROM pgpool_stats.chains WHERE pool IN ('red', 'blue')}),
		'blue bouncer 7 3, red bouncer 7 3', 'both are chains');
	is(sql(q{SELECT committed FROM pgpool_stats.budget WHERE name = 'app' AND scope = 'role'}),
		'3',
		'and what they could ask the pooler for is not asked of the server');
}

# it stops answering
my $fds = sub {
	my $pid = sql(
		q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgpool_stats poller'});
	opendir my $dir, "/proc/$pid/fd" or return 0;
	my @open = readdir $dir;
	return scalar @open;
};
my $state =
  q{SELECT reachable, error FROM pgpool_stats.poolers WHERE name = 'bouncer'};
my $before = $fds->();
$bouncer->signal('STOP');
becomes($state, 'f|no answer within 2000 ms', 'SIGSTOP is shown');
is(sql(q{SELECT product, last_poll IS NOT NULL, clients IS NULL FROM pgpool_stats.poolers WHERE name = 'bouncer'}),
	'PgBouncer|t|t', 'what is known of it stays');
becomes("SELECT DISTINCT status $row",
	'gone', 'its pools are gone after a while');
$bouncer->signal('CONT');
becomes($state, 't|', 'SIGCONT is shown');

# it restarts: counters go on
$bouncer->stop;
becomes(q{SELECT reachable FROM pgpool_stats.poolers WHERE name = 'bouncer'},
	'f', 'it is stopped');
$bouncer->run;
becomes($state, 't|', 'it is back');
$load = start_load("port=$port dbname=shop user=app", 4, $short);
$xacts = sql("SELECT xacts $row AND instance = 'shop'");
becomes("SELECT xacts > $xacts + 10 $row AND instance = 'shop'",
	't', 'a restart does not set its counters back');

# it dies under load
$bouncer->stop('KILL');
becomes(q{SELECT reachable FROM pgpool_stats.poolers WHERE name = 'bouncer'},
	'f', 'kill -9 is shown');
$load->kill_kill;
set_password('two');
$bouncer->run;
becomes(
	q{SELECT reachable, error ~ 'password|auth|SASL' FROM pgpool_stats.poolers WHERE name = 'bouncer'},
	'f|t', 'a password that has changed is shown');
unlike(
	sql(q{SELECT string_agg(error, ' ') FROM pgpool_stats.poolers}),
	qr/\bone\b|passfile/,
	'but not the password');
tell_password('two');
becomes($state, 't|', 'the new password');
cmp_ok($fds->(), '<=', $before + 1, 'no socket is left behind');

# the poller comes back by itself
my $poller =
  q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgpool_stats poller'};
my $pid = sql($poller);
sql("SELECT pg_terminate_backend($pid)");
becomes("SELECT count(*) FROM ($poller) p WHERE pid <> $pid",
	'1', 'a poller that was ended is started again');
becomes($state, 't|', 'and polls');

# reload adds and removes
set_poolers("$console; name=two host=127.0.0.1 port=$silent_port");
becomes(
	q{SELECT string_agg(name || ' ' || reachable, ', ') FROM pgpool_stats.poolers},
	'bouncer true, two false', 'a reload adds and removes');
set_poolers("name=again $console");
becomes(q{SELECT name, reachable FROM pgpool_stats.poolers},
	'bouncer|t', 'the last name wins, as in libpq');
write_file($services,
	"[console]\nhost=127.0.0.1\nport=$port\ndbname=pgbouncer\nuser=stats\npassword=two\n[lost]\nhost=some.where\n");
set_poolers('service=console; service=lost; service=none');
becomes(
	q{SELECT string_agg(concat_ws(' ', name, reachable, substring(error FROM 'name server|^definition of serv')), ', ') FROM pgpool_stats.poolers},
	'console t, lost f name server, none f definition of serv',
	'services, with a password, with a name for a host, not there');
set_poolers('');
becomes($is_poller, '0', 'the poller ends when there is nothing to poll');
is(sql('SELECT count(*) FROM pgpool_stats.poolers'), '0', 'no poolers');
is(sql(q{SELECT count(*) FROM pgpool_stats.connections WHERE via IS NOT NULL}),
	'0',
	'no connection is known as a pooler\'s');
set_poolers($console);
becomes($state, 't|', 'and is started again');

$bouncer->stop;
$node->stop;
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|terminated by signal|TRAP/, 'the server is well');
done_testing();
