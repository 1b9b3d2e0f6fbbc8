# Leaks are a lower bound: what is not counted, and when a report holds.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
max_connections = 100
pgpool_stats.sample_interval = 100ms
pgpool_stats.stale_after = 2s
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	CREATE ROLE app LOGIN;
	CREATE ROLE other LOGIN;
});

sub one
{
	return $node->safe_psql('postgres', $_[0]);
}

# Sessions of a pool, all used just now
sub sessions
{
	my ($pool, $n) = @_;

	return map {
		my $session = $node->background_psql('postgres',
			extra_params => [ '-d',
				'user=app dbname=postgres host=' . $node->host
				  . " options='-c pgpool_stats.pool=$pool -c pgpool_stats.instance=i'" ]);
		$session->query_safe('SELECT 1');
		$session;
	} (1 .. $n);
}

sub pid
{
	return $_[0]->query_safe('SELECT pg_backend_pid()');
}

my $reporter = $node->background_psql('postgres',
	extra_params => [ '-d',
		'user=app dbname=postgres host=' . $node->host
		  . " options='-c pgpool_stats.pool=reports'" ]);

# so many lent out and so many idle in the pool
sub report
{
	my ($pool, $lent, $idle, $more) = @_;

	$reporter->query_safe(
		"SELECT pgpool_stats.report('$pool', '{\"pool_size\": 5, \"checked_out\": $lent, \"checked_in\": $idle"
		  . ($more // '') . "}', 'i')");
	return;
}

sub wait_for
{
	my ($name, $condition) = @_;

	$node->poll_query_until('postgres', "SELECT $condition")
	  or die "never: $name";
	return;
}

# until nothing has happened on any session of the pool for so long
sub wait_quiet
{
	my ($pool, $seconds) = @_;

	wait_for("$pool quiet for $seconds s",
		"max(state_change) < now() - interval '$seconds s' FROM pgpool_stats.connections WHERE pool = '$pool'"
	);
	return;
}

sub wait_late
{
	my ($pool) = @_;

	wait_for("report of $pool late",
		"last_report < now() - interval '2.5 s' FROM pgpool_stats.instances WHERE pool = '$pool' AND instance = 'i'"
	);
	return;
}

sub leaked
{
	my ($pool) = @_;

	return one(
		"SELECT coalesce(sum(at_least), 0) FROM pgpool_stats.leaks WHERE pool = '$pool'"
	);
}

#
# The setting is taken with a reload
#
my @first = sessions('reloaded', 2);
report('reloaded', 2, 0);
wait_quiet('reloaded', 1.2);
is(leaked('reloaded'), 0, 'not in 10 minutes');
$node->append_conf('postgresql.conf', "pgpool_stats.leak_after = '1s'");
$node->reload;
wait_for('the setting', "current_setting('pgpool_stats.leak_after') = '1s'");
is(leaked('reloaded'), 2, 'but in a second');
is( $node->safe_psql(
		'postgres',
		'SELECT count(*) FROM pgpool_stats.leaks',
		extra_params => [ '-U', 'other' ]),
	0,
	'others do not see it');
is( $node->safe_psql(
		'postgres',
		'SELECT count(*) FROM pgpool_stats.leaks',
		extra_params => [ '-U', 'app' ]),
	1,
	'its role does');

#
# Held with a reason: LISTEN in force, advisory locks
#
my %held = (
	'LISTEN' => [ 'listens', 'LISTEN a' ],
	'LISTEN in a function' =>
	  [ 'listens', q{DO $$BEGIN EXECUTE 'LISTEN a'; END$$} ],
	'UNLISTEN' => [ '', 'LISTEN a', 'UNLISTEN *' ],
	'DISCARD ALL' => [ '', 'LISTEN a', 'DISCARD ALL' ],
	'LISTEN undone' => [ '', 'BEGIN', 'LISTEN a', 'ROLLBACK' ],
	'UNLISTEN undone' =>
	  [ 'listens', 'LISTEN a', 'BEGIN', 'UNLISTEN *', 'ROLLBACK' ],
	'UNLISTEN undone in part' => [
		'listens', 'LISTEN a', 'BEGIN', 'SAVEPOINT s', 'UNLISTEN *',
		'ROLLBACK TO s', 'COMMIT'
	],
	'UNLISTEN and LISTEN' =>
	  [ 'listens', 'LISTEN a', 'BEGIN', 'UNLISTEN *', 'LISTEN b', 'COMMIT' ],
	'LISTEN and UNLISTEN' =>
	  [ '', 'BEGIN', 'LISTEN b', 'UNLISTEN *', 'COMMIT' ],
	'UNLISTEN of one channel' =>
	  [ 'listens', 'LISTEN a', 'LISTEN b', 'UNLISTEN a' ],
	'advisory lock' =>
	  [ 'holds an advisory lock', 'SELECT pg_advisory_lock(1)' ],
	'shared advisory lock' =>
	  [ 'holds an advisory lock', 'SELECT pg_advisory_lock_shared(2, 3)' ],
	'advisory lock released' => [
		'', 'SELECT pg_advisory_lock(4)', 'SELECT pg_advisory_unlock(4)'
	]);
my %session;
my (@exempt, @leaked);
foreach my $what (sort keys %held)
{
	my ($reason, @queries) = @{ $held{$what} };

	($session{$what}) = sessions('held', 1);
	$session{$what}->query_safe($_) foreach @queries;
	if ($reason ne '')
	{
		push @exempt, pid($session{$what}) . " $reason";
	}
	else
	{
		push @leaked, pid($session{$what});
	}
}
report('held', scalar keys %held, 0);
wait_quiet('held', 1.2);
is( one(
		"SELECT array(SELECT unnest(candidate_pids) ORDER BY 1) FROM pgpool_stats.leaks WHERE pool = 'held'"
	),
	'{' . join(',', sort { $a <=> $b } @leaked) . '}',
	'these are held without a reason');
is( one(
		"SELECT string_agg(e, ', ' ORDER BY e) FROM pgpool_stats.leaks, unnest(string_to_array(exempt, ', ')) AS e WHERE pool = 'held'"
	),
	join(', ', sort @exempt),
	'and these with one');
is(leaked('held'), scalar @leaked, 'only the former count');
$_->quit foreach values %session;

#
# Idle in a transaction: no report needed; an advisory lock is a reason
#
my @in_xact = sessions('in-xact', 3);
$in_xact[0]->query_safe('BEGIN');
$in_xact[1]->query_safe('BEGIN');
$in_xact[1]->query_safe('SELECT pg_advisory_xact_lock(5)');
my $pid = pid($in_xact[0]);
wait_quiet('in-xact', 1.2);
is( one(
		"SELECT at_least, candidates, candidate_pids, exempt LIKE '% holds an advisory lock' FROM pgpool_stats.leaks WHERE pool = 'in-xact'"
	),
	"1|1|{$pid}|t",
	'idle in a transaction');
is( one(
		"SELECT suspect, pid FROM pgpool_stats.connections WHERE pool = 'in-xact' AND suspect IS NOT NULL"
	),
	"idle in transaction|$pid",
	'and under suspicion');
# several labels, one after the other, are a pooler's: still somebody holds it
$in_xact[2]->query_safe("SET pgpool_stats.instance = 'j'");
$in_xact[2]->query_safe("RESET pgpool_stats.instance");
$in_xact[2]->query_safe("SELECT 1");
is(leaked('in-xact'), 1, 'also through a pooler');
$in_xact[0]->query_safe("SELECT 1");
is(leaked('in-xact'), 0, 'not while it works');
$_->quit foreach @in_xact;

#
# Connections that only wait in their pool
#
my @idle = sessions('min-idle', 5);
report('min-idle', 0, 5);
wait_quiet('min-idle', 1.2);
report('min-idle', 0, 5);
is(leaked('min-idle'), 0, 'all are idle in the pool');

# Two are borrowed, and nothing is done with them as yet: nothing leaked
# before they have been away for leak_after.
report('min-idle', 2, 3);
is(leaked('min-idle'), 0, 'borrowed just now');
wait_for(
	'borrowed for long',
	"last_report < now() - interval '1.1 s' FROM pgpool_stats.instances WHERE pool = 'min-idle'"
);
report('min-idle', 2, 3);
is(leaked('min-idle'), 2, 'borrowed for long');
report('min-idle', 1, 4);
is(leaked('min-idle'), 1, 'one came back');
report('min-idle', 0, 5);
is(leaked('min-idle'), 0, 'both came back');

# The same by name, beside others that are borrowed and used.
my @pids = map { pid($_) } @idle;
my $lent = ", \"checked_out_pids\": [$pids[0], $pids[1]]";
report('min-idle', 0, 5, ', "checked_out_pids": []');
wait_quiet('min-idle', 1.2);
report('min-idle', 0, 5, ', "checked_out_pids": []');
report('min-idle', 2, 3, $lent);
is(leaked('min-idle'), 0, 'by name: borrowed just now');
wait_for(
	'borrowed for long',
	"last_report < now() - interval '1.1 s' FROM pgpool_stats.instances WHERE pool = 'min-idle'"
);
report('min-idle', 2, 3, $lent);
$idle[1]->query_safe('SELECT 1');
report('min-idle', 2, 3, $lent);
is( one(
		"SELECT at_least, candidate_pids FROM pgpool_stats.leaks WHERE pool = 'min-idle'"
	),
	"1|{$pids[0]}",
	'by name: just that which is not used');
# names of a report are not those of the next
report('min-idle', 0, 5);
is(leaked('min-idle'), 0, 'by name: a report without names');
$_->quit foreach @idle;

#
# Connections that are not the pool's
#
my @with_stranger = sessions('stranger', 4);
$with_stranger[0]->query_until(qr//, "SELECT pg_sleep(60);\n");
wait_quiet('stranger', 1.2);
report('stranger', 1, 2);
is(leaked('stranger'), 0, 'one works, one is not of the pool');
$node->safe_psql('postgres',
	"SELECT pg_cancel_backend(pid) FROM pgpool_stats.connections WHERE pool = 'stranger' AND state = 'active'"
);
eval { $with_stranger[0]->quit };
$_->quit foreach @with_stranger[ 1 .. 3 ];

# What was not the pool's when it reported is not when it has fewer, either.
my @closing = sessions('closing', 5);
wait_quiet('closing', 0.7);
report('closing', 2, 2);
$closing[0]->quit;
$closing[1]->query_safe('SELECT 1');
wait_quiet('closing', 1.2);
is(leaked('closing'), 0, 'one is not of the pool, one that was lent is closed');
$_->quit foreach @closing[ 1 .. 4 ];

# Connections made since do not matter, nor does who only reports.
my @growing = sessions('growing', 3);
my $own = $node->background_psql('postgres',
	extra_params => [ '-d',
		'user=app dbname=postgres host=' . $node->host
		  . " options='-c pgpool_stats.pool=growing -c pgpool_stats.instance=i'" ]);
foreach (1 .. 2)
{
	$own->query_safe(
		q{SELECT pgpool_stats.report('growing', '{"checked_out": 2, "checked_in": 1}', 'i')});
}
wait_quiet('growing', 1.2);
is(leaked('growing'), 2, 'a connection that only reports');
$own->query_safe(
	q{SELECT pgpool_stats.report('growing', '{"checked_out": 2, "checked_in": 1}', 'i')});
is(leaked('growing'), 2, 'and has reported again');
my @more = sessions('growing', 2);
is(leaked('growing'), 2, 'two connections made since');
$own->quit;
wait_for('it is gone',
	"count(*) = 5 FROM pgpool_stats.connections WHERE pool = 'growing'");
is(leaked('growing'), 2, 'who reported is gone');
$_->quit foreach (@growing, @more);

# labels that change are a pooler's doing
my @pooled = sessions('pooled', 2);
$pooled[0]->query_safe("SET pgpool_stats.instance = 'j'; SELECT 1");
$pooled[0]->query_safe("RESET pgpool_stats.instance; SELECT 1");
report('pooled', 2, 0);
wait_quiet('pooled', 1.2);
is(leaked('pooled'), 0, 'nothing is claimed behind a pooler');
$_->quit foreach @pooled;

# one name for two processes, which tell their own numbers in turn
my @shared = sessions('shared', 4);
foreach (1 .. 6)
{
	report('shared', 1, 0, ', "checkouts": 1000, "host": "a", "pid": 1');
	report('shared', 3, 0, ', "checkouts": 10, "host": "a", "pid": 2');
}
wait_quiet('shared', 1.2);
is(leaked('shared'), 0, 'nothing is claimed of several processes in one');
$_->quit foreach @shared;

#
# The last report gets old.
#
# It is of the last use: what was lent may have come back since.
my @unproven = sessions('unproven', 4);
report('unproven', 2, 2);
# This one is of a moment when nothing had happened for long.
my @proven = sessions('proven', 4);
wait_quiet('proven', 0.7);
report('proven', 2, 2);
# This pool was full: how could it report?
my @full = sessions('full', 5);
report('full', 5, 0);
wait_quiet($_, 1.2) foreach qw(unproven proven full);
is(leaked('proven'), 2, 'proven');
is(leaked('full'), 5, 'full');
wait_late($_) foreach qw(unproven proven full);
is(leaked('unproven'), 0, 'late, of the last use');
is(leaked('proven'), 2, 'late, proven before');
is(leaked('full'), 5, 'late, but it is full');

# A transaction shows that there is more to tell.
my @overtaken = sessions('overtaken', 4);
report('overtaken', 2, 2);
$overtaken[3]->query_safe('SELECT 1');
wait_quiet('overtaken', 1.1);
is(leaked('overtaken'), 0, 'overtaken at once');
$proven[3]->query_safe('SELECT 1');
is(leaked('proven'), 1, 'overtaken, proven before: one less to choose from');
$full[4]->query_safe('SELECT 1');
is(leaked('full'), 0, 'overtaken, full');

# What is forgotten claims nothing.
report('full', 5, 0);
wait_quiet('full', 1.2);
is(leaked('full'), 5, 'a report again');
$reporter->query_safe("SELECT pgpool_stats.forget('full', 'i')");
is(leaked('full'), 0, 'forgotten');

$_->quit
  foreach (@first, @unproven, @proven, @full, @overtaken, $reporter);
$node->stop;
done_testing();
