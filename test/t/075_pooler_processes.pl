# Several PgBouncers that share a port: each is found and polled, all of them
# count, and one that dies is missed, and found again.
#
# The environment variable PGBOUNCER may name the binary.

use strict;
use warnings;
use PgpoolStats;
use Poolers;

my $pgbouncer = Poolers::find('pgbouncer', 'PGBOUNCER');
plan skip_all => 'there is no PgBouncer; PGBOUNCER may name one'
  unless $pgbouncer;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
max_connections = 60
pgpool_stats.poll_interval = 200ms
pgpool_stats.alert_rules = 'pooler_down: critical 0.2'
});
sql(q{
	CREATE ROLE app LOGIN;
	ALTER ROLE app SET pgpool_stats.pool = 'orders';
});

my $home = $node->basedir;
my $port = PostgreSQL::Test::Cluster::get_free_port();
write_file("$home/users", qq{"app" ""\n"stats" ""\n});

sub start_bouncer
{
	my ($number) = @_;

	write_file("$home/$number.ini", qq{
[databases]
shop = host=127.0.0.1 port=@{[$node->port]} dbname=postgres pool_size=10
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
so_reuseport = 1
unix_socket_dir =
auth_type = trust
auth_file = $home/users
logfile = $home/$number.log
pidfile = $home/$number.pid
pool_mode = transaction
max_client_conn = 50
stats_users = stats
});
	return Poolers->start('pgbouncer', $port, $pgbouncer, '-q', "$home/$number.ini");
}

my @bouncers = map { start_bouncer($_) } 1 .. 2;
set_poolers("name=edge host=127.0.0.1 port=$port dbname=pgbouncer user=stats");
my $processes = q{SELECT string_agg(concat_ws(' ', name, reachable, error), ', ' ORDER BY name) FROM pgpool_stats.poolers};
becomes($processes, 'edge/1 t, edge/2 t', 'both are found');

# the kernel gives each some of the clients
my $load = start_load("port=$port dbname=shop user=app", 40);
becomes(q{SELECT sum(connections), count(DISTINCT via), count(*) FILTER (WHERE via IS NULL) FROM
	(SELECT 1 AS connections, via FROM pgpool_stats.connections WHERE pool = 'orders') c},
	'20|2|0', 'all connections are known as theirs');
is(sql(q{SELECT sum(max_size), sum(open), sum(checked_out), sum(waiting) FROM pgpool_stats.instances WHERE source = 'pooler' AND status <> 'gone'}),
	'20|20|20|20', 'limit, connections, and who waits');
is(sql(q{SELECT sum(clients), sum(pooler_max_size), sum(pooler_waiting), sum(connections) FROM pgpool_stats.chains WHERE pool = 'orders'}),
	'40|20|20|20', 'the same in chains');
is(sql(q{SELECT sum(max_client_conn), sum(clients) - count(*) BETWEEN 40 AND 42 FROM pgpool_stats.poolers}),
	'100|t', 'their clients, beside our own connections');
is(sql(q{SELECT committed FROM pgpool_stats.budget WHERE scope = 'role' AND name = 'app'}),
	'20', 'the budget counts both');
is(sql(q{SELECT count(DISTINCT pool) FROM pgpool_stats.pools WHERE source = 'pooler'}),
	'2', 'they had no other names before');
$load->kill_kill;

# one of them dies; what reaches the other instead is not taken for it
$bouncers[1]->stop('KILL');
becomes(q{SELECT string_agg(concat_ws(' ', reachable, error), ', ' ORDER BY reachable) FROM pgpool_stats.poolers},
	'f its process was not reached: others answer at its port, t', 'one is gone');
becomes(q{SELECT count(*) FROM pgpool_stats.alerts WHERE rule = 'pooler_down' AND state = 'firing'},
	'1', 'an alert says so');
$bouncers[1]->run;
becomes($processes, 'edge/1 t, edge/2 t', 'it is back');

# one alone, which others may join
$_->stop foreach @bouncers;
set_poolers('');
becomes(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pgpool_stats poller'}, '0', 'nobody polls');
$bouncers[0]->run;
set_poolers("name=edge host=127.0.0.1 port=$port dbname=pgbouncer user=stats");
becomes($processes, 'edge t one of several processes, if others listen at its port (so_reuseport), and they were not reached',
	'one that may be one of several');

$bouncers[0]->stop;
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP|poller" \(PID \d+\) exited with exit code [1-9]/, 'the server is well');
done_testing();
