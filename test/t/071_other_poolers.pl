# The poller and Odyssey and Pgpool-II: one is skipped where it is not there.
#
# The environment variables ODYSSEY and PGPOOL may name the binaries.

use strict;
use warnings;
use PgpoolStats;
use Poolers;

my $odyssey = Poolers::find('odyssey', 'ODYSSEY');
my $pgpool = Poolers::find('pgpool', 'PGPOOL');
plan skip_all =>
  'there is neither Odyssey nor Pgpool-II; ODYSSEY and PGPOOL may name them'
  unless $odyssey || $pgpool;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
pgpool_stats.poll_interval = 200ms
pgpool_stats.poll_timeout = 2s
});
my $hba = slurp_file($node->data_dir . '/pg_hba.conf');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "host all stats 127.0.0.1/32 password\n$hba");
$node->reload;
sql(q{
	CREATE ROLE app LOGIN;
	CREATE ROLE stats LOGIN PASSWORD 'one';
	ALTER ROLE app SET pgpool_stats.pool = 'orders';
	ALTER ROLE stats SET pgpool_stats.pool = 'watching';
});

my $home = $node->basedir;
# the path of a socket may not be long
my $sockets = PostgreSQL::Test::Utils::tempdir_short();
my $short = "SELECT pg_sleep(0.01);\n";

my $passfile = Poolers::passfile();

tell_password('one');
$ENV{PGPASSFILE} = $passfile;

# What a console answers, without what we know already
sub console
{
	my ($port, $dbname, $show) = @_;
	my ($answer, $err);

	IPC::Run::run(
		[
			'psql', '-XAtw', '-d',
			"host=127.0.0.1 port=$port dbname=$dbname user=stats",
			'-c', $show
		],
		'>',
		\$answer,
		'2>',
		\$err);
	return $answer;
}

SKIP:
{
	skip 'there is no Odyssey', 1 unless $odyssey;

	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $configure = sub {
		write_file(
			"$home/odyssey.conf", qq{
daemonize no
log_to_stdout yes
log_format "%p %l %c %m\\n"
unix_socket_dir "$sockets"
unix_socket_mode "0644"
listen {
	host "127.0.0.1"
	port $port
}
storage "server" {
	type "remote"
	host "127.0.0.1"
	port @{[$node->port]}
}
storage "local" {
	type "local"
}
database default {
	user default {
		authentication "none"
		storage "server"
		pool "transaction"
		pool_size 3
	}
}
database "console" {
	user "stats" {
		authentication "clear_text"
		password "$_[0]"
		role "stat"
		storage "local"
		pool "session"
	}
}
});
	};
	$configure->('one');
	my $server =
	  Poolers->start('odyssey', $port, $odyssey, "$home/odyssey.conf");
	my $row = q{FROM pgpool_stats.instances WHERE pool = 'ody'};

	set_poolers("name=ody host=127.0.0.1 port=$port dbname=console user=stats passfile=$passfile");
	becomes(
		q{SELECT product, version ~ '^\d', reachable, error IS NULL, clients FROM pgpool_stats.poolers},
		'Odyssey|t|t|t|1', 'Odyssey is polled');

	my $load = start_load("port=$port dbname=postgres user=app", 8);
	becomes(
		"SELECT instance, datname, usename, source, status, pool_size, max_size, open, checked_out, checked_in, waiting, max_wait IS NULL, app_version ~ '^Odyssey ' $row",
		'postgres/app|postgres|app|pooler|exhausted|3|3|3|3|0|5|t|t',
		'its pool: those who wait are in its queue');
	like(
		console($port, 'console', 'SHOW POOLS'),
		qr/^postgres\|app\|3\|\d+\|3\|0\|/m,
		'sv_active, sv_idle as SHOW POOLS says');
	is(sql(q{SELECT bottleneck, pooler, pool_mode, clients, pooler_waiting, connections FROM pgpool_stats.chains WHERE pool = 'orders'}),
		'pooler|ody|transaction|8|5|3',
		'the chain, its connections known by address and port');
	is(sql(q{SELECT committed FROM pgpool_stats.budget WHERE scope = 'role' AND name = 'app'}),
		'3', 'the budget');
	$load->kill_kill;

	# clients that do nothing do not wait
	my @idle = map {
		$node->background_psql('postgres',
			extra_params => [
				'-d', "host=127.0.0.1 port=$port dbname=postgres user=app"
			])
	} 1 .. 4;
	becomes("SELECT waiting, checked_out $row", '0|0',
		'idle clients do not wait');
	becomes(q{SELECT clients FROM pgpool_stats.chains WHERE pooler = 'ody'},
		'4', 'but are clients');
	$_->quit foreach @idle;

	$load = start_load("port=$port dbname=postgres user=app", 8, $short);
	becomes("SELECT xacts > 100 AND total_wait_time > 100 AND checkouts > 100 $row",
		't', 'its statistics');
	$load->kill_kill;
	my $wait;
	foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		($wait) = console($port, 'console', 'SHOW STATS') =~ /^postgres\|(.*)$/m;
		my @stats = split /\|/, $wait;

		$wait = "$stats[0]|$stats[7]";
		last if $wait eq sql("SELECT xacts, (1000 * total_wait_time)::bigint $row");
		select(undef, undef, undef, 0.1);
	}
	is(sql("SELECT xacts, (1000 * total_wait_time)::bigint $row"),
		$wait, 'are as SHOW STATS says');

	my ($received, $sent) = (split /\|/, (console($port, 'console', 'SHOW STATS') =~ /^postgres\|(.*)$/m)[0])[3, 4];
	becomes(q{SELECT bytes_received, bytes_sent, client_parses, query_wait_timeout FROM pgpool_stats.poolers}, "$received|$sent||", 'what went through it');
	is(sql(q{SELECT DISTINCT cancels_waiting IS NULL FROM pgpool_stats.chains WHERE pooler = 'ody'}), 't', 'cancel requests are not told');

	my $state = q{SELECT reachable, error FROM pgpool_stats.poolers};
	$server->signal('STOP');
	becomes($state, 'f|no answer within 2000 ms', 'SIGSTOP is shown');
	$server->signal('CONT');
	becomes($state, 't|', 'and SIGCONT');
	$server->stop('KILL');
	becomes('SELECT reachable FROM pgpool_stats.poolers',
		'f', 'kill -9 is shown');
	$configure->('two');
	$server->run;
	becomes(
		q{SELECT reachable, error ~ 'password' FROM pgpool_stats.poolers},
		'f|t', 'another password is shown');
	tell_password('two');
	becomes($state, 't|', 'that and a restart are survived');
	tell_password('one');
	$server->stop('KILL');

	# what it ran goes on
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'});
}

SKIP:
{
	skip 'there is no Pgpool-II', 1 unless $pgpool;

	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $pcp_port = PostgreSQL::Test::Cluster::get_free_port();
	write_file("$home/$_", '') foreach ('pcp.conf', 'hba', 'passwd');
	mkdir "$home/pgpool";
	write_file(
		"$home/pgpool.conf", qq{
backend_clustering_mode = 'raw'
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$sockets'
socket_dir = '$sockets'
pcp_listen_addresses = ''
pcp_port = $pcp_port
pcp_socket_dir = '$sockets'
backend_hostname0 = '127.0.0.1'
backend_port0 = @{[$node->port]}
backend_weight0 = 1
enable_pool_hba = off
pool_passwd = ''
num_init_children = 5
max_pool = 2
pid_file_name = '$home/pgpool/pid'
logdir = '$home/pgpool'
work_dir = '$home/pgpool'
memqcache_oiddir = '$home/pgpool/oid'
use_watchdog = off
});
	my $server = Poolers->start('pgpool', $port, $pgpool, '-n', '-f',
		"$home/pgpool.conf", '-F', "$home/pcp.conf", '-a', "$home/hba");

	set_poolers("name=pp host=127.0.0.1 port=$port dbname=postgres user=stats passfile=$passfile");
	becomes(
		q{SELECT product, version ~ '^4', reachable, error IS NULL, max_client_conn, clients FROM pgpool_stats.poolers},
		'Pgpool-II|t|t|t|5|1', 'Pgpool-II is polled');
	my $load = start_load("port=$port dbname=postgres user=app", 3);
	my $row = q{FROM pgpool_stats.instances WHERE pool = 'pp'};
	becomes(
		"SELECT string_agg(concat_ws(' ', instance, datname, usename, source, status, max_size, open, checked_out, checked_in, coalesce(waiting::text, '-')), ', ' ORDER BY instance) $row",
		'postgres/app postgres app pooler ok 5 3 3 0 -, postgres/stats postgres stats pooler ok 5 1 1 0 -',
		'a row for each database and user');
	my $pools = console($port, 'postgres', 'SHOW POOL_POOLS');
	is(scalar(grep { /\|postgres\|app\|/ } split(/\n/, $pools)),
		3, 'as SHOW POOL_POOLS says');
	is(sql(q{SELECT count(*), bool_and(multiplexed) FROM pgpool_stats.connections WHERE via = 'pp' AND usename = 'app'}),
		'3|t', 'its connections are known by pid');
	is(sql(q{SELECT pool, pooler, clients, connections FROM pgpool_stats.chains WHERE pooler = 'pp' AND usename = 'app'}),
		'orders|pp|3|3', 'the chain');
	becomes(
		q{SELECT committed FROM pgpool_stats.budget WHERE scope = 'role' AND name = 'app'},
		'5', 'the budget: each process may hold one');
	$load->kill_kill;

	$server->stop('QUIT');
	becomes('SELECT reachable FROM pgpool_stats.poolers', 'f', 'it is stopped');
	$server->run;
	my $state = q{SELECT reachable, error FROM pgpool_stats.poolers};
	becomes($state, 't|', 'and is back');

	$server->signal_all('STOP');
	becomes($state, 'f|no answer within 2000 ms', 'SIGSTOP is shown');
	$server->signal_all('CONT');
	becomes($state, 't|', 'and SIGCONT');
	$server->signal_all('KILL');
	becomes('SELECT reachable FROM pgpool_stats.poolers',
		'f', 'kill -9 is shown');
	sql(q{ALTER ROLE stats PASSWORD 'two'});
	$server->run;
	becomes(
		q{SELECT reachable, error ~ 'password' FROM pgpool_stats.poolers},
		'f|t', 'another password is shown');
	tell_password('two');
	becomes($state, 't|', 'that and a restart are survived');
	$server->stop('QUIT');
}

$node->stop;
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|terminated by signal|TRAP/, 'the server is well');
cmp_ok(scalar(() = $log =~ /unrecognized configuration parameter "version"/g),
	'<=', 4, 'Pgpool-II is asked what it is once in a connection');
done_testing();
