# Poolers that are given by name: each address is one, an address that changes
# is followed, and name servers that are dead or know nothing hold up nobody.
#
# The environment variables PGBOUNCER and DNSMASQ may name the binaries.

use strict;
use warnings;
use PgpoolStats;
use Poolers;

my $pgbouncer = Poolers::find('pgbouncer', 'PGBOUNCER');
my $dnsmasq = Poolers::find('dnsmasq', 'DNSMASQ');
plan skip_all => 'there is no PgBouncer or no dnsmasq; PGBOUNCER and DNSMASQ may name them'
  unless $pgbouncer && $dnsmasq;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
pgpool_stats.poll_interval = 200ms
pgpool_stats.alert_rules = 'pooler_down: critical 0.2'
});
sql('CREATE ROLE app LOGIN');

# the same port at several addresses of the machine
my $home = $node->basedir;
my $port = PostgreSQL::Test::Cluster::get_free_port();
write_file("$home/users", qq{"app" ""\n"stats" ""\n});

sub start_bouncer
{
	my ($last, $port) = @_;

	write_file("$home/$last.ini", qq{
[databases]
shop = host=127.0.0.1 port=@{[$node->port]} dbname=postgres pool_size=$last
[pgbouncer]
listen_addr = 127.0.0.$last
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $home/users
logfile = $home/$last.log
pool_mode = transaction
stats_users = stats
});
	return Poolers->start('pgbouncer', "127.0.0.$last:$port", $pgbouncer, '-q', "$home/$last.ini");
}

my %bouncer = map { $_ => start_bouncer($_, $port) } 2 .. 4;
my $other_port = PostgreSQL::Test::Cluster::get_free_port();
$bouncer{5} = start_bouncer(5, $other_port);

# a name server; hosts may change, the services stay
my $names = PostgreSQL::Test::Cluster::get_free_port();
my $server;

sub resolve_to
{
	my (%addresses) = @_;

	write_file("$home/hosts", join('',
			map { my $name = $_; map { "127.0.0.$_ $name\n" } @{ $addresses{$name} } } sort keys %addresses));
	$server->signal('HUP') if $server;
	return;
}

resolve_to('east.test' => [2], 'a.test' => [3], 'b.test' => [5]);
write_file("$home/dnsmasq.conf", qq{
port=$names
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
addn-hosts=$home/hosts
local=/test/
local-ttl=1
pid-file=
srv-host=_postgresql._tcp.pools.test,a.test,$port
srv-host=_postgresql._tcp.pools.test,b.test,$other_port
});
$server = Poolers->start('dnsmasq', $names, $dnsmasq, '-k', '-C', "$home/dnsmasq.conf");
sql("ALTER SYSTEM SET pgpool_stats.name_servers = '127.0.0.1:$names'");

sub entry
{
	my ($name, $host) = @_;

	return "name=$name host=$host port=$port dbname=pgbouncer user=stats";
}

# The poolers of an entry, and where each is, by its size
sub poolers_are
{
	my ($entry, $expected, $name) = @_;

	return becomes(
		"SELECT string_agg(concat_ws(' ', p.name, p.reachable, i.pool_size), ', ' ORDER BY p.name)
		 FROM pgpool_stats.poolers p LEFT JOIN pgpool_stats.instances i ON i.pool = p.name AND i.status <> 'gone' AND p.reachable
		 WHERE p.name ~ '^$entry(/|\$)'", $expected, $name);
}

# each has a pool as soon as somebody came
my @load = map { start_load("hostaddr=127.0.0.$_ port=@{[$_ == 5 ? $other_port : $port]} dbname=shop user=app", 1, "SELECT pg_sleep(0.1);\n") } 2 .. 5;

my $honest = "name=honest host=127.0.0.4 port=$port dbname=pgbouncer user=stats";
my @entries = ($honest, entry('east', 'east.test'), entry('nobody', 'no.such.host.test'),
	entry('services', '_postgresql._tcp.pools.test'));
set_poolers(join(';', @entries));
poolers_are('honest', 'honest t 4', 'an address');
poolers_are('east', 'east t 2', 'a name');
poolers_are('services', 'services/1 t 3, services/2 t 5', 'a service: two hosts, each with its port');
becomes(q{SELECT reachable, error FROM pgpool_stats.poolers WHERE name = 'nobody'},
	'f|its name is not known to the name servers', 'a name that nobody knows');
becomes(q{SELECT pool FROM pgpool_stats.alerts WHERE rule = 'pooler_down' AND state = 'firing'},
	'nobody', 'an alert says so');
becomes(q{SELECT count(DISTINCT via) FROM pgpool_stats.connections WHERE usename = 'app' AND via IN ('honest', 'east', 'services/1', 'services/2')},
	'4', 'the connections of each are known');

# it moves, it becomes several, and one of these goes
resolve_to('east.test' => [3], 'a.test' => [3], 'b.test' => [5]);
poolers_are('east', 'east t 3', 'the address has changed');
resolve_to('east.test' => [ 2, 3 ], 'a.test' => [3], 'b.test' => [5]);
poolers_are('east', 'east/1 t 3, east/2 t 2', 'it has two addresses');
resolve_to('east.test' => [ 2, 4 ], 'a.test' => [3], 'b.test' => [5]);
poolers_are('east', 'east/1 t 4, east/2 t 2', 'a new one takes over from one that is gone');
resolve_to('east.test' => [2], 'a.test' => [3], 'b.test' => [5]);
poolers_are('east', 'east/2 t 2', 'one of them is gone');
resolve_to('a.test' => [3], 'b.test' => [5]);
poolers_are('east', 'east/2 f', 'its name is');
is(sql(q{SELECT error FROM pgpool_stats.poolers WHERE name = 'east/2'}),
	'its name is not known to the name servers', 'which is said');
resolve_to('east.test' => [2], 'late.test' => [3], 'a.test' => [3], 'b.test' => [5]);
poolers_are('east', 'east/2 t 2', 'and is back');

# nobody answers
$server->signal('STOP');
set_poolers(join(';', @entries, entry('late', 'late.test')));
becomes(q{SELECT reachable, error FROM pgpool_stats.poolers WHERE name = 'late'},
	'f|no name server answers for its name', 'a dead name server is said');
is(sql(q{SELECT count(*) FROM pgpool_stats.poolers WHERE reachable AND name IN ('honest', 'east/2', 'services/1', 'services/2')}),
	'4', 'what was known before goes on');
my $polls = sql(q{SELECT last_poll FROM pgpool_stats.poolers WHERE name = 'honest'});
becomes("SELECT bool_and(last_poll > '$polls') FROM pgpool_stats.poolers WHERE name IN ('honest', 'east/2')",
	't', 'and is polled');
$server->signal('CONT');
poolers_are('late', 'late t 3', 'it is there again');

# more addresses than there is room for, in an order that changes
resolve_to('crowd.test' => [ 101 .. 170 ]);
set_poolers(entry('crowd', 'crowd.test'));
my $crowd = q{SELECT count(*), (SELECT substring(notes FROM '\d+ poolers are not polled') FROM pgpool_stats.info) FROM pgpool_stats.poolers};
becomes($crowd, '64|6 poolers are not polled', 'those that are left out are counted');
resolve_to('crowd.test' => [ 101 .. 160 ]);
becomes($crowd, '60|', 'there is room for all');

# the machine's own names
SKIP:
{
	my ($own) = map { /^\s*127\.\S+\s+(?!localhost)(\S+)/ ? $1 : () } split(/\n/, slurp_file('/etc/hosts'));

	skip 'no name but localhost in /etc/hosts', 1 unless $own;
	set_poolers(entry('own', $own));
	becomes(q{SELECT reachable OR error ~ 'refused' FROM pgpool_stats.poolers WHERE name = 'own'}, 't', 'a name of /etc/hosts');
}

# what cannot be
set_poolers(entry('both', 'east.test,a.test'));
becomes(q{SELECT error ~ '^a list of hosts' FROM pgpool_stats.poolers WHERE name = 'both'}, 't', 'a list of names');
sql(q{ALTER SYSTEM SET pgpool_stats.name_servers = 'nonsense'});
set_poolers(entry('east', 'east.test'));
becomes(q{SELECT error FROM pgpool_stats.poolers WHERE name = 'east'},
	'pgpool_stats.name_servers is no list of addresses and ports', 'a setting that is none');

$_->kill_kill foreach @load;
$server->stop('TERM');
$_->stop foreach values %bouncer;
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP|poller" \(PID \d+\) exited with exit code [1-9]/, 'the server is well');
done_testing();
