# Whatever breaks, the server comes back and the figures hold: rounds of kill -9
# under load, workers that stand still, disks that are full, ends of all kinds
# while a save hangs, thousands of refused connections, an upgrade, a dump.
# Prints a table of what was done, and what held.
#
# The environment variable FAULT_ROUNDS makes it a longer run.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX qw(mkfifo);
use Time::HiRes;
use PgpoolStats;

my $rounds = $ENV{FAULT_ROUNDS} || 8;
my $title = "faults$$";
my $seed = $ENV{FAULT_SEED} || time;
my $clients = 4;

srand $seed;
note "FAULT_SEED=$seed";

my $node = start_node(qq{
cluster_name = '$title'
max_connections = 60
restart_after_crash = on
autovacuum = off
pgpool_stats.save_interval = 1s
pgpool_stats.poll_interval = 1s
pgpool_stats.max_instances = 10000
pgpool_stats.poolers = 'host=127.0.0.1 port=1 dbname=pgbouncer'
pgpool_stats.pool_limits = 'closed: 0'
}, name => $title);
my $file = $node->data_dir . '/pg_stat_tmp/pgpool_stats.stat';
my $saver = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgpool_stats saver'";

sql('CREATE ROLE app LOGIN');
sql("CREATE SEQUENCE count$_; GRANT ALL ON SEQUENCE count$_ TO app") foreach 0 .. $clients - 1;

# so many that connections come and go between what is copied first to be saved,
# which is those of the storm, and what is copied last
{
	local $ENV{PGOPTIONS} = labels('load');
	sql('SELECT 1', as => 'app');
}
sql(q{SELECT count(pgpool_stats.report('many', '{"checkouts": 1}', 'i' || n)) FROM generate_series(1, 4000) AS n});

sub row
{
	my ($fault, $times, $held) = @_;

	note(sprintf '| %-44s | %6s | %s', $fault, $times, $held);
	return;
}

# Who has this title: nobody is left of a server that is down.
sub processes
{
	return grep { /postgres: \Q$title\E:? / } `ps -eo pid=,args=`;
}

sub postmaster
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	return $pid;
}

# Its pid is in the lock file: it must have been reaped.
sub wait_ended
{
	my ($postmaster) = @_;

	for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if !processes() && !kill 0, $postmaster;
		select undef, undef, undef, 0.01;
	}
	return 0;
}

# What is seen now is in the file when two saves have ended since.
sub wait_twice_saved
{
	foreach (1, 2)
	{
		my $before = (Time::HiRes::stat($file))[9] // 0;

		for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
		{
			last if ((Time::HiRes::stat($file))[9] // 0) > $before;
			select undef, undef, undef, 0.01;
		}
	}
	return;
}

# A save that waits at a pipe that nobody reads
sub hanging_saver
{
	# the one that is under way takes its file along
	for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if mkfifo("$file.tmp", 0600);
		select undef, undef, undef, 0.01;
	}
	# whoever stays is at the pipe
	wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pgpool_stats saver' AND backend_start < clock_timestamp() - interval '1 s'");
	return sql($saver);
}

#
# kill -9 of any process, under load
#
my @counters = qw(checkouts connects disconnects xacts rejected);
my @victims = (
	'client backend', 'pgpool_stats collector', 'pgpool_stats poller', 'pgpool_stats saver',
	'checkpointer', 'walwriter', 'idle client', 'postmaster');

sub counters
{
	my @value = split /\|/, sql('SELECT ' . join(', ', @counters) . " FROM pgpool_stats.pools WHERE pool = 'load'");

	return map { $counters[$_] => $value[$_] // 0 } 0 .. $#counters;
}

# A new instance for each round: its connections come and go; it reports what
# only grows.
sub start_storm
{
	local $ENV{PGOPTIONS} = labels('load');
	my @pgbench = map {
		pgbench(qq{
BEGIN;
SELECT pgpool_stats.report('load', jsonb_build_object('checkouts', nextval('count$_')), 'web:$_');
COMMIT;
}, $node->connstr('postgres') . ' user=app', '-C', '-c', 1, '-T', 3600)
	} 0 .. $clients - 1;

	return @pgbench;
}

sub victim
{
	my ($kind, $idle) = @_;

	return $idle if $kind eq 'idle client';
	return hanging_saver() if $kind eq 'pgpool_stats saver';
	return sql(qq{SELECT pid FROM pg_stat_activity WHERE backend_type = '$kind' AND pid NOT IN (pg_backend_pid(), $idle) LIMIT 1}) || 0;
}

my %killed;
my (@fell, @unbalanced, @wrong_sum, @no_reason, @left);
foreach my $round (1 .. $rounds)
{
	my $kind = $victims[ $round % @victims ];
	my @pgbench = start_storm();
	my $idle = session('load', as => 'app');
	my $idle_pid = $idle->query_safe('SELECT pg_backend_pid()');

	wait_for(qq{SELECT count(*) = $clients FROM pgpool_stats.instances WHERE pool = 'load' AND instance ~ 'web'});
	my %saved = counters();
	wait_twice_saved();
	my $before = started_at();
	if ($kind eq 'postmaster')
	{
		my $postmaster = postmaster();
		$node->kill9;
		push @left, $round if !wait_ended($postmaster);
		$node->start;
	}
	else
	{
		my $pid;
		# who was chosen may have ended meanwhile; who stands still does not
		do { $pid = victim($kind, $idle_pid) } until $pid && kill('STOP', $pid) && `ps -o stat= -p $pid` =~ /T/;
		kill 'KILL', $pid;
		unlink "$file.tmp" if -p "$file.tmp";
		wait_for("SELECT started_at > '$before' FROM pgpool_stats.info");
	}
	$killed{$kind}++;
	eval { $_->kill_kill } foreach @pgbench;
	eval { $idle->quit };

	wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'app'});
	my %after = counters();
	push @fell, map { "round $round, $kind: $_ $saved{$_} > $after{$_}" } grep { $saved{$_} > $after{$_} } @counters;
	my $balance = sql(q{SELECT connects - disconnects, connections FROM pgpool_stats.pools WHERE pool = 'load'});
	push @unbalanced, "round $round, $kind: $balance" if $balance ne '0|0';

	# also of one that ended while all was copied
	my $ends = sql(q{SELECT disconnects - (SELECT sum(count) FROM pgpool_stats.disconnects WHERE pool = 'load') FROM pgpool_stats.sessions WHERE pool = 'load'});
	push @no_reason, "round $round, $kind: $ends" if $ends ne '0';

	# when all have reported again, the sum is what they say
	sql(qq{SELECT pgpool_stats.report('load', jsonb_build_object('checkouts', nextval('count$_')), 'web:$_')}, as => 'app')
	  foreach 0 .. $clients - 1;
	my $sum = sql('SELECT sum(last_value) - (SELECT checkouts FROM pgpool_stats.pools WHERE pool = \'load\') FROM ('
		  . join(' UNION ALL ', map { "SELECT last_value FROM count$_" } 0 .. $clients - 1) . ') c');
	push @wrong_sum, "round $round, $kind: $sum" if $sum ne '0';
	last if @fell + @unbalanced + @wrong_sum + @no_reason + @left > 20;
}
is(join("\n", @fell), '', 'kill -9: nothing falls below what was saved');
is(join("\n", @unbalanced), '', 'kill -9: nobody is connected for ever');
is(join("\n", @no_reason), '', 'kill -9: each end has its reason, once');
is(join("\n", @wrong_sum), '', 'kill -9: the counters of reports go on, exactly');
is("@left", '', 'kill -9: no process is left');
row('kill -9 of ' . $_, $killed{$_}, 'server back, counters as saved at least, sums exact, ends once') foreach sort keys %killed;

#
# workers that stand still
#
foreach my $kind ('collector', 'poller')
{
	my $pid = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgpool_stats $kind'");

	# between two passes: a spinlock that is never released is a PANIC
	until (kill('STOP', $pid) && `ps -o stat= -p $pid` =~ /T/ && sql("SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $pid") eq 't')
	{
		kill 'CONT', $pid;
	}
	my @used = used(3, 'still', as => 'app');
	report('still', '{"open": 3}', as => 'app');
	is(sql(q{SELECT connections FROM pgpool_stats.pools WHERE pool = 'still'}), 3, "$kind stopped: sessions join, views answer");
	like((do { local $ENV{PGOPTIONS} = labels('closed'); psql('SELECT 1', as => 'app') })[2], qr/too many connections for pool "closed"/, "$kind stopped: limits hold");
	$_->quit foreach @used;
	wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'still'});
	kill 'CONT', $pid;
	next_pass();
	is(sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgpool_stats $kind'"), $pid, "$kind stopped: it goes on");
	row("SIGSTOP of the $kind between two passes", 1, 'sessions, reports, views and limits do without it');
}

#
# a disk that is full, a directory that cannot be written
#
sub cannot_save
{
	my ($fault, $break, $mend, $says, $saved) = @_;
	my $offset = -s $node->logfile;

	sql('SELECT pgpool_stats.reset()');
	report('disk', '{"checkouts": 5}');
	wait_saved('disk');
	$break->();
	report('disk', '{"checkouts": 9}');
	$node->wait_for_log($says, $offset);
	next_pass();
	is(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'disk'}), 9, "$fault: nothing is lost that is in memory");
	$node->stop('immediate');
	$mend->();
	$node->start;
	like(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'disk'}), $saved, "$fault: the last good file is whole");
	report('disk', '{"checkouts": 12}');
	wait_saved('disk');
	row($fault, 1, 'LOG, passes go on, the last good file is loaded');
	return;
}

# there is room again for the save after
cannot_save('disk full at save',
	sub { symlink '/dev/full', "$file.tmp" or die $! },
	sub { unlink "$file.tmp" },
	qr/LOG:  could not write file "pg_stat_tmp\/pgpool_stats\.stat\.tmp": No space left on device/, qr/^[59]$/);
SKIP:
{
	skip 'root writes everywhere', 2 if $> == 0;
	my $dir = $node->data_dir . '/pg_stat_tmp';

	cannot_save('directory that cannot be written',
		sub { unlink "$file.tmp"; chmod 0500, $dir },
		sub { chmod 0700, $dir },
		qr/LOG:  could not write file "pg_stat_tmp\/pgpool_stats\.stat\.tmp": Permission denied/, qr/^5$/);
}

#
# ends of all kinds while a save hangs
#
foreach my $how ('fast', 'immediate', 'kill -9')
{
	report('hangs', '{"checkouts": 7}');
	wait_saved('hangs');
	hanging_saver();
	my $postmaster = postmaster();
	if ($how eq 'immediate')
	{
		$node->stop('immediate');
	}
	else
	{
		$how eq 'fast' ? system_or_bail('pg_ctl', '-D', $node->data_dir, '-m', 'fast', '-W', 'stop') : $node->kill9;
		# who saves ends when the disk goes on
		open my $pipe, '<', "$file.tmp" or die $!;
		unlink "$file.tmp";
		1 while <$pipe>;
	}
	ok(wait_ended($postmaster), "$how while a save hangs: all end");
	unlink "$file.tmp" if -p "$file.tmp";
	$node->_update_pid(0) if $how eq 'fast';
	$node->start;
	is(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'hangs'}), 7, "$how while a save hangs: what was saved is back");
	row("$how while a save hangs", 1, 'all processes end, the last good file is loaded');
}

#
# refused connections
#
my $refused = 125 * $rounds;
{
	my $start = sql(q{SELECT coalesce(sum(rejected), 0) FROM pgpool_stats.limits});
	my $path = $node->host . '/.s.PGSQL.' . $node->port;
	my $packet = join '', map { "$_\0" } (user => 'app', database => 'postgres', options => labels('closed'));
	my $heard = 0;

	for (1 .. $refused)
	{
		my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!";
		syswrite $socket, pack('NN', length($packet) + 9, 196608) . "$packet\0";
		local $/ = undef;
		$heard++ if <$socket> =~ /C53300\0Mtoo many connections for pool "closed"/;
	}
	is($heard, $refused, 'each of them hears why');
	# the last may still be ending
	becomes("SELECT sum(count) >= $refused FROM pgpool_stats.rejections WHERE reason = 'pool' AND pool = 'closed'", 't', 'each is counted');
	is(sql(q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'closed' AND connections > 0}), 0, 'none of them is connected');
	row('refused connections', $refused, 'each hears why and is counted, none is left');
}

#
# dump and restore; an upgrade to the same release, with the extension in two
# databases
#
sql('CREATE DATABASE second');
sql('CREATE EXTENSION pgpool_stats', on => 'second');
sql(q{CREATE VIEW mine AS SELECT pool, connections FROM pgpool_stats.pools; GRANT SELECT ON mine TO app}, on => 'second');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'second' ], 'pg_dump');
$node->command_ok([ 'pg_restore', '--create', '--clean', '--exit-on-error', '-d', 'postgres', $dump ], 'pg_restore');
is(sql('SELECT count(*) > 0 FROM mine', on => 'second', as => 'app'), 't', 'what was restored works');
row('dump and restore', 1, 'views on ours and their rights are there');

my $new = PostgreSQL::Test::Cluster->new('upgraded');
$new->init;
$new->append_conf('postgresql.conf', "shared_preload_libraries = 'pgpool_stats'\n");
$node->stop;
my $bin = $node->config_data('--bindir');
{
	local $ENV{PGHOST} = $node->host;
	chdir PostgreSQL::Test::Utils::tempdir();
	command_ok([
			'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
			'-s', $node->host, '-p', $node->port, '-P', $new->port
		], 'pg_upgrade');
}
$new->start;
foreach my $database ('postgres', 'second')
{
	is($new->safe_psql($database, 'SELECT loaded FROM pgpool_stats.info'), 't', "upgraded: it is in $database");
}
$new->stop;
row('pg_upgrade', 1, 'the extension works in both databases');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal (6|7|8|11)\b/, 'nothing crashed by itself');
done_testing();
