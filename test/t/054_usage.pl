# What pools use of the server, beside what core and the operating system say
# of the same: WAL, blocks, CPU time, memory.

use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(usleep);
use PgpoolStats;
use Monitoring;

# Nothing but sessions writes WAL, beyond some records of the background writer.
my $node = start_node(q{
autovacuum = off
restart_after_crash = on
wal_level = replica
max_wal_size = 10GB
checkpoint_timeout = 1d
max_parallel_workers_per_gather = 2
max_parallel_maintenance_workers = 2
min_parallel_table_scan_size = 0
min_parallel_index_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
});
sql(q{
	CREATE TABLE t (a int, b text);
	ALTER TABLE t ALTER b SET STORAGE PLAIN;
	CREATE TABLE u AS SELECT a, repeat('x', 200) AS b FROM generate_series(1, 20000) AS a;
	ANALYZE u;
	CREATE ROLE app LOGIN;
	CREATE ROLE other LOGIN;
	GRANT ALL ON t, u TO app;
});
my $monitor = background();
my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];

# What a pool has of something
sub has
{
	my ($pool, $columns) = @_;

	return $monitor->query_safe(
		"SELECT $columns FROM pgpool_stats.usage WHERE pool = '$pool'");
}

sub lsn
{
	return $monitor->query_safe(
		"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')");
}

sub about
{
	my ($got, $expected, $pct, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(abs($got - $expected) <= $expected * $pct / 100,
		sprintf '%s: %.0f, and %.0f (%.2f %%)',
		$name, $got, $expected, $expected ? 100 * $got / $expected - 100 : 0);
	return;
}

# All pools together, and the session's process, wrote what the position moved.
sub writes
{
	my ($session, $pool, $name, @statements) = @_;
	my $before = has($pool, 'coalesce(sum(wal_bytes), 0)');
	my $from = lsn();

	$session->query($_) foreach @statements;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	about(has($pool, 'sum(wal_bytes)') - $before, lsn() - $from, 0.5, $name);
	return;
}

# A statement that does not end by itself
sub runs
{
	my ($pool, $statement) = @_;
	my $out;

	local $ENV{PGOPTIONS} = labels($pool);
	return IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $statement ],
		'<', \undef, '>', \$out, '2>&1');
}

sub terminate
{
	my ($pool, $running) = @_;

	sql(qq{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections
		WHERE pool = '$pool' AND state = 'active'});
	$running->finish;
	return;
}

my $rows = q{INSERT INTO t SELECT a, repeat('x', 6000) FROM generate_series(1, 1000) AS a};

#
# WAL
#
my $s = session('writer');
my $constant = "wal_bytes - pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')";
my $server = has('(server)', $constant);
writes($s, 'writer', 'WAL', $rows);
writes($s, 'writer', 'WAL of a block', 'BEGIN', $rows, $rows, 'COMMIT');
writes($s, 'writer', 'WAL of a failed block',
	'BEGIN', $rows, 'SELECT 1 / 0', 'ROLLBACK');
writes($s, 'writer', 'WAL of subtransactions',
	'BEGIN', 'SAVEPOINT p', $rows, 'ROLLBACK TO p', $rows, 'COMMIT');
writes($s, 'writer', 'WAL of a procedure',
	"DO 'BEGIN FOR i IN 1 .. 3 LOOP $rows; COMMIT; END LOOP; END'"
	  =~ s/'x'/''x''/r);
writes($s, 'writer', 'WAL of parallel workers',
	'CREATE INDEX i ON u (a, b)');
is(has('(server)', $constant),
	$server, 'the server: the position, not one byte more');

# terminated while it writes
my $before = has('writer', 'wal_bytes');
my $from = lsn();
my $endless = runs('writer',
	$rows =~ s/FROM .*/FROM (SELECT generate_series(1, 1000000000) AS a) AS s/r);
wait_for("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') > $from + 10000000");
terminate('writer', $endless);
wait_for(q{SELECT connections = 1 FROM pgpool_stats.pools WHERE pool = 'writer'});
about(has('writer', 'wal_bytes') - $before,
	lsn() - $from, 0.5, 'WAL of a session that is terminated while it writes');

# a label that changes in a transaction
my $sum = q{(SELECT sum(wal_bytes) FROM pgpool_stats.usage WHERE pool IN ('writer', 'moved'))};
$before = has('(server)', $sum);
$from = lsn();
my $writer = has('writer', 'wal_bytes');
$s->query($_)
  foreach 'BEGIN', $rows, "SET LOCAL pgpool_stats.pool = 'moved'", $rows,
  $rows, 'COMMIT';
my $wrote = lsn() - $from;
about(has('writer', 'wal_bytes') - $writer, $wrote / 3, 1,
	'a label that changes: what was before stays');
about(has('moved', 'wal_bytes'), $wrote * 2 / 3, 1, 'what comes after goes along');
about(has('(server)', $sum) - $before, $wrote, 0.5, 'and nothing is lost or twice');

#
# Blocks: those of EXPLAIN.  Twice before: then nothing is read of catalogs.
#
my $b = session('blocks');
my $blocks = q{shared_blks_hit, shared_blks_read, shared_blks_dirtied,
	shared_blks_written, temp_blks_read, temp_blks_written};

sub blocks
{
	my ($name, $statement) = @_;
	my $explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) $statement";

	$b->query_safe($explain) foreach 1 .. 2;
	my @before = split /\|/, has('blocks', $blocks);
	my $plan = $b->query_safe($explain);
	my @after = split /\|/, has('blocks', $blocks);
	my $expected = sql("SELECT " . join(
			', ',
			map {
				"(p->'Plan'->>'$_ Blocks')::int + coalesce((p->'Planning'->>'$_ Blocks')::int, 0)"
			} 'Shared Hit', 'Shared Read', 'Shared Dirtied',
			'Shared Written', 'Temp Read', 'Temp Written')
		  . " FROM (SELECT '$plan'::jsonb->0 AS p) AS e");

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join('|', map { $after[$_] - $before[$_] } 0 .. 5), $expected, $name);
	return $expected;
}

$b->query_safe('SET max_parallel_workers_per_gather = 0');
blocks('blocks of a scan', 'SELECT count(*) FROM u');
like(
	blocks('temporary blocks',
		'SELECT sum(length(b)) FROM (SELECT b FROM u ORDER BY b || a LIMIT 100000 OFFSET 10) AS s'),
	qr/\|[1-9]\d*\|[1-9]\d*$/, 'there are some');
$b->query_safe('SET max_parallel_workers_per_gather = 2');
blocks('blocks of a parallel query', 'SELECT count(*) FROM u');
$b->query_safe('SET enable_indexscan = off');
like(blocks('blocks that are dirtied', 'UPDATE t SET a = a + 1 WHERE a <= 10'),
	qr/^\d+\|\d+\|[1-9]/, 'there are some');

# ... over an error, a label that changes, and an end by force: nothing of it is
# lost, and nothing counts twice
my $scan = 'SELECT count(*) FROM u';
my $hits = sub { return (split /\|/, has($_[0], 'coalesce(sum(shared_blks_hit + shared_blks_read), 0)'))[0] };
$b->query_safe('SET max_parallel_workers_per_gather = 0');
$b->query_safe($_) foreach ($scan) x 2;
my $scanned = $hits->('blocks');
$b->query_safe($scan);
$scanned = $hits->('blocks') - $scanned;
cmp_ok($scanned, '>', 100, 'a scan has blocks');
my $fails = session('failing');
my @fails = ('BEGIN', $scan, 'SELECT 1 / 0', 'ROLLBACK');
$fails->query($_) foreach 'SET max_parallel_workers_per_gather = 0', (@fails) x 2;
$before = $hits->('failing');
$fails->query($_) foreach @fails;
is($hits->('failing') - $before, $scanned, 'blocks of a failed block');
$before = $hits->('blocks');
$b->query_safe($_) foreach 'BEGIN', $scan, "SET LOCAL pgpool_stats.pool = 'blocks-moved'", $scan, $scan, 'COMMIT';
is($hits->('blocks') - $before, $scanned, 'blocks before a label changes');
is($hits->('blocks-moved'), 2 * $scanned, 'and those after it');
$b->query_safe('SELECT 1');
my $victim = session('blocks');
$victim->query_safe($_) foreach 'SET max_parallel_workers_per_gather = 0', ($scan) x 2;
$before = $hits->('blocks');
$victim->query_safe($_) foreach 'BEGIN', $scan;
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'blocks' AND state = 'idle in transaction'});
wait_for(q{SELECT connections = 1 FROM pgpool_stats.pools WHERE pool = 'blocks'});
is($hits->('blocks') - $before, $scanned, 'blocks of a session that is terminated in a transaction');
eval { $victim->quit };

#
# Transactions: core counts the same time, over errors, labels that change and
# parallel queries
#
sql('CREATE DATABASE timed');
my $sleeps = 'SELECT pg_sleep(0.5)';
my $script = PostgreSQL::Test::Utils::tempdir() . '/timed.sql';
write_file($script, join ";\n", 'BEGIN', $sleeps, 'SELECT 1 / 0', 'ROLLBACK', $sleeps,
	'BEGIN', $sleeps, "SET LOCAL pgpool_stats.pool = 'timed-moved'", $sleeps, 'COMMIT',
	'BEGIN', "SET LOCAL force_parallel_mode = on" =~ s/force_parallel_mode/$node->pg_version < 16 ? $& : 'debug_parallel_query'/er,
	'SELECT count(*) FROM pg_class, (SELECT 1 FROM pg_sleep(0.5) OFFSET 0) AS s', 'COMMIT', '');
my @timed;
{
	local $ENV{PGOPTIONS} = labels('timed');
	@timed = map { IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('timed'), '-f', $script ],
			'<', \undef, '>', \my $out, '2>', \my $err) } 1 .. 8;
}
my @idle = sessions(8, 'timed', on => 'timed');
$_->query_safe('BEGIN') foreach @idle;
pass_time(1);
$_->query_safe('COMMIT') foreach @idle;
$_->quit foreach @idle;
$_->finish foreach @timed;
wait_for(q{SELECT sum(connections) = 0 FROM pgpool_stats.pools WHERE datname = 'timed'});
my $xact_time = has('timed', 'xact_time') + has('timed-moved', 'xact_time');
my $core_time = q{SELECT active_time + idle_in_transaction_time FROM pg_stat_database WHERE datname = 'timed'};
wait_for("SELECT ($core_time) >= 28000");
about($xact_time, sql($core_time), 1, 'time in transactions');
cmp_ok(has('timed-moved', 'xact_time'), '>=', 4000, 'also after a label changes');

# Of a session that is terminated core counts its last state for nobody: a clock
# beside it does.
foreach my $state ('idle in transaction', 'active')
{
	my $pool = "ended-$state" =~ s/ /-/gr;
	my ($began, $running);

	if ($state eq 'active')
	{
		$running = runs($pool, 'SELECT pg_sleep(1000)');
		waits(1, 'PgSleep');
		$began = sql(q{SELECT xact_start FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	}
	else
	{
		$running = session($pool);
		$running->query_safe('BEGIN');
		$began = $running->query_safe('SELECT now()');
	}
	pass_time(0.5);
	my $at_least = sql("SELECT extract(epoch FROM clock_timestamp() - '$began') * 1000");
	sql("SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = '$pool'");
	wait_for("SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = '$pool'");
	my $at_most = sql("SELECT extract(epoch FROM clock_timestamp() - '$began') * 1000");
	cmp_ok(has($pool, 'xact_time'), '>=', $at_least, "time of a transaction that is terminated, $state");
	cmp_ok(has($pool, 'xact_time'), '<=', $at_most, 'and no more');
	$state eq 'active' ? $running->finish : eval { $running->quit };
}

#
# CPU time: that of /proc
#
SKIP:
{
	skip 'no /proc', 1 unless -r "/proc/$postmaster/stat";

	# of a process, and of its children that ended, milliseconds
	my $tick = 1000 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
	sub proc
	{
		my ($pid) = @_;
		my @field = split / /, slurp_file("/proc/$pid/stat") =~ s/.*\) //sr;

		return (($field[11] + $field[12]) * $tick, ($field[13] + $field[14]) * $tick);
	}

	# Use at least so much of it, whatever becomes of the transactions.
	my $enough = 1000 * ($ENV{USAGE_CPU_SECONDS} // 1);
	my $burn = 'SELECT sum(sqrt(i)) FROM generate_series(1, 3000000) AS i';
	sub burns
	{
		my ($session, $pid) = @_;
		my $until = (proc($pid))[0] + $enough;

		do
		{
			$session->query($_) foreach $burn, 'BEGIN', $burn, 'SELECT 1 / 0', 'ROLLBACK';
		} while ((proc($pid))[0] < $until);
		return;
	}

	my $c = session('burner');
	my $pid = $c->query_safe('SELECT pg_backend_pid()');
	burns($c, $pid);
	my $cpu = has('burner', 'cpu_time');
	my ($real) = proc($pid);
	about($cpu, $real, 3, 'CPU time of a session');

	# a statement that runs is not waited for
	my $runner = runs('runner',
		'SELECT count(a) FROM (SELECT generate_series(1, 100000000000) AS a) AS s');
	becomes("SELECT cpu_time > $enough FROM pgpool_stats.usage WHERE pool = 'runner'",
		't', 'a statement that runs');
	($real) = proc(sql(q{SELECT pid FROM pgpool_stats.connections WHERE pool = 'runner'}));
	terminate('runner', $runner);
	wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'runner'});
	cmp_ok(has('runner', 'cpu_time'), '>=', $real - $tick, 'and when it was terminated');
	about(has('runner', 'cpu_time'), $real, 3, 'what it used until then') if $enough >= 60_000;

	# a label that changes
	$c->query("SET pgpool_stats.pool = 'second'");
	my $first = has('burner', 'cpu_time');
	burns($c, $pid);
	my $second = has('second', 'cpu_time');
	is(has('burner', 'cpu_time'), $first, 'a label that changes: nothing of what follows');
	($real) = proc($pid);
	about($first + $second, $real, 3, 'CPU time under both labels');
	$c->quit;
	wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'second'});
	cmp_ok(has('second', 'cpu_time'), '>=', $second, 'it stays when the session ends');

	# parallel workers are the postmaster's children
	my $p = session('parallel');
	$p->query_safe('CREATE TEMP TABLE none (a int)');
	$p->query_safe('SET parallel_leader_participation = off');
	my $parallel = 'SELECT sum(length(repeat(md5(b), 20))) FROM u, LATERAL (SELECT sum(sqrt(i + u.a)) FROM generate_series(1, 1500) AS i) AS w';
	like($p->query_safe("EXPLAIN $parallel"), qr/Gather/, 'a parallel query');
	$p->query_safe($parallel);
	$pid = $p->query_safe('SELECT pg_backend_pid()');
	my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'};
	1 while $monitor->query_safe($workers) > 0;
	$cpu = has('parallel', 'cpu_time');
	my ($own, $ended) = ((proc($pid))[0], (proc($postmaster))[1]);
	do
	{
		$p->query_safe($parallel) foreach 1 .. 2;
		1 while $monitor->query_safe($workers) > 0;
	} while ((proc($postmaster))[1] < $ended + $enough);
	$cpu = has('parallel', 'cpu_time') - $cpu;
	$own = (proc($pid))[0] - $own;
	$ended = (proc($postmaster))[1] - $ended;
	cmp_ok($ended, '>', 10 * $own, 'it is the workers that use it');
	about($cpu, $own + $ended, 3, 'CPU time with parallel workers');
	$p->quit;
	wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'parallel'});

	ok( $monitor->query_safe(q{
			SELECT max(cpu_time) FILTER (WHERE pool = '(server)') >=
				sum(cpu_time) FILTER (WHERE datname IS NOT NULL) AND
				bool_and(cpu_time > 0) FILTER (WHERE pool = '(not accounted)')
			FROM pgpool_stats.usage}) eq 't',
		'the server has more than all pools');

	#
	# Memory
	#
  SKIP:
	{
		my $of = $b->query_safe('SELECT pg_backend_pid()');
		skip 'the system does not tell', 1
		  unless -r "/proc/$of/smaps_rollup"
		  && slurp_file("/proc/$of/smaps_rollup") =~ /^Pss_Anon:\s*\d/m;

		becomes(q{SELECT memory_sampled = 1 AND memory > 0 FROM pgpool_stats.usage
			WHERE pool = 'blocks'}, 't', 'memory of a session');
		# It may have been read while the session still worked.
		my ($anon, $memory);
		foreach (1 .. 300)
		{
			($anon) = slurp_file("/proc/$of/smaps_rollup") =~ /^Pss_Anon:\s*(\d+)/m;
			$memory = has('blocks', 'memory');
			last if abs($memory - $anon * 1024) <= $anon * 256;
			usleep(100_000);
		}
		about($memory, $anon * 1024, 25, 'what the system says');
		$b->query_safe(q{SET work_mem = '1GB'});
		$b->query_safe('BEGIN');
		$b->query_safe(q{DECLARE c CURSOR FOR SELECT repeat('x', 1000) || i FROM generate_series(1, 30000) AS i ORDER BY 1});
		$b->query_safe('MOVE 1 IN c');
		becomes(q{SELECT memory > 30000000 FROM pgpool_stats.usage WHERE pool = 'blocks'},
			't', 'a sort in memory');
		$b->query_safe('COMMIT');
		$b->quit;
		becomes(q{SELECT memory IS NULL AND memory_sampled = 0 FROM pgpool_stats.usage
			WHERE pool = 'blocks'}, 't', 'nobody is there');
	}
}

#
# Rights
#
session('mine', as => 'app')->query_safe($rows);
is( sql(q{SELECT pool, wal_bytes > 0, memory_sampled IS NOT NULL
		FROM pgpool_stats.usage WHERE pool <> '#_usage.pl'}, as => 'app'),
	"(server)|t|f\nmine|t|t", 'a role: what the server uses, and its own');
is( sql(q{SELECT pool FROM pgpool_stats.usage WHERE usename IS DISTINCT FROM 'other'},
		as => 'other'),
	'(server)', 'another one');

#
# What no pool has
#
set_to('track', 'labelled');
my $rest = has('(not accounted)', 'wal_bytes');
$from = lsn();
my $untracked = background();
$untracked->query_safe($_) foreach ($rows) x 5;
about(has('(not accounted)', 'wal_bytes') - $rest, lsn() - $from, 2, 'a session that is not tracked is not accounted');
$untracked->quit;
set_to('track', 'all');
is($monitor->query_safe(q{
		SELECT max(wal_bytes) FILTER (WHERE pool = '(server)') - sum(wal_bytes) FILTER (WHERE datname IS NOT NULL)
			= max(wal_bytes) FILTER (WHERE pool = '(not accounted)'),
			bool_and(shared_blks_hit IS NULL) FILTER (WHERE datname IS NULL)
		FROM pgpool_stats.usage}), 't|t', 'it is a difference, of what is measured of the server');

# What never had a connection here is unknown.
report('reports', '{"checked_out": 1}');
is(has('reports', 'cpu_time IS NULL, wal_bytes IS NULL, memory_sampled'),
	't|t|0', 'a pool that only reports');

#
# The queries of the document
#
my $document = slurp_file('docs/usage.md');
my %query = $document =~ /^<!-- test: (\w+) -->\n```sql\n(.*?)^```$/msg;
is(scalar(() = $document =~ /^```sql$/mg), scalar(keys %query), 'each query has a name');
foreach my $name (sort keys %query)
{
	my ($ret, $out, $err) = psql($query{$name}, on_error_stop => 1);

	is($err, '', "$name: runs");
	like($out, qr/^writer\|/m, "$name: shows who") if $name =~ /wal|hour/;
}
SKIP:
{
	skip 'promtool is not installed', 1 unless is_there('promtool');
	my ($difference) = $document =~ /`(sum by [^`]*)`/;
	my $tests = PostgreSQL::Test::Utils::tempdir() . '/usage.yml';

	write_file($tests, qq[
tests:
  - interval: 1m
    input_series:
      - {series: 'pgpool_stats_server_wal_bytes_total{instance="db1"}', values: '0+600x10'}
      - {series: 'pgpool_stats_wal_bytes_total{instance="db1", pool="a"}', values: '0+300x10'}
      - {series: 'pgpool_stats_wal_bytes_total{instance="db1", pool="b"}', values: '0+60x10'}
    promql_expr_test:
      - {eval_time: 10m, expr: '$difference', exp_samples: [{labels: '{instance="db1"}', value: 4}]}
]);
	command_ok([ 'promtool', 'test', 'rules', $tests ], 'what is not accounted, in Prometheus');
}

#
# Over a restart nothing is lost, over a reset nothing is left.
#
$_->quit foreach $s, $monitor;
wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'writer'});
my $all = q{SELECT string_agg(format('%s %s %s %s', pool, wal_bytes, cpu_time,
		shared_blks_hit), ', ' ORDER BY pool) FROM pgpool_stats.usage
	WHERE pool IN ('writer', 'burner', 'second', 'parallel')};
my $position = "SELECT $constant FROM pgpool_stats.usage WHERE pool = '(server)'";
my $server_cpu = q{SELECT cpu_time FROM pgpool_stats.usage WHERE pool = '(server)'};
my @saved = (sql($all), sql($position), sql($server_cpu));
$node->restart;
is(sql($all), $saved[0], 'pools go on after a restart');
is(sql($position), $saved[1], 'the WAL of the server does');
cmp_ok(sql($server_cpu), '>=', $saved[2], 'and its CPU time')
  if $saved[2] ne '';

# A crash takes what was counted since the last save, from pools; the position
# of the WAL stays.  Exporters get the CPU time from there on.
my $exported = q{SELECT value FROM pgpool_stats.metrics WHERE name = 'pgpool_stats_server_%s_total'};
SKIP:
{
	skip 'no /proc', 1 if $server_cpu eq '' || sql($server_cpu) eq '';
	cmp_ok(abs(sql(sprintf $exported, 'cpu_seconds') - sql($server_cpu) / 1000), '<', 1, 'exported: CPU time of the server');
}
about(sql(sprintf $exported, 'wal_bytes'), sql(q{SELECT wal_bytes FROM pgpool_stats.usage WHERE pool = '(server)'}), 0.5, 'exported: its WAL');
set_to('save_interval', '1s');
my $now = sql('SELECT clock_timestamp()');
wait_for(qq{SELECT modification > '$now'::timestamptz + interval '2 s' FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true)});
$saved[2] = sql($server_cpu);
kill_hard(sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'background writer'}));
is(sql($all), $saved[0], 'pools go on after a crash');
is(sql($position), $saved[1], 'the WAL of the server does');
cmp_ok(sql(sprintf $exported, 'cpu_seconds') * 1000, '<', $saved[2], 'exported CPU time begins again at 0')
  if $saved[2] ne '';

$s = session('writer');
$s->query_safe($rows);
sql(q{SELECT pgpool_stats.reset('writer')});
is(sql(q{SELECT wal_bytes FROM pgpool_stats.usage WHERE pool = 'writer'}),
	0, 'a pool is reset');
$from = sql(q{SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')});
$s->query_safe($rows);
about(
	sql(q{SELECT wal_bytes FROM pgpool_stats.usage WHERE pool = 'writer'}),
	sql(qq{SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') - $from}),
	0.5, 'and counts on');
sql('SELECT pgpool_stats.reset()');
cmp_ok(sql(q{SELECT max(wal_bytes) FROM pgpool_stats.usage}),
	'<', 1000, 'all is reset, the server too');
$from = sql(q{SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')});
$s->query_safe($rows);
about(
	sql(q{SELECT wal_bytes FROM pgpool_stats.usage WHERE pool = '(server)'}),
	sql(qq{SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') - $from}),
	0.5, 'the server counts on');
$s->quit;

done_testing();
