# Why clients of a PgBouncer wait: each state made for real, said in chains and
# by alerts, and over when it is healed.
#
# The environment variable PGBOUNCER may name the binary.

use strict;
use warnings;
use PgpoolStats;
use Poolers;

my $pgbouncer = Poolers::find('pgbouncer', 'PGBOUNCER');
plan skip_all => 'there is no PgBouncer; PGBOUNCER may name one'
  unless $pgbouncer;
my ($minor) = `"$pgbouncer" --version 2>&1` =~ /PgBouncer 1\.(\d+)/;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
password_encryption = 'scram-sha-256'
pgpool_stats.poll_interval = 200ms
pgpool_stats.alert_rules = 'callers_waiting: for 0s; pool_exhausted: for 0s; stalled: critical 1; pooler_closed: for 0s'
});
sql(q{
	CREATE ROLE app LOGIN;
	CREATE ROLE keeper LOGIN;
	CREATE ROLE small LOGIN CONNECTION LIMIT 1;
	CREATE ROLE held LOGIN;
	CREATE ROLE rotated LOGIN PASSWORD 'good';
	CREATE ROLE sized LOGIN;
	CREATE ROLE few LOGIN;
});
my $hba = $node->data_dir . '/pg_hba.conf';
write_file($hba, "host all rotated 127.0.0.1/32 scram-sha-256\n" . slurp_file($hba));
$node->reload;

my $home = $node->basedir;
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $server = "host=127.0.0.1 port=@{[$node->port]} dbname=postgres";
write_file("$home/users", join('', map { qq{"$_" ""\n} } qw(client boss stats sized)));
write_file("$home/pgbouncer.ini", qq{
[databases]
shop = $server user=app pool_size=2 reserve_pool=1
sessions = $server user=keeper pool_size=2 pool_mode=session
small = $server user=small pool_size=2
held = $server user=held pool_size=2
rotated = $server user=rotated password=good pool_size=2
wide = $server pool_size=5 reserve_pool=1
few = $server user=few pool_size=5 @{[$minor >= 24 ? 'max_db_client_connections=2' : '']}
@{[$minor >= 24 ? "[users]\nsized = pool_size=1 reserve_pool_size=1 max_user_client_connections=2" : '']}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $home/users
logfile = $home/pgbouncer.log
pool_mode = transaction
admin_users = boss
stats_users = stats
server_login_retry = 1
reserve_pool_timeout = 0.1
query_wait_timeout = 1000
});
my $bouncer = Poolers->start('pgbouncer', $port, $pgbouncer, '-q', "$home/pgbouncer.ini");
set_poolers("name=bouncer host=127.0.0.1 port=$port dbname=pgbouncer user=stats");

sub through
{
	my ($database, $app) = @_;

	return "port=$port dbname=$database user=client application_name=$app";
}

# A command of the console, or a statement through the pooler
sub ask
{
	my ($statement, $database, $user) = @_;
	my ($out, $err);

	# who comes while logins fail may wait
	IPC::Run::run(
		[ 'timeout', '2', 'psql', '-XAtw', '-d', "host=127.0.0.1 port=$port dbname=@{[$database // 'pgbouncer']} user=@{[$user // 'boss']}", '-c', $statement ],
		'>', \$out, '2>', \$err);
	return "$out$err";
}

# The rows of a table of the console
sub console
{
	my ($show) = @_;
	my $out;

	IPC::Run::run(
		[ 'psql', '-XAw', '-P', 'footer=off', '-d', "host=127.0.0.1 port=$port dbname=pgbouncer user=stats", '-c', "SHOW $show" ],
		'>', \$out);
	my ($names, @rows) = map { [ split(/\|/, $_, -1) ] } split(/\n/, $out);
	return map {
		my $row = $_;
		+{ map { $names->[$_] => $row->[$_] } 0 .. $#$names }
	} @rows;
}

# The views say of a pool what the console says at the same moment.
sub as_console
{
	my ($database, $role, $name) = @_;
	my ($said, $shown);

	foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my ($pool) = grep { $_->{database} eq $database } console('POOLS');

		$said = join '|', $pool->{cl_active} + $pool->{cl_waiting}, $pool->{cl_waiting}, $pool->{cl_waiting_cancel_req},
		  $pool->{sv_active}, $pool->{sv_idle} + $pool->{sv_used};
		$shown = sql(qq{SELECT DISTINCT c.clients, i.waiting, c.cancels_waiting, i.checked_out, i.checked_in
			FROM pgpool_stats.instances i JOIN pgpool_stats.chains c ON c.pooler = i.pool AND c.usename = i.usename
			WHERE i.pool = 'bouncer' AND i.instance ~ '^$database/' AND i.usename = '$role'});
		last if $said eq $shown;
		select(undef, undef, undef, 0.1);
	}
	return is($shown, $said, "$name: as the console says");
}

sub chain
{
	my ($role, $columns) = @_;

	return "SELECT DISTINCT bottleneck, reason@{[$columns // '']} FROM pgpool_stats.chains WHERE usename = '$role' AND pooler = 'bouncer'";
}

sub said
{
	my ($role, $rule) = @_;

	return "SELECT regexp_replace(regexp_replace(message, ' \\d+ (s|min)\\M', ' N s', 'g'), 'query -?\\d+', 'query N'), cause, culprit, severity FROM pgpool_stats.alerts WHERE usename = '$role' AND pool = 'bouncer' AND rule = '$rule' AND state = 'firing'";
}

my $nobody = '|';

# it stays so until the end
my $short = "SELECT pg_sleep(0.01);\n";
my $held = start_load(through('held', 'checkout'), 3, $short);
becomes("SELECT DISTINCT clients FROM pgpool_stats.chains WHERE usename = 'held' AND pooler = 'bouncer'", '3', 'its clients');
is(ask('PAUSE held'), "PAUSE\n", 'a database is paused');
my $who = ', pooler_waiting, waiting_application';
becomes(chain('held', $who), 'pooler|paused|3|checkout', 'paused: who waits');
becomes(said('held', 'stalled'), qq{bouncer on postgres: 1 of 1 instance at a standstill for N s, 3 callers waiting and nothing is lent out: 3 clients of checkout wait in pooler bouncer (paused)|pooler|pooler bouncer|critical},
	'a standstill');
like(sql(q{SELECT hint FROM pgpool_stats.alerts WHERE usename = 'held'}), qr/RESUME/, 'and what to do');
as_console('held', 'held', 'paused');

# who waits is sent away, and comes again
ask('SET query_wait_timeout = 2');
becomes(q{SELECT query_wait_timeout FROM pgpool_stats.poolers}, '2', 'how long they may wait');
my $again = IPC::Run::start([ 'sh', '-c', q{while :; do psql -XAtw -d "$0" -c 'SELECT 1'; done}, 'host=127.0.0.1 ' . through('held', 'again') ],
	'<', \undef, '>', \my $answers, '2>', \my $sent_away);
becomes(q{SELECT count(*) FROM pgpool_stats.alerts WHERE usename = 'held' AND rule IN ('stalled', 'callers_waiting') AND state = 'firing' AND message ~ ' waiting \(the longest for [12] s, query_wait_timeout is 2 s\).*: \d clients? of again waits? in pooler bouncer \(paused\)$'},
	'1', 'that they are sent away is said');
$again->pump until $sent_away =~ /query_wait_timeout/;
ok(1, 'and so they are');
$again->kill_kill;
$held->kill_kill;
becomes(q{SELECT waiting FROM pgpool_stats.instances WHERE pool = 'bouncer' AND usename = 'held'}, '0', 'the last of them, too');
ask('SET query_wait_timeout = 1000');
becomes(q{SELECT query_wait_timeout FROM pgpool_stats.poolers}, '1000', 'they may wait for long');
$held = start_load(through('held', 'checkout'), 3, $short);
becomes(said('held', 'stalled'), qq{bouncer on postgres: 1 of 1 instance at a standstill for N s, 3 callers waiting and nothing is lent out: 3 clients of checkout wait in pooler bouncer (paused)|pooler|pooler bouncer|critical},
	'which is no longer said');

# all of it is full
my $load = start_load(through('shop', 'batch'), 5);
becomes(chain('app', $who), 'pooler|full|2|batch', 'full');
is(sql(q{SELECT pool_size, max_overflow, overflow FROM pgpool_stats.instances WHERE pool = 'bouncer' AND usename = 'app'}), '2|1|1', 'its reserve is in use');
becomes(said('app', 'pool_exhausted'), 'bouncer on postgres: 1 of 1 instance full (3/3) for N s, 2 callers waiting: 3 wait for something else (Timeout) in query N, the oldest statement for N s|other|batch 127.0.0.1|critical', 'its alert says so');
as_console('shop', 'app', 'full');

# it is to be paused as soon as all are given back
my $pause = IPC::Run::start([ 'psql', '-XAtw', '-d', "host=127.0.0.1 port=$port dbname=pgbouncer user=boss", '-c', 'PAUSE shop' ],
	'<', \undef, '>', \my $paused);
becomes(chain('app', $who), 'pooler|paused|2|batch', 'a pause that goes on');
becomes(said('app', 'pool_exhausted'), 'bouncer on postgres: 1 of 1 instance full (3/3) for N s, 2 callers waiting: 2 clients of batch wait in pooler bouncer (paused)|pooler|pooler bouncer|critical', 'its alert says so');
as_console('shop', 'app', 'a pause that goes on');
ask('RESUME shop');
$pause->finish;
becomes(chain('app', $who), 'pooler|full|2|batch', 'which was given up');
$load->kill_kill;
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'});
becomes(chain('app'), $nobody, 'it is over');
becomes(said('app', 'pool_exhausted'), '', 'and its alert');

# somebody who may not come in
is(ask('DISABLE shop'), "DISABLE\n", 'a database is disabled');
becomes(chain('app'), 'pooler|disabled', 'disabled');
my $closed = 'bouncer on postgres: the pooler takes no more clients for';
becomes(said('app', 'pooler_closed'), "$closed shop/app: the database is disabled there|||warning", 'an alert says so');
is(join(' ', map { $_->{disabled} } grep { $_->{name} eq 'shop' } console('DATABASES')), '1', 'as the console says');
ask('ENABLE shop');
becomes(chain('app'), $nobody, 'it is over');
becomes(said('app', 'pooler_closed'), '', 'and its alert');

# idle clients
my @idle = map {
	my $session = background(as => 'client', extra_params => [ '-d', 'host=127.0.0.1 ' . through('sessions', 'backoffice') ]);
	$session->query_safe('SELECT 1');
	$session;
} 1 .. 2;
$load = start_load(through('sessions', 'checkout'), 2);
becomes(chain('keeper', "$who, holding_application"), 'pooler|idle sessions|2|checkout|backoffice', 'idle sessions hold it: whose, and who waits');
becomes(said('keeper', 'pool_exhausted'), 'bouncer on postgres: 1 of 1 instance full (2/2) for N s, 2 callers waiting: 2 clients of checkout wait in pooler bouncer (2 of 2 held by idle sessions of backoffice, the longest for N s)|pooler|pooler bouncer|critical',
	'its alert says so');
as_console('sessions', 'keeper', 'idle sessions');
like(sql(q{SELECT hint FROM pgpool_stats.alerts WHERE usename = 'keeper'}), qr/session mode/, 'and what to do');
$_->quit foreach @idle;
becomes(chain('keeper'), $nobody, 'they left: it is over');
$load->kill_kill;

# a limit of the server
$load = start_load(through('small', 'checkout'), 2);
becomes(chain('small'), 'server|server limit', 'it is at a limit of the server');
becomes("SELECT cause, culprit, message ~ ': \\d+ connections? rejected in .*, the limit of role small is held by ' FROM pgpool_stats.alerts WHERE usename = 'small' AND pool = 'bouncer' AND rule = 'callers_waiting' AND state = 'firing'",
	'role full|role small|t', 'an alert says so');
as_console('small', 'small', 'a limit of the server');
sql('ALTER ROLE small CONNECTION LIMIT 10');
becomes(chain('small'), $nobody, 'which is raised');
$load->kill_kill;

# its password has changed
ask('SELECT 1', 'rotated', 'client');
becomes(chain('rotated'), $nobody, 'it can log in');
sql(q{ALTER ROLE rotated PASSWORD 'other'});
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'});

# PgBouncer lets them wait or sends them away, and tries again while one is there
sub becomes_while_asking
{
	my ($query, $expected, $name) = @_;
	my $got = '';

	foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		ask('SELECT 1', 'rotated', 'client');
		$got = sql($query);
		last if $got =~ $expected;
		select(undef, undef, undef, 0.1);
	}
	return like($got, $expected, $name);
}

becomes_while_asking(chain('rotated'), qr/^pooler\|login fails$/, 'its login fails');
becomes_while_asking(said('rotated', 'stalled'),
	qr/^bouncer on postgres: the pooler has no connection to this server, which rejects it: \d+ logins? rejected in N s, the last by authentication\|not connected\|\|critical$/,
	'a critical alert says so');
is(sql(q{SELECT notes FROM pgpool_stats.instances WHERE pool = 'bouncer' AND usename = 'rotated'}), '', 'it is still known to connect here');
sql(q{ALTER ROLE rotated PASSWORD 'good'});
becomes_while_asking(chain('rotated'), qr/^\|$/, 'it logs in again');
becomes(said('rotated', 'stalled'), '', 'and the alert is over');

# a cancel request waits: it would need one more connection
my $lent = IPC::Run::start([ 'psql', '-XAtw', '-d', 'host=127.0.0.1 ' . through('rotated', 'lent'), '-c', 'SELECT pg_sleep(3600)' ],
	'<', \undef, '>', \my $nothing, '2>', \my $canceled);
becomes(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'rotated' AND state = 'active'}, '1', 'a connection is lent');
sql(q{ALTER ROLE rotated PASSWORD 'other'});
ask('SET server_login_retry = 3600');
my $rejected = start_load(through('rotated', 'queue'), 1, $short);
becomes(chain('rotated', $who), 'server|connecting|1|queue', 'it gets no more connections');
$lent->signal('INT');
becomes(chain('rotated', ', cancels_waiting'), 'server|connecting|1', 'a cancel request waits');
as_console('rotated', 'rotated', 'a cancel request');
sql(q{ALTER ROLE rotated PASSWORD 'good'});
ask('SET server_login_retry = 1');
becomes(chain('rotated', ', cancels_waiting'), '||0', 'it is over');
$lent->finish;
like($canceled, qr/canceling statement due to user request/, 'it was cancelled');
$rejected->kill_kill;

# what its console says of a user stands over what it says of the database
SKIP:
{
	skip "PgBouncer 1.$minor has no limits of users", 3 unless $minor >= 24;

	my @clients = map { background(as => 'sized', extra_params => [ '-d', 'host=127.0.0.1 ' . through('wide', 'few') =~ s/user=client/user=sized/r ]) } 1 .. 2;
	$_->query_safe('SELECT 1') foreach @clients;
	becomes(q{SELECT pool_size, max_overflow, max_size FROM pgpool_stats.instances WHERE pool = 'bouncer' AND usename = 'sized'}, $minor >= 26 ? '1|1|2' : '5|1|6', 'sizes of its user');
	becomes(chain('sized'), 'pooler|client limit', 'it has as many clients as it may');
	becomes(said('sized', 'pooler_closed'), "$closed wide/sized: its user or database has as many as it may|||warning", 'an alert says so');
	as_console('wide', 'sized', 'a limit of its user');
	$_->quit foreach @clients;
	becomes(chain('sized'), $nobody, 'they left: it is over');
	becomes(said('sized', 'pooler_closed'), '', 'and its alert');

	@clients = map { background(as => 'client', extra_params => [ '-d', 'host=127.0.0.1 ' . through('few', 'few') ]) } 1 .. 2;
	$_->query_safe('SELECT 1') foreach @clients;
	becomes(chain('few'), 'pooler|client limit', 'its database has as many clients as it may');
	becomes(said('few', 'pooler_closed'), "$closed few/few: its user or database has as many as it may|||warning", 'an alert says so');
	as_console('few', 'few', 'a limit of its database');
	$_->quit foreach @clients;
	becomes(said('few', 'pooler_closed'), '', 'they left: it is over');
}

# what went through it
ok(pgbench("SELECT repeat('x', 10000);\n", 'host=127.0.0.1 ' . through('shop', 'batch'), '-M', $minor >= 24 ? 'prepared' : 'simple', '-t', '30')->finish, 'clients that read much');
sub total
{
	my ($column) = @_;
	my $sum = 0;

	foreach my $row (grep { $_->{database} ne 'pgbouncer' } console('STATS'))
	{
		return '' if !defined $row->{$column};
		$sum += $row->{$column};
	}
	return $sum;
}

# other clients are there yet, so it goes on
ask('RESUME held');
$held->kill_kill;
becomes(q{SELECT DISTINCT clients FROM pgpool_stats.chains WHERE usename = 'held' AND pooler = 'bouncer'}, '0', 'nobody else is there');
my $traffic = join '|', map { total($_) } qw(total_received total_sent total_client_parse_count total_server_parse_count total_bind_count);
becomes(q{SELECT bytes_received, bytes_sent, client_parses, server_parses, binds FROM pgpool_stats.poolers}, $traffic, 'bytes and prepared statements, as the console says');
is(sql(q{SELECT bytes_sent > 300000, bytes_sent > 10 * bytes_received, client_parses > 0, server_parses > 0, binds >= 30 FROM pgpool_stats.poolers}),
	$minor >= 24 ? 't|t|t|t|t' : 't|t|||', 'which way');
ask('PAUSE held');
$held = start_load(through('held', 'checkout'), 3, $short);

# it takes no more clients
ask('SET max_client_conn = 4');
becomes(chain('app'), 'pooler|client limit', 'it has as many clients as it may');
my $crowded = q{SELECT regexp_replace(message, '[4-9] of', 'N of'), severity FROM pgpool_stats.alerts WHERE rule = 'connections' AND pool = 'bouncer' AND state = 'firing'};
becomes($crowded, 'pooler bouncer: N of 4 client connections in use|critical', 'an alert says so');
ask('SET max_client_conn = 100');
becomes(chain('app'), $nobody, 'it is over');
becomes($crowded, '', 'and its alert');

# all of it is paused; before 1.19 the console does not tell
my $told = $minor >= 19 ? 'paused' : 'no connection';
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'});
$load = start_load(through('shop', 'checkout'), 2, $short);
becomes("SELECT DISTINCT clients FROM pgpool_stats.chains WHERE usename = 'app' AND pooler = 'bouncer'", '2', 'its clients');
ask('PAUSE');
becomes(chain('app', $who), "pooler|$told|2|checkout", 'all is paused');

ask('RESUME');
becomes(chain('app'), $nobody, 'all goes on');
ask('RESUME held');
$_->kill_kill foreach $held, $load;
becomes(chain('held'), $nobody, 'that one, too');

becomes(q{SELECT string_agg(rule, ' ') FROM pgpool_stats.alerts WHERE pool = 'bouncer' AND state = 'firing' AND rule IN ('stalled', 'callers_waiting', 'pool_exhausted')}, '', 'all alerts are over, also of pools whose connections were closed since');

# it is started again while they wait: what it no longer lists has nothing
ask('PAUSE shop');
$load = start_load(through('shop', 'checkout'), 2, $short);
my $waiting = q{SELECT waiting FROM pgpool_stats.instances WHERE pool = 'bouncer' AND usename = 'app'};
becomes($waiting, '2', 'they wait once more');
$bouncer->stop('KILL');
$load->kill_kill;
$bouncer->run;
my $now = sql('SELECT clock_timestamp()');
becomes("SELECT last_poll > '$now' FROM pgpool_stats.poolers", 't', 'it is back');
is(sql($waiting), '0', 'nobody waits in it');
is(sql(chain('app')), $nobody, 'nor is it paused');

$bouncer->stop;
$node->stop;
done_testing();
