# A switchover by Patroni, while pools of psycopg and SQLAlchemy are in use:
# in no reading of the fleet is a connection counted on both servers.

use strict;
use warnings;
use IO::Handle;
use JSON::PP;
use PgpoolStats;

foreach my $program ('patroni', 'etcd')
{
	plan skip_all => "no $program here (Debian: patroni, etcd-server)" if system "command -v $program >/dev/null";
}

my $home = PostgreSQL::Test::Utils::tempdir();
my %started;
my $size = 3;

# A program that writes to a file of its name, and ends with this test
sub start_program
{
	my ($name, @command) = @_;

	local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
	delete local @ENV{ grep { /^PG/ } keys %ENV };
	$started{$name} = IPC::Run::start(\@command, '<', \undef, '>', "$home/$name.log", '2>&1');
	return;
}

END
{
	my $status = $?;

	# servers before where they stand is kept
	foreach my $name (sort grep { /^db/ } keys %started)
	{
		$started{$name}->signal('TERM');
		eval { $started{$name}->finish };
	}
	$started{etcd}->kill_kill if $started{etcd};
	$? = $status;
}

# Poll for a condition, as long as a test may take.
sub until_true
{
	my ($what, $condition) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $value = $condition->();
		return $value if $value;
		select undef, undef, undef, 0.1;
	}
	BAIL_OUT("gave up waiting: $what");
}

#
# Two servers of Patroni, and where it keeps who is primary
#
my ($etcd_client, $etcd_peer) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
start_program('etcd', 'etcd', '--data-dir', "$home/etcd",
	map { ("--$_->[0]", ($_->[2] // '') . "http://127.0.0.1:$_->[1]") }
	  [ 'listen-client-urls', $etcd_client ], [ 'advertise-client-urls', $etcd_client ],
	  [ 'listen-peer-urls', $etcd_peer ], [ 'initial-advertise-peer-urls', $etcd_peer ],
	  [ 'initial-cluster', $etcd_peer, 'default=' ]);

my $bin = `pg_config --bindir`;
chomp $bin;
my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } 'db1', 'db2';
foreach my $name (sort keys %port)
{
	my $rest = '127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port();

	# JSON is YAML
	write_file("$home/$name.yml", encode_json({
		scope => 'moving', name => $name,
		restapi => { listen => $rest, connect_address => $rest },
		etcd3 => { host => "127.0.0.1:$etcd_client" },
		bootstrap => {
			dcs => { ttl => 20, loop_wait => 1, retry_timeout => 3 },
			initdb => [ 'no-sync', { encoding => 'UTF8' }, { 'auth-host' => 'trust' }, { 'auth-local' => 'trust' } ],
			pg_hba => [ 'local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust' ],
		},
		postgresql => {
			listen => "127.0.0.1:$port{$name}", connect_address => "127.0.0.1:$port{$name}",
			data_dir => "$home/$name", bin_dir => $bin, pgpass => "$home/$name.pgpass",
			authentication => { superuser => { username => 'postgres' }, replication => { username => 'standby' } },
			parameters => {
				shared_preload_libraries => 'pgpool_stats', unix_socket_directories => $home, fsync => 'off',
				'pgpool_stats.stale_after' => '1h',
			},
		},
	}));
	start_program($name, 'patroni', "$home/$name.yml");
}

# What a server says; nothing while it is down
sub at
{
	my ($name, $query) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-c', $query, "host=127.0.0.1 port=$port{$name} dbname=postgres user=postgres" ],
		'<', \undef, '>', \$out, '2>', \$err);
	chomp $out;
	return $out;
}

my ($primary) = until_true('a primary and a standby', sub {
	my %is = map { at($_, 'SELECT pg_is_in_recovery()') => $_ } keys %port;
	return $is{f} if $is{f} && $is{t};
});
my ($standby) = grep { $_ ne $primary } keys %port;
at($primary, 'CREATE EXTENSION pgpool_stats; CREATE ROLE app LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor');
until_true('the extension at the standby', sub { at($standby, q{SELECT true FROM pg_roles WHERE rolname = 'monitor'}) });

my $fleet = PostgreSQL::Test::Cluster->new('fleet');
$fleet->init;
$fleet->start;
$fleet->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats_fleet CASCADE');
$fleet->safe_psql('postgres', "SELECT pgpool_stats_fleet.add_server('$_', 'host=127.0.0.1 port=$port{$_} dbname=postgres user=monitor')")
  foreach keys %port;
my $reader = $fleet->background_psql('postgres');
$reader->query_safe("SET pgpool_stats_fleet.max_age = '0'; SET pgpool_stats_fleet.leave_out = '0'");

#
# Pools in use
#
my $said = '';
my $to_pools = IO::Handle->new;
my $pools = do
{
	local $ENV{PYTHONPATH} = 'clients/python';
	local $ENV{PGPOOL_STATS_EVERY} = '0.5';
	delete local @ENV{ grep { /^PG[A-Z]+$/ } keys %ENV };
	my @ports = map { $port{$_} } sort keys %port;
	IPC::Run::start([ '/usr/bin/python3', 'test/t/moving_pools.py', '127.0.0.1,127.0.0.1', join(',', @ports) ],
		'<pipe', $to_pools, '>', \$said, '2>', "$home/pools.log");
};

# Read the fleet until all connections of both pools are at a server.  In no
# reading may there be more than a pool has.
my (@too_many, %seen);
sub read_until_all_at
{
	my ($server) = @_;

	return until_true("all at $server", sub {
		my %now = map { split /\|/, $_, 2 } split /\n/, $reader->query_safe(q{
			SELECT pool, string_agg(server || ' ' || connections, ', ' ORDER BY server) FILTER (WHERE connections > 0),
				sum(connections) FROM pgpool_stats_fleet.pools
			WHERE pool IN ('psycopg', 'alchemy') GROUP BY pool});
		my $total = $reader->query_safe(q{
			SELECT pool, inst, conns FROM pgpool_stats_fleet.overview
			WHERE server = '(all)' AND pool IN ('psycopg', 'alchemy')});

		push @too_many, grep { /\|(\d+)$/ && $1 > $size } map { "$_|$now{$_}" } keys %now;
		push @too_many, grep { /\|(\d+)\|(\d+)$/ && ($1 > 1 || $2 > $size) } split /\n/, $total;
		$seen{ $now{psycopg} // '|0' }++;
		return 2 == grep { $_ eq "$server $size|$size" } values %now;
	});
}
read_until_all_at($primary);
ok(1, 'all connections are at the primary');

foreach my $turn (1, 2)
{
	start_program('switchover', 'patronictl', '-c', "$home/$primary.yml", 'switchover', 'moving',
		'--leader', $primary, '--candidate', $standby, '--force');
	read_until_all_at($standby);
	$started{switchover}->finish;
	like(slurp_file("$home/switchover.log"), qr/Successfully switched over to "$standby"/, "switchover $turn");
	is(at($standby, 'SELECT pg_is_in_recovery()'), 'f', "switchover $turn: the pools are where the primary is");
	until_true('the old one is a standby', sub { at($primary, 'SELECT pg_is_in_recovery()') eq 't' });
	($primary, $standby) = ($standby, $primary);
}
until_true('both are asked', sub { $reader->query_safe('SELECT bool_and(reachable) FROM pgpool_stats_fleet.servers') eq 't' });
is($reader->query_safe(q{
		SELECT string_agg(concat_ws(' ', server, inst, conns, used), ', ' ORDER BY server)
		FROM pgpool_stats_fleet.overview WHERE pool = 'alchemy' AND conns > 0 AND server <> '(all)'}) =~ s/ \[.*\]//r,
	"$primary 1 $size $size/$size", 'whose it is');
is(join("\n", @too_many), '', 'no connection is counted twice');
note "readings: " . join '; ', map { "$_: $seen{$_}" } sort keys %seen;

close $to_pools;
$pools->finish;
like($said, qr/^psycopg [1-9]\d* \d+\nalchemy [1-9]\d* \d+\n/, 'the pools were in use');
note $said;
$reader->quit;
done_testing();
