# How sessions end: each ending made for real, its reason and counts exact.
use strict;
use warnings;

use IO::Socket::INET;
use PgpoolStats;
use Socket qw(SOL_SOCKET SO_LINGER);

my $openssl = `openssl version 2>/dev/null` ? 1 : 0;
my $node = start_node(q{
listen_addresses = '127.0.0.1'
autovacuum = off
restart_after_crash = on
pgpool_stats.save_interval = 1h
pgpool_stats.alert_rules = 'silent: off'
});
my $port = $node->port;
sql(q{CREATE ROLE app LOGIN SUPERUSER});

# A client of its own that can be cut off in every way
sub client
{
	my ($pool, %how) = @_;
	my $parameters = join '',
	  map { "$_\0" } (user => 'app', database => $how{on} // 'postgres',
		options => labels($pool) . ($how{options} // ''));
	my $socket = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or die $!;

	if ($how{tls})
	{
		require IO::Socket::SSL;
		print $socket pack('NN', 8, 80877103);
		$socket->flush;
		sysread $socket, my $answer, 1;
		die 'no TLS' if $answer ne 'S';
		IO::Socket::SSL->start_SSL($socket, SSL_verify_mode => 0) or die $IO::Socket::SSL::SSL_ERROR;
	}
	put($socket, pack('N', 196608) . $parameters . "\0", '');
	my $self = { socket => $socket };
	$self->{pid} = 0;
	answer($self);
	die "not let in: $self->{said}" if !$self->{pid};
	ask($self, 'BEGIN') if $how{in_xact};
	return $self;
}

sub put
{
	my ($socket, $body, $type) = @_;

	syswrite $socket, $type . pack('N', length($body) + 4) . $body;
	return;
}

# Read up to ReadyForQuery, or the end.
sub answer
{
	my ($self) = @_;
	my $said = '';

	while (1)
	{
		while ($said =~ /^(.)(....)/s)
		{
			my ($type, $length) = ($1, unpack 'N', $2);
			last if length $said < 1 + $length;
			my $message = substr $said, 0, 1 + $length, '';
			$self->{pid} = unpack 'N', substr $message, 5, 4 if $type eq 'K';
			$self->{said} .= $message if $type eq 'E';
			return if $type eq 'Z';
		}
		return if !sysread $self->{socket}, $said, 8192, length $said;
	}
	return;
}

sub ask
{
	my ($self, $query) = @_;

	put($self->{socket}, "$query\0", 'Q');
	answer($self);
	return;
}

# What view disconnects says of a pool
sub ends
{
	my ($pool) = @_;

	return sql(qq{
		SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects
		WHERE pool = '$pool' ORDER BY reason, in_xact, sqlstate});
}

# So many sessions of the pool have ended.
sub wait_ended
{
	my ($pool, $n) = @_;

	wait_for(qq{SELECT disconnects = $n FROM pgpool_stats.sessions WHERE pool = '$pool'});
	return;
}

# What core counts since it was asked last
my %core;
sub core
{
	my ($database) = @_;
	my @now = split /\|/, sql(qq{
		SELECT sessions_abandoned, sessions_fatal, sessions_killed
		FROM pg_stat_database WHERE datname = '@{[$database // 'postgres']}'});

	return join '|', @now;
}

sub hang_up
{
	my ($client) = @_;

	close $client->{socket};
	return;
}

sub reset_connection
{
	my ($client) = @_;

	setsockopt $client->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
	close $client->{socket};
	return;
}

# Each way to end: how, the reason that is told, and core's word for it
my @ways = (
	[ 'closes', sub { put($_[0]->{socket}, '', 'X'); close $_[0]->{socket} }, {}, 'client_closed||%s|1', '0|0|0' ],
	[ 'eof', \&hang_up, {}, 'connection_lost|%s|%s|1', '1|0|0' ],
	[ 'rst', \&reset_connection, {}, 'connection_reset|08006|%s|1', '1|0|0' ],
	[ 'terminated', sub { sql("SELECT pg_terminate_backend($_[0]->{pid})") }, {}, 'terminated|57P01|%s|1', '0|0|1' ],
	[ 'garbage', sub { put($_[0]->{socket}, 'x', 'y'); answer($_[0]) }, {}, 'protocol_violation|08P01|%s|1', '0|1|0' ],
	[ 'bad-length', sub { syswrite $_[0]->{socket}, 'Q' . pack('N', 1); answer($_[0]) }, {}, 'protocol_violation|08P01|%s|1', '1|0|0' ],
	[ 'cut-message', sub { syswrite $_[0]->{socket}, 'Q' . pack('N', 100) . 'SELECT'; close $_[0]->{socket} }, {}, 'connection_lost|08P01|%s|1', '1|0|0' ]);

foreach my $way (@ways)
{
	my ($name, $end, $how, $expected, $core) = @$way;

	foreach my $in_xact (0, 1)
	{
		my $pool = $name . ($in_xact ? '-xact' : '');
		my $client = client($pool, in_xact => $in_xact);

		is(sql(qq{SELECT connections, connects, disconnects FROM pgpool_stats.sessions WHERE pool = '$pool'}), '1|1|0', "$pool: made");
		$end->($client);
		wait_ended($pool, 1);
		my $sqlstate = $name eq 'eof' && $in_xact ? '08006' : '';
		my $right = $expected =~ /%s.*%s/ ? sprintf $expected, $sqlstate, $in_xact ? 't' : 'f' : sprintf $expected, $in_xact ? 't' : 'f';
		is(ends($pool), $right, "$pool: reason");
		is(sql(qq{SELECT sessions_abandoned, sessions_fatal, sessions_killed, connections FROM pgpool_stats.sessions WHERE pool = '$pool'}), "$core|0", "$pool: in core's words");
		is(sql(qq{SELECT last_pid FROM pgpool_stats.disconnects WHERE pool = '$pool'}), $client->{pid}, "$pool: pid");
		close $client->{socket};
	}
}
done_testing();
