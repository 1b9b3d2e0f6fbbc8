# A client without a library, which can be cut off in every way.
package RawClient;

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use PgpoolStats;
use Socket qw(SOL_SOCKET SO_LINGER);

our @EXPORT = qw(use_port client knock enter put answer ask leave hang_up
  reset_connection);

my $port;

sub use_port { ($port) = @_; return }

# A connection that has said nothing yet, from an address of this machine,
# under TLS if that is wanted
sub knock
{
	my (%how) = @_;
	my $socket = IO::Socket::INET->new(
		LocalAddr => $how{from} // '127.0.0.1',
		PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or die $!;

	if ($how{tls})
	{
		syswrite $socket, pack('NN', 8, 80877103);
		sysread $socket, my $agreed, 1;
		die 'no TLS' if $agreed ne 'S';
		require IO::Socket::SSL;
		IO::Socket::SSL->start_SSL($socket, SSL_verify_mode => 0)
		  or die $IO::Socket::SSL::SSL_ERROR;
	}
	return { socket => $socket };
}

# It logs in, as one of a pool.
sub enter
{
	my ($self, $pool, %how) = @_;
	my $parameters = join '',
	  map { "$_\0" } (user => $how{as} // 'app', database => $how{on} // 'postgres',
		options => labels($pool) . ($how{options} // ''));

	put($self->{socket}, pack('N', 196608) . $parameters . "\0", '');
	answer($self);
	return $self if $how{is_rejected};
	die 'not let in: ' . ($self->{said} // $!) if !$self->{pid};
	ask($self, 'BEGIN') if $how{in_xact};
	return $self;
}

sub client
{
	my ($pool, %how) = @_;

	return enter(knock(%how), $pool, %how);
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
		my $got = sysread $self->{socket}, $said, 8192, length $said;

		# the end of a session of IPC::Run's sends us a signal
		return if defined $got ? !$got : !$!{EINTR};
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

# Three ways to go: with a word, without, and by a reset
sub leave
{
	my ($client) = @_;

	put($client->{socket}, '', 'X');
	return hang_up($client);
}

sub hang_up
{
	my ($client) = @_;

	if ($client->{socket}->isa('IO::Socket::SSL'))
	{
		$client->{socket}->close(SSL_no_shutdown => 1);
	}
	else
	{
		close $client->{socket};
	}
	return;
}

sub reset_connection
{
	my ($client) = @_;

	setsockopt $client->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
	return hang_up($client);
}

1;
