# Logins that fail, one after the other: what other pools say does not change,
# nothing is miscounted, and how it began is kept.
use strict;
use warnings;

use IO::Socket::UNIX;
use POSIX ();
use RawClient;
use Time::HiRes qw(time usleep);
use PgpoolStats;

# so many a second at most, for so long at least; without a rate as fast as it goes
my $rate = $ENV{FLOOD_RATE} // 0;
my $count = $ENV{FLOOD_LOGINS} // 1_000;
my $processes = 4;

my $node = start_node(q{
max_connections = 40
listen_addresses = '127.0.0.1'
autovacuum = off
});
use_port($node->port);
my $socket = $node->host . '/.s.PGSQL.' . $node->port;
sql(q{
CREATE ROLE app LOGIN SUPERUSER;
CREATE ROLE desk_app LOGIN;
});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nhost all app 127.0.0.1/32 trust\n");
$node->reload;

# A pool that has connections, and one that has been rejected before
my @held = map { client('shop') } 1 .. 3;
leave(client('desk', as => 'app'));
client('desk', options => ' -c work_mem=lots', is_rejected => 1) foreach 1 .. 2;
next_pass();

my @figures = (
	q{SELECT pool, usename, connections, connects, disconnects, rejected_limits, rejected_logins, rejected_unavailable FROM pgpool_stats.sessions WHERE pool IN ('shop', 'desk') ORDER BY 1, 2},
	q{SELECT pool, status, rejected, xacts FROM pgpool_stats.pools WHERE pool IN ('shop', 'desk') ORDER BY 1},
	q{SELECT pool, instance, status, rejected FROM pgpool_stats.instances WHERE pool IN ('shop', 'desk') ORDER BY 1, 2},
	q{SELECT scope, name, used, rejected, status FROM pgpool_stats.budget WHERE name IN ('app', 'desk_app') ORDER BY 1, 2},
	q{SELECT pool, reason, count FROM pgpool_stats.disconnects WHERE pool IN ('shop', 'desk') ORDER BY 1, 2},
	q{SELECT rule, severity, pool FROM pgpool_stats.alerts WHERE pool = 'shop' OR severity = 'critical'},
	q{SELECT reason, pool, count FROM pgpool_stats.rejections WHERE pool = 'desk' AND reason = 'bad_option'});

sub figures_of_others
{
	next_pass();
	return join "\n--\n", map { sql($_) } @figures;
}

# One login: its names are its own, or it claims to be of the pool "shop", in a
# database that there is not
sub knock_at_door
{
	my ($n) = @_;
	my %key = $n % 2 ?
	  (user => "u$n", database => 'postgres', 'pgpool_stats.pool' => "p$n", application_name => "a$n") :
	  (user => 'desk_app', database => "d$n", 'pgpool_stats.pool' => 'shop', 'pgpool_stats.instance' => "i$n");
	my $keys = join '', map { "$_\0$key{$_}\0" } sort keys %key;
	my $client = IO::Socket::UNIX->new(Peer => $socket) or die "connect: $!";

	print $client pack('NN', length($keys) + 9, 196608) . "$keys\0";
	$client->flush;
	1 while sysread $client, my $rest, 8192;
	return;
}

my $before = figures_of_others();
my $counted = q{SELECT sum(count) FROM pgpool_stats.get_rejected_by_reason() WHERE reason IN ('no_role', 'no_database')};
is(sql($counted), '0', 'at first');
my $started = sql('SELECT clock_timestamp()');
my $began = time;
my @pids;
foreach my $process (1 .. $processes)
{
	my $pid = fork;

	if ($pid == 0)
	{
		foreach my $n (1 .. $count / $processes)
		{
			my $early = $rate ? $began + $n * $processes / $rate - time : 0;
			usleep(1_000_000 * $early) if $early > 0;
			knock_at_door($n * $processes + $process);
		}
		POSIX::_exit(0);
	}
	push @pids, $pid;
}
waitpid $_, 0 foreach @pids;
my $took = time - $began;
diag(sprintf '%d rejected logins took %.0f s', $count, $took);
cmp_ok($took, '>=', $count / $rate - 1, 'it lasted so long') if $rate;

is(sql($counted), $count, 'each is counted, and once');
is(figures_of_others(), $before, 'what other pools say is the same');
is(sql(qq{
		SELECT count(*) FILTER (WHERE reason = 'no_role') > 2, count(*) FILTER (WHERE reason = 'no_database') > 2
		FROM pgpool_stats.rejections
		WHERE pool <> '(other)' AND first_rejected BETWEEN '$started' AND '$started'::timestamptz + interval '1 min'}),
	't|t', 'the first ones have their names');
cmp_ok(sql(q{SELECT sum(count) FROM pgpool_stats.rejections WHERE reason IN ('no_role', 'no_database')}), '>=', 0.98 * $count,
	'nearly all are in a row that is still there');

# Who is in goes on, and who comes gets in.
ask($_, 'SELECT 1') foreach @held;
push @held, client('shop');
is(sql(q{SELECT connections FROM pgpool_stats.pools WHERE pool = 'shop'}), '4', 'a login that is right');
leave($_) foreach @held;

$node->stop;
done_testing();
