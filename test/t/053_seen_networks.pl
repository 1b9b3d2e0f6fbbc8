# A rejected login counts for its pool if one got in from the same network: of
# IPv6 that is a /64.  In a network namespace of our own, for its addresses.
use strict;
use warnings;
use Test::More;

my @address;

# first of all: begin anew in there
BEGIN
{
	my @unshare = qw(unshare --user --map-current-user --keep-caps --net);

	@address = qw(2001:db8:0:1::1 2001:db8:0:1:ffff::2 2001:db8:0:2::1);
	if (!$ENV{PGPS_OWN_NETWORK})
	{
		plan skip_all => 'no network namespace for an ordinary user'
		  if system("@unshare ip link set lo up >/dev/null 2>&1") != 0;
		$ENV{PGPS_OWN_NETWORK} = 1;
		exec @unshare, $^X, (map { "-I$_" } @INC), $0;
	}
	plan skip_all => 'no IPv6'
	  if system('ip link set lo up >/dev/null 2>&1') != 0
	  || grep { system("ip -6 address add $_/128 dev lo nodad >/dev/null 2>&1") != 0 } @address;
}

use PgpoolStats;

my $node = start_node(q{
listen_addresses = '*'
autovacuum = off
});
$node->append_conf('pg_hba.conf', 'host all all ::/0 trust');
$node->reload;
sql('CREATE ROLE app LOGIN');

# Who connects to an address of this host comes from it.
sub connects
{
	my ($from, $more) = @_;
	my $host = "hostaddr=$from port=@{[$node->port]} dbname=postgres user=app";

	return IPC::Run::run(
		[ 'psql', '-XAtqc', 'SELECT 1', "$host options='" . labels('orders') . ($more // '') . "'" ],
		'<', \undef, '>', \my $out, '2>', \my $err);
}

sub counts
{
	my ($from) = @_;
	my $rejected = q{SELECT rejected_logins FROM pgpool_stats.sessions WHERE pool = 'orders'};
	my $before = sql($rejected);

	ok(!connects($from, ' -c work_mem=lots'), "$from is rejected");
	return sql($rejected) - $before;
}

ok(connects($address[0]), 'an address logs in');
is(sql(q{SELECT client_addr FROM pgpool_stats.instances WHERE pool = 'orders'}), $address[0], 'it is that one');
is(counts($address[0]), 1, 'it counts');
is(counts($address[1]), 1, 'so does one of its /64');
is(counts($address[2]), 0, 'another /64 does not');
ok(connects($address[2]), 'until it logs in');
is(counts($address[2]), 1, 'then it counts');

$node->stop;
done_testing();
