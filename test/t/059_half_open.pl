# A network that is cut: the server finds out by keepalives.  In a network
# namespace of our own, which needs no root where the system allows it.
use strict;
use warnings;
use Test::More;
use IO::Select;
use IO::Socket::INET;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT);

sub loopback { return system "ip link set lo $_[0] >/dev/null 2>&1" }

# Do keepalives end a connection whose network is gone?  Not every system that
# has namespaces does that.
sub is_cut
{
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or return 0;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $listener->sockport)
	  or return 0;
	my $peer = $listener->accept;

	$socket->setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
	$socket->setsockopt(IPPROTO_TCP, $_, 1) foreach TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT;
	loopback('down') == 0 or return 0;
	my $ended = IO::Select->new($socket)->can_read(30);
	loopback('up');
	return $ended;
}

# first of all: begin anew in there
BEGIN
{
	my @unshare = qw(unshare --user --map-current-user --keep-caps --net);

	if (!$ENV{PGPS_OWN_NETWORK})
	{
		plan skip_all => 'no network namespace for an ordinary user'
		  if system("@unshare ip link set lo up >/dev/null 2>&1") != 0;
		$ENV{PGPS_OWN_NETWORK} = 1;
		exec @unshare, $^X, (map { "-I$_" } @INC), $0;
	}
	loopback('up');
	plan skip_all => 'keepalives do not end a connection here' if !is_cut();
}

use PgpoolStats;
use RawClient;

# What was not acknowledged when the network was cut is sent again, and nobody
# is probed meanwhile: that has a limit of its own.
my $node = start_node(q{
tcp_user_timeout = 3s
listen_addresses = '127.0.0.1'
autovacuum = off
tcp_keepalives_idle = 1
tcp_keepalives_interval = 1
tcp_keepalives_count = 1
});
use_port($node->port);
sql('CREATE ROLE app LOGIN SUPERUSER');

my @clients = (client('cut'), client('cut', in_xact => 1));
is(sql(q{SELECT connections FROM pgpool_stats.sessions WHERE pool = 'cut'}), '2', 'connected');
loopback('down');
wait_for(q{SELECT disconnects = 2 FROM pgpool_stats.sessions WHERE pool = 'cut'});
is(sql(q{SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects WHERE pool = 'cut' ORDER BY in_xact}),
	"connection_lost|08006|f|1\nconnection_lost|08006|t|1", 'lost, not reset');
is(sql(q{SELECT sessions_abandoned FROM pgpool_stats.sessions WHERE pool = 'cut'}), '2', 'in core\'s words abandoned');

loopback('up');
$node->stop;
done_testing();
