# Consoles that lie: truncated, oversized, mistyped, endless answers.  None of
# them holds up an honest one, grows the poller past a bound, or ends it.
#
# The environment variables FUZZ_SECONDS and FUZZ_SEED make it another run.

use strict;
use warnings;
use PgpoolStats;
use Time::HiRes qw(time);

my $seconds = $ENV{FUZZ_SECONDS} || 8;
my $seed = $ENV{FUZZ_SEED} || 1;

# of a poller that talks to all of them at once
my $bound = 240 * 1024;

# Start consoles of some kinds; returns their ports.  The honest ones are
# processes of their own: liars keep theirs busy.
my %port;
my @consoles;
foreach my $kinds ([], [ 'honest', 'pgcat', 'pgdog' ])
{
	my ($in, $out, $err) = ('', '', '');
	my $process = IPC::Run::start(
		[ '/usr/bin/python3', '-B', 'test/fuzz/console.py', $seed, @$kinds ],
		\$in, \$out, \$err);

	$process->pump until $out =~ /\n\n/ || !$process->pumpable;
	%port = (%port, $out =~ /^(\w+) (\d+)$/mg);
	push @consoles, $process;
	BAIL_OUT("no consoles: $err") if $err;
}

# who is held up by one that does not answer waits for as long
my $timeout = 5;
my $node = start_node(
	qq{
pgpool_stats.poll_interval = 200ms
pgpool_stats.poll_timeout = ${timeout}s
pgpool_stats.poolers = '}
	  . join('; ',
		map { "name=$_ host=127.0.0.1 port=$port{$_} dbname=console user=stats" }
		sort keys %port)
	  . "'\n",
	streaming => 1);

my $is_honest =
  q{SELECT reachable FROM pgpool_stats.poolers WHERE name = 'honest'};
becomes($is_honest, 't', 'the honest one is polled');
my $who =
  q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgpool_stats poller'};
my $poller = sql($who);
my $started =
  sql('SELECT pg_postmaster_start_time()');

# its private memory, in kB
sub memory
{
	open my $f, '<', "/proc/$poller/status" or return 0;
	my ($data) = map { /^VmData:\s+(\d+)/ } <$f>;
	return $data || 0;
}

my ($most, $latest, $polls) = (0, 0, 0);
my $until = time() + $seconds;
while (time() < $until || $polls <= 10)
{
	my $memory = memory();
	my ($age, $reads) = split /\|/, sql(
		q{SELECT extract(epoch FROM now() - last_poll), poll_time < 400 FROM pgpool_stats.poolers WHERE name = 'honest'});

	$most = $memory if $memory > $most;
	$latest = $age if $age > $latest;
	$polls++;
}
cmp_ok($polls, '>', 10, 'looked often enough');
cmp_ok($most, '<', $bound, "memory of the poller stays below $bound kB")
  or diag $most;
cmp_ok($latest, '<', $timeout, 'the honest one was always polled in time');
note "at most $most kB, honest poll at most $latest s old, $polls looks";

is(sql($who), $poller, 'it is still the same poller');
is(sql('SELECT pg_postmaster_start_time()'), $started, 'and the same server');
is(sql(
		q{SELECT string_agg(name, ' ' ORDER BY name) FROM pgpool_stats.poolers
		WHERE reachable AND name NOT IN ('honest', 'mutated', 'mutated2', 'mutated3', 'nonsense', 'crowd', 'odyssey', 'chatter', 'other', 'order', 'pgcat', 'pgdog')}),
	'', 'who lies is not believed');
becomes(q{SELECT count(*) FROM pgpool_stats.poolers WHERE NOT reachable AND error IS NULL},
	'0', 'and says why');
like(sql(q{SELECT notes FROM pgpool_stats.info}), qr/\d{4} pools of poolers, or more, are left out: of one pooler 500 are read/, 'pools beyond the limit are said');
is(sql(
		q{SELECT datname, usename, waiting, checked_out, max_wait, max_size, total_wait_time, xacts FROM pgpool_stats.instances WHERE pool = 'honest'}),
	'postgres|postgres|4|2|1500|7|3000|10', 'the honest figures');
is(sql(
		q{SELECT p.name, product, version, p.clients, bytes_received, waiting, checked_out, checked_in, open, max_wait, max_size, checkouts, total_wait_time, xacts, errors
		FROM pgpool_stats.poolers p JOIN pgpool_stats.instances i ON i.pool = p.name AND i.usename = 'postgres'
		WHERE p.name IN ('pgcat', 'pgdog') ORDER BY 1}),
	"pgcat|PgCat|1.2.0|2|200|3|2|1|4|1500|||3000.5|30|3\npgdog|PgDog|v0.1.6|6|200|3|3|3|6|1500||9|3000.5|30|3",
	'PgCat and PgDog, by their documented columns: their servers are added up');
is(sql(q{SELECT pooler, bottleneck, reason FROM pgpool_stats.chains WHERE pooler = 'pgdog'}), 'pgdog|pooler|paused', 'a pool that is paused');
cmp_ok(
	sql(
		q{SELECT count(*) FROM pgpool_stats.instances WHERE source = 'pooler'}),
	'<=',
	530, 'names made up find no more room than one role has');
note sql(
	q{SELECT string_agg(name || ': ' || coalesce(error, 'ok'), E'\n') FROM pgpool_stats.poolers});

# a standby polls for itself
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->append_conf('postgresql.conf',
	"pgpool_stats.poolers = 'name=honest host=127.0.0.1 port=$port{honest} dbname=console user=stats'");
$standby->start;
ok( $standby->poll_query_until(
		'postgres',
		q{SELECT datname, usename, waiting FROM pgpool_stats.instances WHERE pool = 'honest'},
		'postgres|postgres|4'),
	'a standby polls, too');
$standby->stop;

$node->stop;
foreach my $process (@consoles)
{
	$process->signal('TERM');
	eval { $process->finish };
}
unlike(slurp_file($node->logfile),
	qr/PANIC|terminated by signal|TRAP|poller" \(PID \d+\) exited with exit code [1-9]/,
	'the server is well');
done_testing();
