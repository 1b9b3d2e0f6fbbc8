# A client without a library, which can be cut off in every way.
package RawClient;

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use PgpoolStats;
use Socket qw(SOL_SOCKET SO_LINGER);

our @EXPORT = qw(use_port client knock enter put answer ask hang_up
  reset_connection);

my $port;

sub use_port { ($port) = @_; return }

# A connection that has said nothing yet
sub knock
{
	my $socket = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or die $!;

	return { socket => $socket };
}

# It logs in, as one of a pool.
sub enter
{
	my ($self, $pool, %how) = @_;
	my $parameters = join '',
	  map { "$_\0" } (user => 'app', database => $how{on} // 'postgres',
		options => labels($pool) . ($how{options} // ''));

	put($self->{socket}, pack('N', 196608) . $parameters . "\0", '');
	answer($self);
	die "not let in: $self->{said}" if !$self->{pid};
	ask($self, 'BEGIN') if $how{in_xact};
	return $self;
}

sub client { return enter(knock(), @_) }

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

1;
