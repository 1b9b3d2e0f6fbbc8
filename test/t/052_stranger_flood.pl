# Whoever reaches the port makes up names without end: what is counted for real
# ones stays exact.
use strict;
use warnings;

use IO::Socket::UNIX;
use POSIX ();
use PgpoolStats;

# sessions are held as long as the storm lasts, however slow the machine is
$PostgreSQL::Test::Utils::timeout_default = 7200;
my $count = $ENV{TEST_ALL} ? 100_000 : 5_000;
my $node = start_node(q{
max_connections = 12
superuser_reserved_connections = 2
max_wal_senders = 0
autovacuum = off
pgpool_stats.alert_rules = 'refused: for 1h'
});
my $socket = $node->host . '/.s.PGSQL.' . $node->port;

sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE other_app LOGIN;
CREATE ROLE holder LOGIN;
CREATE ROLE flood LOGIN CONNECTION LIMIT 1;
CREATE DATABASE "größe";
});

# Connect with these keys of the start-up packet, until we are let go.
sub knock
{
	my (%key) = @_;
	my $keys = join '', map { "$_\0$key{$_}\0" } sort keys %key;
	my $socket = IO::Socket::UNIX->new(Peer => $socket) or die "connect: $!";

	print $socket pack('NN', length($keys) + 9, 196608) . "$keys\0";
	$socket->flush;
	1 while sysread $socket, my $rest, 8192;
	return;
}

sub app_knocks
{
	my ($instance) = @_;

	knock(user => 'app', database => 'größe', 'pgpool_stats.pool' => 'shop',
		'pgpool_stats.instance' => $instance);
	return;
}

# So many connections, by four processes, of what a function makes of a number
sub storm
{
	my ($n, $names) = @_;
	my @pids;

	foreach my $part (0 .. 3)
	{
		my $pid = fork;

		if ($pid == 0)
		{
			knock($names->($_ * 4 + $part)) foreach 0 .. $n / 4 - 1;
			POSIX::_exit(0);
		}
		push @pids, $pid;
	}
	waitpid $_, 0 foreach @pids;
	return;
}

# What the applications see of themselves
my @victim = (
	q{SELECT reason, pool, instance, datname, usename, application_name, client_addr, sum(count)
		FROM pgpool_stats.rejections WHERE pool IN ('shop', 'desk')
		GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7},
	q{SELECT pool, rejected FROM pgpool_stats.pools WHERE pool IN ('shop', 'desk') ORDER BY 1},
	q{SELECT pool, instance, rejected FROM pgpool_stats.instances WHERE pool IN ('shop', 'desk') ORDER BY 1, 2},
	q{SELECT scope, name, rejected FROM pgpool_stats.budget WHERE name IN ('app', 'größe') ORDER BY 1, 2},
	q{SELECT rule, severity, usename, datname, pool, message FROM pgpool_stats.alerts
		WHERE usename = 'app' OR datname = 'größe' OR pool IN ('shop', 'desk') ORDER BY 1, 2, 3, 4},
	q{SELECT status FROM pgpool_stats.check_status('shop')},
);

sub victim
{
	next_pass();
	return join "\n--\n", map { sql($_) } @victim;
}

# Hold all slots, and let go of them
my @held;

sub fill
{
	@held = ((map { background(as => 'holder') } 1 .. 10), map { background() } 1 .. 2);
	return;
}

sub empty
{
	$_->quit foreach @held;
	wait_for(q{SELECT used = 1 FROM pgpool_stats.budget WHERE scope = 'server'});
	return;
}

sub totals
{
	return sql(q{SELECT rejected FROM pgpool_stats.budget WHERE scope = 'server'});
}

# two pools that are known, and with them their roles and databases
foreach my $who ([ 'app', 'shop', 'web-1' ], [ 'app', 'shop', 'web-2' ], [ 'app', 'shop', 'web-3' ], [ 'other_app', 'desk', 'd' ])
{
	my ($role, $pool, $instance) = @$who;

	sql('SELECT 1', connstr => $node->connstr('größe')
		  . " options='-c pgpool_stats.pool=$pool -c pgpool_stats.instance=$instance'",
		as => $role);
}
sql('SELECT 1', as => 'flood');

# each kind of limit meets them
sql(q{ALTER ROLE app CONNECTION LIMIT 0});
app_knocks('web-1') foreach 1 .. 3;
app_knocks('new');
sql(q{ALTER ROLE app CONNECTION LIMIT -1; ALTER DATABASE "größe" CONNECTION LIMIT 0});
app_knocks('web-2') foreach 1 .. 2;
sql(q{ALTER DATABASE "größe" CONNECTION LIMIT -1});
fill();
app_knocks('web-3');
empty();
my $before = victim();
like($before, qr/^database\|shop\|web-2\|größe\|app\|\|\|2\nrole\|shop\|new.*\nrole\|shop\|web-1\|größe\|app\|\|\|3\nserver\|shop\|web-3\|größe\|app\|\|\|1$/m,
	'rejections of a pool');
like($before, qr/^shop\|7$/m, 'counted for the pool');
like($before, qr/^role\|app\|4$/m, 'and its role');
like($before, qr/^database\|größe\|2$/m, 'and its database');
like($before, qr/^refused\|/m, 'there is an alert');
is(sql(q{SELECT notes FROM pgpool_stats.info}), '', 'nothing is left out');

# strangers who make up everything, while all slots are taken
my $total = totals();
fill();
my $began = time;
storm(
	$count,
	sub {
		my ($n) = @_;

		return (user => "u$n", database => "d$n", application_name => "a$n",
			'pgpool_stats.pool' => "p$n", 'pgpool_stats.instance' => "i$n");
	});
diag(sprintf '%d rejections took %d s', $count, time - $began);
app_knocks('web-3') foreach 1 .. 2;
empty();
my $after = victim();
is($after =~ s/(web-3.*\|)3$/${1}1/mgr =~ s/^shop\|9$/shop|7/mr, $before,
	'two more rejections of the pool are the only difference');
is(totals(), $total + $count + 2, 'those of the server are exact');
is(sql(q{SELECT count FROM pgpool_stats.get_rejected_by_reason() WHERE reason = 'server'}),
	$total + $count + 2, 'and by reason');
like(sql('SELECT notes FROM pgpool_stats.info'), qr/^rejections .* under \(other\): raise pgpool_stats.max_rejections$/, 'info says what is left out');
cmp_ok(sql(q{SELECT sum(count) FROM pgpool_stats.rejections WHERE usename <> 'app'}),
	'>', 0.98 * $count, 'nearly all are in a row that is still there');
is(sql(q{SELECT DISTINCT pool, instance, datname, usename, application_name FROM pgpool_stats.rejections WHERE usename = '(other)'}),
	'(other)|(other)|(other)|(other)|(other)', 'most in (other)');
is(sql(q{SELECT count(*) > 100 FROM pgpool_stats.rejections WHERE usename ~ '^u[0-9]'
		AND first_rejected < (SELECT min(first_rejected) FROM pgpool_stats.rejections WHERE usename ~ '^u') + interval '1 min'}),
	't', 'the beginning has its names');

# an ordinary role that makes up pools
$before = victim();
sql(q{ALTER ROLE flood CONNECTION LIMIT 0});
storm(
	1000,
	sub {
		my ($n) = @_;

		return (user => 'flood', database => 'postgres', 'pgpool_stats.pool' => "p$n",
			'pgpool_stats.instance' => "i$n");
	});
is(victim(), $before, 'a role that makes up pools: all is the same');
sql(q{ALTER ROLE flood CONNECTION LIMIT -1});
is(sql(q{SELECT sum(count) FROM pgpool_stats.rejections}, as => 'flood'), 1000, 'it sees its rejections');
is(sql(q{SELECT DISTINCT reason, pool, datname, usename FROM pgpool_stats.rejections WHERE instance = '(other)'}, as => 'flood'),
	'role|(other)|postgres|flood', 'most under (other)');
is(sql(q{SELECT rejected FROM pgpool_stats.budget WHERE name = 'flood'}), 1000, 'its counter is exact');

# instances of a known pool that are made up
fill();
storm(
	1000,
	sub {
		my ($n) = @_;

		return (user => 'other_app', database => 'größe', 'pgpool_stats.pool' => 'desk',
			'pgpool_stats.instance' => "i$n");
	});
empty();
is(sql(q{SELECT rejected FROM pgpool_stats.pools WHERE pool = 'desk'}), 1000, 'made up instances of a pool: its counter is exact');
is(victim() =~ s/^.*desk\|(?:i\d+|\(other\))\|.*\n//mgr =~ s/^desk\|1000/desk|0/mr, $before,
	'those of other pools are the same');
is(sql(q{SELECT DISTINCT usename, datname, pool FROM pgpool_stats.rejections WHERE instance = '(other)' AND pool = 'desk'}),
	'other_app|größe|desk', 'most under (other) of that pool');

# over a restart
$before = victim();
$total = totals();
my $rows = sql(q{SELECT * FROM pgpool_stats.rejections ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
$node->restart;
is(victim() =~ s/^CRITICAL$//mgr, $before =~ s/^CRITICAL$//mgr, 'the same after a restart');
is(totals(), $total, 'also the total');
is(sql(q{SELECT * FROM pgpool_stats.rejections ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), $rows, 'and all rows');
fill();
storm(1000, sub { return (user => "x$_[0]", database => "y$_[0]") });
app_knocks('web-3');
empty();
is(totals(), $total + 1001, 'counting goes on');
is(sql(q{SELECT rejected FROM pgpool_stats.instances WHERE instance = 'web-3'}), 4, 'also for who connected before it');

# who joins takes along what was counted for him
sql(q{CREATE ROLE late LOGIN CONNECTION LIMIT 0});
knock(user => 'late', database => 'postgres', 'pgpool_stats.pool' => 'new') foreach 1 .. 5;
is(sql(q{SELECT rejected FROM pgpool_stats.budget WHERE name = 'late'}), 5, 'a role that never connected counts as a stranger');
sql(q{ALTER ROLE late CONNECTION LIMIT -1});
sql('SELECT 1', as => 'late', connstr => $node->connstr('postgres') . " options='-c pgpool_stats.pool=new'");
is(sql(q{SELECT rejected FROM pgpool_stats.pools WHERE pool = 'new'}), 5, 'its pool has what was counted before');

# a renamed role keeps its counts when it connects
sql(q{ALTER ROLE late RENAME TO later});
sql('SELECT 1', as => 'later', connstr => $node->connstr('postgres') . " options='-c pgpool_stats.pool=new'");
is(sql(q{SELECT p.rejected, b.rejected FROM pgpool_stats.pools p, pgpool_stats.budget b WHERE p.pool = 'new' AND b.name = 'later'}),
	'5|5', 'a new name has the counts of the old one');

# deploys without end: the index has room
sql(join("\n", map { "SELECT pgpool_stats.report('shop', '{\"open\": 1}', 'pod-$_'); SELECT pgpool_stats.forget('shop', 'pod-$_');" } 1 .. 3000),
	as => 'app');
fill();
app_knocks('web-3');
empty();
is(sql(q{SELECT rejected FROM pgpool_stats.instances WHERE instance = 'web-3'}), 5, 'after many instances came and went');

# start again
sql('SELECT pgpool_stats.reset()');
is(sql(q{SELECT sum(rejected) FROM pgpool_stats.pools}), '0', 'reset');
is(sql(q{SELECT count(*) FROM pgpool_stats.rejections}), '0', 'of rows, too');
is(sql('SELECT notes FROM pgpool_stats.info'), '', 'nothing is left out');

$node->stop;
done_testing();
