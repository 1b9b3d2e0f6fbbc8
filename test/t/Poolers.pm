# Starting and asking real poolers, for the tests of the poller.

package Poolers;

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(sql until_sql set_poolers tell_password);

# the server that polls them
my $node;

sub polled_by
{
	($node) = @_;
	return;
}

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

sub until_sql
{
	my ($sql, $expected, $name) = @_;

	ok($node->poll_query_until('postgres', $sql, $expected), $name)
	  or diag sql('TABLE pgpool_stats.poolers') . "\n" . sql($sql);
	return;
}

sub set_poolers
{
	my ($list) = @_;

	$list =~ s/'/''/g;
	sql("ALTER SYSTEM SET pgpool_stats.poolers = '$list'");
	$node->reload;
	return;
}

# The password that the poller knows, by a file of the server's test
sub passfile
{
	return $node->basedir . '/passfile';
}

sub tell_password
{
	my ($password) = @_;

	write_file(passfile(), "*:*:*:*:$password\n");
	chmod 0600, passfile();
	return;
}

# A program of that name, or the one that the environment names
sub find
{
	my ($name, $variable) = @_;

	return $ENV{$variable} if $ENV{$variable};
	my ($found) = grep { -x } map { "$_/$name" }
	  (split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin');
	return $found;
}

# Start a program that is to listen at a port
sub start
{
	my ($class, $name, $port, @command) = @_;
	my $self = bless {
		name => $name,
		port => $port,
		command => \@command,
		output => ''
	}, $class;

	$self->run;
	return $self;
}

sub run
{
	my ($self) = @_;
	my $out = \$self->{output};

	$self->{in} = '';
	$self->{process} =
	  IPC::Run::start($self->{command}, \$self->{in}, $out, $out);
	foreach my $try (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if $self->listens;
		$self->{process}->pump_nb;
		last if !$self->{process}->pumpable;
		select(undef, undef, undef, 0.01);
	}
	BAIL_OUT("$self->{name} does not listen: $self->{output}");
	return;
}

sub listens
{
	my ($self) = @_;

	return IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $self->{port}) ? 1 : 0;
}

sub signal
{
	my ($self, $signal) = @_;

	$self->{process}->signal($signal);
	return;
}

# The same to all of its processes; killed, it leaves its shared memory behind
sub signal_all
{
	my ($self, $signal) = @_;
	my $pid = $self->{process}->{KIDS}->[0]->{PID};
	my @children = split ' ', `ps -o pid= --ppid $pid`;

	kill $signal, $pid, @children;
	return if $signal ne 'KILL';
	eval { $self->{process}->finish };
	system('ipcrm', '-m', $_)
	  foreach `ipcs -m -p` =~ /^(\d+)\s+\S+\s+$pid\s/mg;
	return;
}

sub stop
{
	my ($self, $signal) = @_;

	$self->signal('CONT');
	$self->signal($signal || 'INT');
	eval { $self->{process}->finish };
	return;
}

# Write a file of ours
sub write_file
{
	my ($path, $text) = @_;

	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f;
	return;
}

1;
