# Rejected connections: which limit, whose, how often; whatever a client sends.
use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use PgpoolStats;

my $node = start_node(q{
max_connections = 12
superuser_reserved_connections = 2
max_wal_senders = 0
autovacuum = off
listen_addresses = '127.0.0.1'
pgpool_stats.save_interval = 1h
pgpool_stats.max_rejections = 256
});
my $port = $node->port;
sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE shut LOGIN CONNECTION LIMIT 0;
CREATE ROLE labelled LOGIN CONNECTION LIMIT 0;
ALTER ROLE labelled SET pgpool_stats.pool = 'by-role';
CREATE ROLE su LOGIN SUPERUSER;
CREATE DATABASE closed CONNECTION LIMIT 0;
});

# What a client hears that does not get in
sub rejected
{
	my ($connstr) = @_;

	return (psql('SELECT 1', connstr => undef,
			extra_params => [ '-d', $connstr ]))[2];
}

sub rejection
{
	my ($where, $columns) = @_;

	$columns ||= 'reason, usable, pool, instance, datname, usename, application_name, client_addr, count';
	return sql("SELECT $columns FROM pgpool_stats.rejections WHERE $where");
}

my $base = 'host=' . $node->host . " port=$port";

# a role's limit, and every way a label can come
my %label = (
	'-c a=b' => "options='-c pgpool_stats.pool=p1 -c pgpool_stats.instance=h:1'",
	'-ca=b' => "options='-cpgpool_stats.pool=p2 -cpgpool_stats.instance=h:2'",
	'--a=b' => "options='--pgpool_stats.pool=p3 --pgpool-stats.instance=h:3'",
	'with a blank' => "options='-c pgpool_stats.pool=my\\\\ p4'",
	'the last wins' => "options='-c pgpool_stats.pool=p0 -c pgpool_stats.pool=p5'",
	'too long' => "options='-c pgpool_stats.pool=" . 'p' x 700 . "'");
my %pool = (
	'-c a=b' => 'p1|h:1',
	'-ca=b' => 'p2|h:2',
	'--a=b' => 'p3|h:3',
	'with a blank' => 'my p4|[local]',
	'the last wins' => 'p5|[local]', 'too long' => 'p' x 63 . '|[local]');
foreach my $form (sort keys %label)
{
	my ($name) = split /\|/, $pool{$form};

	like(
		rejected("$base dbname=postgres user=shut application_name=t $label{$form}"),
		qr/too many connections for role "shut"/,
		"label as $form: rejected");
	is(rejection("pool = '$name'", 'pool, instance'), $pool{$form}, "label as $form");
}
is(rejection(q{pool = 'p1'}),
	'role|0|p1|h:1|postgres|shut|t||1',
	'a rejection by a role limit, with all it says');

# no label: application_name, as discovery would; ALTER ROLE's is looked up later
rejected("$base dbname=postgres user=shut application_name='worker 17'");
is(rejection(q{application_name = 'worker 17'}, 'pool'), 'worker #', 'unlabelled: application_name');
rejected("$base dbname=postgres user=labelled application_name=x") for 1 .. 3;
is(rejection(q{usename = 'labelled' GROUP BY pool}, 'pool, sum(count)'), 'by-role|3', 'label of ALTER ROLE');
is(sql(q{SELECT rejected, last_rejected IS NOT NULL, status FROM pgpool_stats.budget WHERE name = 'labelled'}),
	'3|t|critical', 'counted for the role, which is critical');

# a database's limit
like(rejected("$base dbname=closed user=app"), qr/too many connections for database "closed"/, 'database limit');
is(rejection(q{datname = 'closed'}, 'reason, usable, usename, count'), 'database|0|app|1', 'a rejection by a database limit');
is(sql(q{SELECT rejected FROM pgpool_stats.budget WHERE name = 'closed'}), '1', 'counted for the database');

# rejections make no pools, but count for those that are there
is(sql(q{SELECT count(*) FROM pgpool_stats.pools WHERE pool LIKE 'p_'}), '0', 'a rejection makes no pool');
sql(q{ALTER ROLE shut CONNECTION LIMIT 1});
sql('SELECT 1',
	extra_params => [ '-d', "$base dbname=postgres user=shut options='-c pgpool_stats.pool=p1 -c pgpool_stats.instance=h:1'" ]);
sql(q{ALTER ROLE shut CONNECTION LIMIT 0});
is(sql(q{SELECT rejected FROM pgpool_stats.pools WHERE pool = 'p1'}), '1', 'counted for its pool');
is(sql(q{SELECT rejected FROM pgpool_stats.instances WHERE pool = 'p1'}), '1', 'and instance');

# a client that only reports raises nothing: the pool may have all there is
sql(q{CREATE ROLE narrow LOGIN CONNECTION LIMIT 1});
my $lent = background(as => 'narrow');
my $reporter = "$base dbname=postgres user=narrow options='-c pgpool_stats.pool=reports' application_name=";
like(rejected("${reporter}'watch orders'"), qr/too many connections for role/, 'a reporter is rejected') foreach 1 .. 3;
is(rejection(q{usename = 'narrow'}, 'reason, pool, application_name, count'), 'role|reports|watch orders|3', 'and stands in rejections');
my $narrow = q{SELECT rejected, last_rejected IS NULL, status FROM pgpool_stats.budget WHERE name = 'narrow'};
is(sql($narrow), '0|t|full', 'its role is full, and not critical');
next_pass();
my $alerts = q{SELECT count(*) FROM pgpool_stats.alerts WHERE rule = 'refused' AND usename = 'narrow'};
is(sql($alerts), '0', 'no alert');
rejected("${reporter}'watch'");
is(sql($narrow), '1|f|critical', 'who calls itself otherwise is no reporter');
becomes($alerts, '1', 'and an alert');
$lent->quit;

# the superusers' reserve, and all slots
my @held = map { background(as => 'app') } 1 .. 10;
like(rejected("$base dbname=postgres user=app"), qr/remaining connection slots are reserved/, 'reserved slots');
push @held, map { background() } 1 .. 2;
like(rejected("$base dbname=postgres user=app options='-c pgpool_stats.pool=late'"), qr/too many clients already/, 'no slot at all');
like(rejected("$base dbname=postgres user=su application_name=psql"), qr/too many clients already/, 'nor for a superuser');
$_->quit foreach @held;
wait_for(q{SELECT used = 1 FROM pgpool_stats.budget WHERE scope = 'server'});
is(rejection(q{reason = 'superuser_reserved'}, 'usable, usename, count'), '10|app|1', 'a rejection by the reserve');
is(rejection(q{reason = 'server' ORDER BY usename}, 'usable, pool, usename, count'),
	"12|late|app|1\n12|psql|su|1", 'rejections without a slot, without MyProc');
is(sql(q{SELECT rejected, peak_used, status FROM pgpool_stats.budget WHERE scope = 'server'}),
	'3|12|critical', 'counted for the server, whose peak they prove');
like(sql(q{SELECT status FROM pgpool_stats.overview WHERE pool = '(server)'}), qr/^critical/, 'overview says so');

# half-open connections use up the postmaster's children, then it rejects
my @sockets = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') } 1 .. 60;
my $err = '';
for (1 .. 100)
{
	$err = rejected("host=127.0.0.1 port=$port dbname=postgres user=app");
	last if $err =~ /too many clients/;
}
like($err, qr/too many clients already/, 'half-open connections are rejected others');
close $_ foreach @sockets;
wait_for(q{SELECT count(*) > 0 FROM pgpool_stats.rejections WHERE reason = 'backlog'});
is(sql(q{SELECT DISTINCT reason, client_addr FROM pgpool_stats.rejections WHERE client_addr IS NOT NULL}),
	'backlog|127.0.0.1', 'distinguished from max_connections');

# bytes that are no text
my $junk = "\xff\xfe\x01";
rejected("$base dbname=postgres user=shut application_name='a$junk'");
my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp');
my $startup = pack('N', 196608) . "user\0shut\0database\0postgres\0pgpool_stats.pool\0key$junk\0application_name\0b$junk\0\0";
print $s pack('N', length($startup) + 4) . $startup;
$s->flush;
my $answer;
$s->recv($answer, 1000);
like($answer, qr/too many connections for role/, 'start-up keys: rejected');
is(rejection(q{pool LIKE 'key%'}, 'pool'), 'key???', 'a label as start-up key, its bytes cleaned');
is(sql(q{SELECT count(*) FROM pgpool_stats.rejections WHERE concat(pool, application_name, usename, datname, instance) ~ '[^ -~]'}),
	'0', 'everything kept is printable ASCII');

# who sees them
is(sql('SELECT count(*) FROM pgpool_stats.rejections', as => 'app'),
	sql(q{SELECT count(*) FROM pgpool_stats.rejections WHERE usename = 'app'}),
	'a role sees what was rejected under its name');

# kept over a restart
my $before = sql(q{SELECT sum(count), min(first_rejected) FROM pgpool_stats.rejections});
$node->restart;
is(sql(q{SELECT sum(count), min(first_rejected) FROM pgpool_stats.rejections}), $before, 'kept over a restart');
is(sql(q{SELECT rejected FROM pgpool_stats.budget WHERE name = 'closed'}), '1', 'counters, too');

# a storm: one row a minute, its beginning stays, the total is right
sql('SELECT pgpool_stats.reset()');
is(sql('SELECT count(*) FROM pgpool_stats.rejections'), '0', 'reset');
rejected("$base dbname=closed user=app application_name=first");
my $storm = 10_000;
my $began = sql('SELECT clock_timestamp()');
my $packet = pack('N', 196608) . "user\0shut\0database\0postgres\0application_name\0storm\0\0";
$packet = pack('N', length($packet) + 4) . $packet;
my @children;
foreach (1 .. 4)
{
	my $pid = fork;

	if ($pid == 0)
	{
		foreach (1 .. $storm / 4)
		{
			my $socket = IO::Socket::UNIX->new(Peer => $node->host . "/.s.PGSQL.$port");

			print $socket $packet;
			$socket->flush;
			1 while sysread $socket, my $rest, 8192;
		}
		POSIX::_exit(0);
	}
	push @children, $pid;
}
waitpid $_, 0 foreach @children;
is(sql(q{SELECT sum(count) FROM pgpool_stats.rejections WHERE application_name = 'storm'}), $storm, 'a storm: the total is right');
is(sql(qq{SELECT 60 * (count(*) - 1) <= extract(epoch FROM date_trunc('minute', clock_timestamp()) - date_trunc('minute', '$began'::timestamptz))
	FROM pgpool_stats.rejections WHERE application_name = 'storm'}), 't', 'a row a minute');
is(rejection(q{application_name = 'first'}, 'count'), '1', 'what came before it is still there');
is(sql(q{SELECT rejected FROM pgpool_stats.budget WHERE name = 'shut'}), $storm, 'and the counter');

# many origins: the oldest minute goes first, counters stay right
rejected("$base dbname=postgres user=shut application_name=many" . chr(97 + $_ % 26) . chr(97 + $_ / 26)) foreach 0 .. 99;
is(sql(q{SELECT rejected FROM pgpool_stats.budget WHERE name = 'shut'}), $storm + 100, 'more origins than rows: counters are right');
is(sql(q{SELECT sum(count) FROM pgpool_stats.rejections WHERE application_name LIKE 'many%' OR application_name = '(other)'}),
	'100', 'and so are the rows');

# what cannot be seen is said
sql(q{ALTER SYSTEM SET log_min_messages = 'panic'});
sql(q{SELECT pg_reload_conf()});
becomes(q{SELECT coalesce(notes, '') LIKE '%log_min_messages%' FROM pgpool_stats.info}, 't',
	'log_min_messages = panic: info says so');

$node->stop;
done_testing();
