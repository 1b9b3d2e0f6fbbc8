# pool_limits is exact: 40 clients at once against a limit of 5, with wrong
# passwords and clients that are ended while they authenticate; after each kind
# of end, kill -9 and restarts too, 5 are admitted again.
#
# The environment variable POOL_LIMIT_ROUNDS makes it a longer run.
use strict;
use warnings;
use IO::Socket::UNIX;
use PgpoolStats;

my $rounds = $ENV{POOL_LIMIT_ROUNDS} || 4;
my $limit = 5;
my $node = start_node(qq{
max_connections = 80
autovacuum = off
restart_after_crash = on
pgpool_stats.pool_limits = 'storm/*: $limit'
});
my $path = $node->host . '/.s.PGSQL.' . $node->port;

sql(q{CREATE ROLE app LOGIN PASSWORD 'right'});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all app password\nlocal all all trust\n");
$node->reload;
wait_for(q{SELECT count(*) = 2 FROM pg_hba_file_rules});

# A client says all that it has to say; without a password it waits for ever.
sub knock
{
	my ($password) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!";
	my $packet = join '', map { "$_\0" } (user => 'app', database => 'postgres', options => labels('storm'));

	$packet = pack('NN', length($packet) + 9, 196608) . "$packet\0";
	$packet .= 'p' . pack('N', length($password) + 5) . "$password\0" if defined $password;
	syswrite $socket, $packet;
	return { socket => $socket, said => '' };
}

# Read what it hears until it is in, with its pid, or out
sub is_in
{
	my ($client) = @_;
	my $heard = '';

	while (sysread $client->{socket}, $heard, 8192, length $heard)
	{
		my $rest = $heard;

		while ($rest =~ /^(.)(....)/s && length $rest > unpack 'N', $2)
		{
			my $message = substr $rest, 0, 1 + unpack('N', $2), '';
			$client->{pid} = unpack 'N', substr $message, 5, 4 if $1 eq 'K';
			$client->{said} .= $message if $1 eq 'E';
			return 1 if substr($message, 0, 1) eq 'Z';
		}
	}
	return 0;
}

# Processes that authenticate
sub authenticating
{
	my $postmaster = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/ ? $1 : die;

	return map { /^\s*(\d+)/ ? $1 : () }
	  grep { /app .*authentication/ } `ps -o pid=,args= --ppid $postmaster`;
}

# Until there is nobody left of those who came
sub wait_gone
{
	wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'app'});
	wait_for(q{SELECT coalesce(sum(connections), 0) = 0 FROM pgpool_stats.limits});
	return;
}

# Clients come at once, beside some who say no password and are ended; returns
# those that are in.
sub storm
{
	my ($expected, $name) = @_;
	my @waiting = map { knock() } 1 .. 3;
	my @pids;

	for (1 .. 1000)
	{
		last if (@pids = authenticating()) == @waiting;
		select undef, undef, undef, 0.01;
	}
	is(scalar @pids, scalar @waiting, "$name: some authenticate");
	my @clients = map { $_ % 5 == 0 ? knock('wrong') : knock('right') } 1 .. 50;
	sql(join ';', map { "SELECT pg_terminate_backend($_)" } @pids);
	my @in = grep { is_in($_) } @clients;
	my @out = grep { !$_->{pid} } @clients;
	my $wrong = grep { $_->{said} =~ /password authentication failed/ } @out;
	my $refused = grep { $_->{said} =~ /C53300\0Mtoo many connections for pool "storm"\0/ } @out;

	is(scalar @in . " $refused $wrong", join(' ', $expected, 40 - $expected, 10), "$name: so many are admitted, the others refused");
	return @in;
}

sub hang_up
{
	close $_->{socket} foreach @_;
	return;
}

my @in;
foreach my $round (1 .. $rounds)
{
	my $kind = $round % 4;

	@in = storm($limit, "round $round");
	is(sql(q{SELECT connections FROM pgpool_stats.limits WHERE pool = 'storm'}), $limit, 'as the view counts');

	if ($kind == 1)
	{
		# some are ended while others come: nobody gets in too many
		sql("SELECT pg_terminate_backend($_->{pid})") foreach @in[ 0, 1 ];
		my @more = grep { is_in($_) } map { knock('right') } 1 .. 20;
		cmp_ok(scalar @more, '<=', 2, 'no more than there is room for');
		hang_up(@more);
	}
	elsif ($kind == 2)
	{
		kill_hard($in[ rand @in ]{pid});
	}
	elsif ($kind == 3)
	{
		$node->stop($round % 8 == 3 ? 'fast' : 'immediate');
		$node->start;
	}
	is(sql(q{SELECT coalesce(max(peak_connections), 0) <= 5 FROM pgpool_stats.pools WHERE pool = 'storm'}), 't', 'never one too many');
	hang_up(@in);
	wait_gone();
}

# a reload while they come: nobody is lost, and the next one may
@in = storm($limit, 'before a reload');
$node->append_conf('postgresql.conf', "pgpool_stats.pool_limits = 'storm: 7'");
my @during = map { $node->reload if $_ == 10; knock('right') } 1 .. 20;
my @more = grep { is_in($_) } @during;
cmp_ok(scalar @more, '<=', 2, 'during a reload: as many as the old or the new value allows');
wait_for('SHOW pgpool_stats.pool_limits', 'storm: 7');
push @more, grep { is_in($_) } map { knock('right') } 1 .. 5;
is(scalar @more, 2, 'the new value is in force for those that come then');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'}), 7, 'no connection was lost');
hang_up(@in, @more);
wait_gone();

# turned on by a reload: those who are there count
set_to('pool_limits', '');
my @there = grep { is_in($_) } map { knock('right') } 1 .. 4;
is(scalar @there, 4, 'without a limit');
set_to('pool_limits', 'storm: 5');
@in = grep { is_in($_) } map { knock('right') } 1 .. 10;
is(scalar @in, 1, 'those who were there before the limit count');
hang_up(@there, @in);
wait_gone();
is(sql(q{SELECT count(*) FROM pgpool_stats.connections WHERE usename = 'app'}), '0', 'nothing is left behind');

$node->stop;
done_testing();
