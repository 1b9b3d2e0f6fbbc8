# Leaks are a lower bound: what is not counted, and when a report holds.
use strict;
use warnings;

use Time::HiRes qw(time);
use PgpoolStats;

my $node = start_node('max_connections = 100');
sql(q{
	CREATE ROLE app LOGIN;
	CREATE ROLE other LOGIN;
});

sub pid
{
	return $_[0]->query_safe('SELECT pg_backend_pid()');
}

my $reporter = session('reports', as => 'app');

# so many lent out and so many idle in the pool
sub report_lent
{
	my ($pool, $lent, $idle, $more) = @_;

	$reporter->query_safe(
		"SELECT pgpool_stats.report('$pool', '{\"pool_size\": 5, \"checked_out\": $lent, \"checked_in\": $idle"
		  . ($more // '') . "}', 'i')");
	return;
}

# The same while the last use of all sessions is less than half of leak_after
# ago; a slow machine needs more than one try.
sub report_fresh
{
	my ($pool, $sessions, $lent, $idle) = @_;

	foreach (1 .. 100)
	{
		my $began = time;

		$_->query_safe('SELECT 1') foreach @$sessions;
		report_lent($pool, $lent, $idle);
		return if time - $began < 0.5;
	}
	die 'this machine is too slow';
}

# Something is done on a session until it ends.
sub keep_busy
{
	my ($session) = @_;
	my $pid = pid($session);

	$session->query_until(qr//, "SELECT pg_sleep(3600);\n");
	wait_for("SELECT state = 'active' FROM pg_stat_activity WHERE pid = $pid");
	return;
}

# End sessions, busy or not.
sub end_all
{
	sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	$_->quit foreach @_;
	return;
}

# until nothing has happened on any session of the pool for so long
sub wait_quiet
{
	my ($pool, $seconds) = @_;

	wait_for("SELECT max(state_change) < now() - interval '$seconds s' FROM pgpool_stats.connections WHERE pool = '$pool'");
	return;
}

sub wait_late
{
	my ($pool) = @_;

	wait_for("SELECT last_report < now() - interval '2.5 s' FROM pgpool_stats.instances WHERE pool = '$pool' AND instance = 'i'");
	return;
}

sub leaked
{
	my ($pool) = @_;

	return sql(
		"SELECT coalesce(sum(at_least), 0) FROM pgpool_stats.leaks WHERE pool = '$pool'");
}

#
# The setting is taken with a reload
#
my @first = used(2, 'reloaded', as => 'app');
report_lent('reloaded', 2, 0);
wait_quiet('reloaded', 1.2);
is(leaked('reloaded'), 0, 'not in 10 minutes');
set_to('leak_after', '1s');
is(leaked('reloaded'), 2, 'but in a second');
is(sql('SELECT count(*) FROM pgpool_stats.leaks', as => 'other'),
	0, 'others do not see it');
is(sql('SELECT count(*) FROM pgpool_stats.leaks', as => 'app'),
	1, 'its role does');

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

	($session{$what}) = used(1, 'held', as => 'app');
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
report_lent('held', scalar keys %held, 0);
wait_quiet('held', 1.2);
is(sql(
		"SELECT array(SELECT unnest(candidate_pids) ORDER BY 1) FROM pgpool_stats.leaks WHERE pool = 'held'"),
	'{' . join(',', sort { $a <=> $b } @leaked) . '}',
	'these are held without a reason');
is(sql(
		"SELECT string_agg(e, ', ' ORDER BY e) FROM pgpool_stats.leaks, unnest(string_to_array(exempt, ', ')) AS e WHERE pool = 'held'"),
	join(', ', sort @exempt),
	'and these with one');
is(leaked('held'), scalar @leaked, 'only the former count');
$_->quit foreach values %session;

#
# Idle in a transaction: no report needed; an advisory lock is a reason
#
my @in_xact = used(3, 'in-xact', as => 'app');
$in_xact[0]->query_safe('BEGIN');
$in_xact[1]->query_safe('BEGIN');
$in_xact[1]->query_safe('SELECT pg_advisory_xact_lock(5)');
my $pid = pid($in_xact[0]);
wait_quiet('in-xact', 1.2);
is(sql(
		"SELECT at_least, candidates, candidate_pids, exempt LIKE '% holds an advisory lock' FROM pgpool_stats.leaks WHERE pool = 'in-xact'"),
	"1|1|{$pid}|t", 'idle in a transaction');
is(sql(
		"SELECT suspect, pid FROM pgpool_stats.connections WHERE pool = 'in-xact' AND suspect IS NOT NULL"),
	"idle in transaction|$pid", 'and under suspicion');
# several labels, one after the other, are a pooler's: still somebody holds it
$in_xact[2]->query_safe("SET pgpool_stats.instance = 'j'");
$in_xact[2]->query_safe("RESET pgpool_stats.instance");
$in_xact[2]->query_safe("SELECT 1");
is(leaked('in-xact'), 1, 'also through a pooler');
keep_busy($in_xact[0]);
is(leaked('in-xact'), 0, 'not while it works');
end_all(@in_xact);

#
# Connections that only wait in their pool
#
my @idle = used(5, 'min-idle', as => 'app');
report_lent('min-idle', 0, 5);
wait_quiet('min-idle', 1.2);
report_lent('min-idle', 0, 5);
is(leaked('min-idle'), 0, 'all are idle in the pool');

# Nothing leaked that has not been away for leak_after, a second
sub not_yet
{
	my ($name, $began) = @_;
	my $leaked = leaked('min-idle');

	ok($leaked == 0 || time - $began >= 1, $name);
	return;
}

# Two are borrowed, and nothing is done with them as yet.
my $began = time;
report_lent('min-idle', 2, 3);
not_yet('borrowed just now', $began);
wait_for("SELECT last_report < now() - interval '1.1 s' FROM pgpool_stats.instances WHERE pool = 'min-idle'");
report_lent('min-idle', 2, 3);
is(leaked('min-idle'), 2, 'borrowed for long');
report_lent('min-idle', 1, 4);
is(leaked('min-idle'), 1, 'one came back');
report_lent('min-idle', 0, 5);
is(leaked('min-idle'), 0, 'both came back');

# The same by name, beside others that are borrowed and used.
my @pids = map { pid($_) } @idle;
my $lent = ", \"checked_out_pids\": [$pids[0], $pids[1]]";
report_lent('min-idle', 0, 5, ', "checked_out_pids": []');
wait_quiet('min-idle', 1.2);
report_lent('min-idle', 0, 5, ', "checked_out_pids": []');
$began = time;
report_lent('min-idle', 2, 3, $lent);
not_yet('by name: borrowed just now', $began);
wait_for("SELECT last_report < now() - interval '1.1 s' FROM pgpool_stats.instances WHERE pool = 'min-idle'");
report_lent('min-idle', 2, 3, $lent);
keep_busy($idle[1]);
report_lent('min-idle', 2, 3, $lent);
is(sql(
		"SELECT at_least, candidate_pids FROM pgpool_stats.leaks WHERE pool = 'min-idle'"),
	"1|{$pids[0]}", 'by name: just that which is not used');
# names of a report are not those of the next
report_lent('min-idle', 0, 5);
is(leaked('min-idle'), 0, 'by name: a report without names');
end_all(@idle);

#
# Connections that are not the pool's
#
my @with_stranger = used(4, 'stranger', as => 'app');
keep_busy($with_stranger[0]);
wait_quiet('stranger', 1.2);
report_lent('stranger', 1, 2);
is(leaked('stranger'), 0, 'one works, one is not of the pool');
end_all(@with_stranger);

# What was not the pool's when it reported is not when it has fewer, either.
my @closing = used(5, 'closing', as => 'app');
wait_quiet('closing', 0.7);
report_lent('closing', 2, 2);
$closing[0]->quit;
$closing[1]->query_safe('SELECT 1');
wait_quiet('closing', 1.2);
is(leaked('closing'), 0, 'one is not of the pool, one that was lent is closed');
$_->quit foreach @closing[ 1 .. 4 ];

# Connections made since do not matter, nor does who only reports.
my @growing = used(3, 'growing', as => 'app');
my $own = session('growing', as => 'app');
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
my @more = used(2, 'growing', as => 'app');
is(leaked('growing'), 2, 'two connections made since');
$own->quit;
wait_for("SELECT count(*) = 5 FROM pgpool_stats.connections WHERE pool = 'growing'");
is(leaked('growing'), 2, 'who reported is gone');
$_->quit foreach (@growing, @more);

# labels that change are a pooler's doing
my @pooled = used(2, 'pooled', as => 'app');
$pooled[0]->query_safe("SET pgpool_stats.instance = 'j'; SELECT 1");
$pooled[0]->query_safe("RESET pgpool_stats.instance; SELECT 1");
report_lent('pooled', 2, 0);
wait_quiet('pooled', 1.2);
is(leaked('pooled'), 0, 'nothing is claimed behind a pooler');
$_->quit foreach @pooled;

# one name for two processes, which tell their own numbers in turn
my @shared = used(4, 'shared', as => 'app');
foreach (1 .. 6)
{
	report_lent('shared', 1, 0, ', "checkouts": 1000, "host": "a", "pid": 1');
	report_lent('shared', 3, 0, ', "checkouts": 10, "host": "a", "pid": 2');
}
wait_quiet('shared', 1.2);
is(leaked('shared'), 0, 'nothing is claimed of several processes in one');
$_->quit foreach @shared;

#
# The last report gets old.
#
# It is of the last use: what was lent may have come back since.
my @unproven = used(4, 'unproven', as => 'app');
report_fresh('unproven', \@unproven, 2, 2);
# This one is of a moment when nothing had happened for long.
my @proven = used(4, 'proven', as => 'app');
wait_quiet('proven', 0.7);
report_lent('proven', 2, 2);
# This pool was full: how could it report?
my @full = used(5, 'full', as => 'app');
report_lent('full', 5, 0);
# A transaction shows that there is more to tell.
my @overtaken = used(4, 'overtaken', as => 'app');
report_fresh('overtaken', \@overtaken, 2, 2);
$overtaken[3]->query_safe('SELECT 1');
wait_quiet($_, 1.2) foreach qw(unproven proven full overtaken);
is(leaked('proven'), 2, 'proven');
is(leaked('full'), 5, 'full');
is(leaked('overtaken'), 0, 'overtaken at once');
set_to('stale_after', '2s');
wait_late($_) foreach qw(unproven proven full);
is(leaked('unproven'), 0, 'late, of the last use');
is(leaked('proven'), 2, 'late, proven before');
is(leaked('full'), 5, 'late, but it is full');
$proven[3]->query_safe('SELECT 1');
is(leaked('proven'), 1, 'overtaken, proven before: one less to choose from');
$full[4]->query_safe('SELECT 1');
is(leaked('full'), 0, 'overtaken, full');

# What is forgotten claims nothing.
set_to('stale_after', '1h');
report_lent('full', 5, 0);
wait_quiet('full', 1.2);
is(leaked('full'), 5, 'a report again');
$reporter->query_safe("SELECT pgpool_stats.forget('full', 'i')");
is(leaked('full'), 0, 'forgotten');

$_->quit
  foreach (@first, @unproven, @proven, @full, @overtaken, $reporter);
$node->stop;
done_testing();
