# Starting and asking real poolers, for the tests of the poller.

package Poolers;

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use IPC::Run;
use PgpoolStats;

our @EXPORT = qw(set_poolers tell_password start_load start_bouncer);

my $passfile;

sub set_poolers
{
	my ($list) = @_;

	$list =~ s/'/''/g;
	sql("ALTER SYSTEM SET pgpool_stats.poolers = '$list'");
	sql('SELECT pg_reload_conf()');
	return;
}

# The password that the poller knows
sub passfile
{
	$passfile //= PostgreSQL::Test::Utils::tempdir() . '/passfile';
	return $passfile;
}

sub tell_password
{
	my ($password) = @_;

	write_file(passfile(), "*:*:*:*:$password\n");
	chmod 0600, passfile();
	return;
}

# pgbench through a pooler until it is killed; what it runs does not end either
sub start_load
{
	my ($connstr, $clients, $script) = @_;

	return pgbench($script // "SELECT pg_sleep(3600);\n", "host=127.0.0.1 $connstr",
		'-c', $clients, '-T', 3600);
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

# A PgBouncer before the server, which is polled as "bouncer", and its port; nothing
# if there is none.  The role "app" may use it.
sub start_bouncer
{
	my ($node) = @_;
	my $program = find('pgbouncer', 'PGBOUNCER') or return;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $home = $node->basedir;

	write_file("$home/users", qq{"app" ""\n"stats" ""\n});
	write_file(
		"$home/pgbouncer.ini", qq{
[databases]
* = host=127.0.0.1 port=@{[$node->port]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $home/users
stats_users = stats
pool_mode = transaction
});
	my $bouncer = Poolers->start('pgbouncer', $port, $program, "$home/pgbouncer.ini");
	set_poolers(sql('SHOW pgpool_stats.poolers') . "; name=bouncer host=127.0.0.1 port=$port dbname=pgbouncer user=stats");
	return ($bouncer, $port);
}

# Start a program that is to listen at a port, or at ADDRESS:PORT
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

	my ($port, $address) = reverse split /:/, $self->{port};

	return IO::Socket::INET->new(
		PeerAddr => $address // '127.0.0.1',
		PeerPort => $port) ? 1 : 0;
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

1;
