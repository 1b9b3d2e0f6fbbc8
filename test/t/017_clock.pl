# A clock that is set back, that stands before 2000, that the collector looks at
# once a minute, or that goes on while a pool is idle.  The server's clock is ours:
# a library that is loaded before libc adds to it what a file says.
use strict;
use warnings;
use FindBin;
use PgpoolStats;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $ahead = "$dir/ahead";
my $library = "$dir/clock.so";

system('gcc', '-shared', '-fPIC', '-o', $library, "$FindBin::RealBin/../preload/clock.c") == 0
  or die 'cannot compile the clock';

my $seconds = 0;
write_file($ahead, pack 'q', 0);

# The clock of the server goes forward, or back.
sub turn_clock
{
	my ($by) = @_;

	$seconds += $by;
	open my $file, '+<:raw', $ahead or die "$ahead: $!";
	syswrite $file, pack 'q', $seconds * 1_000_000;
	close $file;
	return;
}

sub start_with_clock
{
	my ($name, $conf) = @_;
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{CLOCK_AHEAD} = $ahead;

	return start_node($conf, name => $name);
}

my $node;

# A reload wakes the collector: a pass that begins now has ended.
sub wake
{
	my $last = sql('SELECT last_pass FROM pgpool_stats.info');

	$node->reload;
	wait_for("SELECT last_pass <> '$last' FROM pgpool_stats.info");
	return;
}

#
# a pass a minute
#
$node = start_with_clock('slow', "pgpool_stats.sample_interval = 60s\n");
report('slow', '{"pool_size": 5, "checked_out": 2, "open": 3}');
wake();
foreach my $minute (1 .. 12)
{
	turn_clock(60.5);
	wake();
}
is(sql("SELECT observed BETWEEN '12 min' AND '13 min', basis, round(load) FROM pgpool_stats.sizing WHERE pool = 'slow'"),
	't|client|2', 'passes that are a minute apart watch');

#
# leak_after in other units: what was idle in the pool is not forgotten
#
$node->append_conf('postgresql.conf', 'pgpool_stats.leak_after = 10min');
wake();
my @pair = used(2, 'pair');
turn_clock(300);
report('pair', '{"pool_size": 2, "checked_out": 0, "checked_in": 2}');
turn_clock(10);
set_to('leak_after', '2min');
report('pair', '{"pool_size": 2, "checked_out": 1, "checked_in": 1}');
is(sql("SELECT count(*) FROM pgpool_stats.leaks WHERE pool = 'pair'"), '0',
	'both were idle in the pool a moment ago');
turn_clock(180);
report('pair', '{"pool_size": 2, "checked_out": 1, "checked_in": 1}');
is(sql("SELECT at_least FROM pgpool_stats.leaks WHERE pool = 'pair'"), '1', 'one has leaked since');
$_->quit foreach @pair;
$node->stop;

#
# an hour back
#
$node = start_with_clock('back', q{
pgpool_stats.alert_rules = 'timeouts: for 5min; pool_full: for 2min'
pgpool_stats.save_interval = 1min
});
my $session = session('busy');
$session->query_safe('SELECT pg_sleep(0.5)');
report('late', '{"pool_size": 5, "checked_out": 1, "timeouts": 0}');
next_pass();
report('late', '{"pool_size": 5, "checked_out": 1, "timeouts": 10}');
wait_for("SELECT value = 10 FROM pgpool_stats.alerts WHERE rule = 'timeouts'");
cmp_ok(sql("SELECT p95_ms FROM pgpool_stats.overview WHERE pool = 'busy'"), '>=', 400, 'a long transaction');

turn_clock(-3600);
wait_for("SELECT last_pass < now() + interval '1 min' FROM pgpool_stats.info");
next_pass();
foreach my $turn (1 .. 2)
{
	turn_clock(360);
	next_pass();
}
$session->query_safe('SELECT 1') foreach 1 .. 100;
cmp_ok(sql("SELECT p95_ms FROM pgpool_stats.overview WHERE pool = 'busy'"), '<', 400, 'is forgotten in time');
report('late', '{"pool_size": 5, "checked_out": 1, "timeouts": 11}');
wait_for("SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE rule = 'timeouts'");
is(sql("SELECT value FROM pgpool_stats.alerts WHERE rule = 'timeouts'"), '1',
	'what was an hour ago is not of the last 5 min');
my $saved = 'pg_stat_tmp/pgpool_stats.stat';
my $save = sql("SELECT modification FROM pg_stat_file('$saved')");
pass_time(1.1);
turn_clock(60);
becomes("SELECT modification > '$save' FROM pg_stat_file('$saved')", 't', 'it saves on');

# a pooler that was just named has not been silent since the server started
turn_clock(3600);
set_to('poolers', 'name=nowhere host=127.0.0.1 port=1 dbname=pgbouncer');
wait_for("SELECT error IS NOT NULL FROM pgpool_stats.poolers WHERE name = 'nowhere'");
next_pass() foreach 1 .. 2;
is(sql("SELECT count(*) FROM pgpool_stats.alerts WHERE rule = 'pooler_down' AND value > 600"), '0',
	'a pooler that is new');
turn_clock(60);
wait_for("SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE rule = 'pooler_down' AND value BETWEEN 60 AND 600");
$session->quit;
$node->stop;

#
# a role's history goes to the pools that it uses
#
$node = start_with_clock('history', "pgpool_stats.history_pools = 4\npgpool_stats.track = labelled\n");
my $have = 'SELECT string_agg(DISTINCT pool, \' \' ORDER BY pool) FROM pgpool_stats.history';
report('idle', '{"open": 1, "checked_out": 0}');
next_pass();
report('busy', '{"open": 1, "checked_out": 1}');
next_pass();
report('next', '{"open": 1, "checked_out": 1}');
report('dull', '{"open": 1, "checked_out": 0}');
turn_clock(300);
next_pass();
is(sql($have), 'busy idle', 'a live pool does not give way at once');
turn_clock(360);
next_pass();
is(sql($have), 'busy next', 'but does to one in use when it has not been for ten minutes');
turn_clock(660);
next_pass();
is(sql($have), 'busy next', 'and not to one that is not');
$node->stop;

#
# incidents: again within ten minutes, and what fired when the server stopped
#
my $rule = '*: off; callers_waiting: for 0s';
my @of = ('SELECT count(*), max(times), count(*) FILTER (WHERE ended IS NULL) FROM pgpool_stats.incidents WHERE pool = \'queue\'');
my ($calm, $wait) = map { qq({"max_size": 1, "checked_out": 1, "waiting": $_}) } 0, 2;
$node = start_with_clock('incidents', "pgpool_stats.alert_rules = '$rule'\n");
report('queue', $wait);
becomes(@of, '1|1|1', 'it fires');
report('queue', $calm);
becomes(@of, '1|1|0', 'it is over');
turn_clock(590);
report('queue', $wait);
becomes(@of, '1|2|1', 'within ten minutes it is the same');
report('queue', $calm);
becomes(@of, '1|2|0', 'over again');
turn_clock(610);
report('queue', $wait);
becomes(@of, '2|2|1', 'later it is another one');
$node->append_conf('postgresql.conf', "pgpool_stats.alert_rules = '*: off'\n");
{
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{CLOCK_AHEAD} = $ahead;
	$node->restart;
}
next_pass() foreach 1 .. 2;
is(sql(@of), '2|2|1', 'open, it may be found again');
turn_clock(130);
becomes(@of, '2|2|0', 'not found for two minutes');
is(sql("SELECT bool_and(ended < now() - interval '2 min') FROM pgpool_stats.incidents"), 't', 'it ended when it was seen last');
$node->stop;

#
# who logged in vouches for his network for seven days
#
$node = start_with_clock('seen', '');
sql('CREATE ROLE app LOGIN');
my $logged_in = session('seen', as => 'app');
$logged_in->query_safe('SELECT 1');
sub rejected_counts
{
	my $counted = q{SELECT rejected_logins FROM pgpool_stats.sessions WHERE pool = 'seen'};
	my $before = sql($counted);

	local $ENV{PGOPTIONS} = labels('seen') . ' -c work_mem=lots';
	isnt((psql('SELECT 1', as => 'app'))[0], 0, 'rejected');
	delete local $ENV{PGOPTIONS};
	return sql($counted) - $before;
}
# a pool without instances is kept for as long
my $pools = q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'brief'};
sql(q{SELECT pgpool_stats.report('brief', '{"open": 0}', 'i'), pgpool_stats.forget('brief', 'i')});
is(rejected_counts(), 1, 'who logged in vouches');
turn_clock(7 * 86400 - 3600);
is(rejected_counts(), 1, 'for nearly seven days');
wake();
is(sql($pools), 1, 'a pool that ended is kept');
turn_clock(2 * 3600);
is(rejected_counts(), 0, 'no longer');
wake();
is(sql($pools), 0, 'nor is the pool');
$logged_in->quit;
$node->stop;

#
# last century
#
turn_clock(-time + 920_000_000 - $seconds);
$node = start_with_clock('old', '');
is(sql("SELECT extract(year FROM now())"), '1999', 'it is 1999');
my $old = session('old');
$old->query_safe('SELECT pg_sleep(0.1)');
report('reported', '{"pool_size": 5, "checked_out": 3, "open": 3}');
next_pass();
is(sql("SELECT max(bucket_start) <= now(), max(bucket_start) + interval '10 min' >= now(), max(max_checked_out) FROM pgpool_stats.history WHERE pool = 'reported' AND bucket = '10 min'"),
	't|t|3', 'history has its place');
is(sql("SELECT peak, observed > '0 s' FROM pgpool_stats.sizing WHERE pool = 'reported'"), '3|t',
	'and sizing');
is(figures('reported', 'status, checked_out, last_report IS NOT NULL'), 'ok|3|t', 'a report is one');
$old->quit;
$node->stop;
note(sprintf '| %-44s | %6s | %s', 'a clock set ahead, back, and before 2000', 1, 'passes, saves, alerts and incidents go on');
done_testing();
