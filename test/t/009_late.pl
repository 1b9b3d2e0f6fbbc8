# What becomes of the figures of an instance that no longer reports.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
pgpool_stats.stale_after = 1s
});

# Report on this session.
sub report_on
{
	my ($session, $pool, $stats) = @_;

	$session->query_safe(
		"SELECT pgpool_stats.report('$pool', '$stats', 'i')");
	return;
}

# Wait until the last report of a pool is late, whatever that makes of it.
sub wait_until_late
{
	my ($pool) = @_;

	wait_for(qq{
		SELECT clock_timestamp() > last_report + interval '2.1 s'
		FROM pgpool_stats.pools WHERE pool = '$pool'});
	return;
}

sub wait_for_status
{
	my ($pool, $status) = @_;

	wait_for("SELECT status = '$status' FROM pgpool_stats.instances WHERE pool = '$pool'");
	return;
}

my $reporter = background();
# Report, and say what the status is before any time passes.
sub report_and_judge
{
	my ($pool, $stats) = @_;

	return $reporter->query_safe(
		qq{SELECT status FROM pgpool_stats.report('$pool', '$stats', 'i'),
			LATERAL (SELECT status FROM pgpool_stats.instances
					 WHERE pool = '$pool' AND report) AS i});
}

#
# Late and without a connection, of which there were some: gone, with its last
# figures
#
session('left')->quit;
wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'left'});
my $all = q{pool_size, max_overflow, max_size, unlimited, min_size, open,
	checked_out, checked_in, overflow, waiting, max_wait, used_pct, as_of,
	checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors,
	last_report, connections};
is(report_and_judge(
		'left',
		'{"pool_size": 5, "max_overflow": 10, "min_size": 1, "open": 7, "checked_out": 4, "checked_in": 3, "waiting": 2, "max_wait": 12.5, "checkouts": 90, "waits": 9, "total_wait_time": 450, "timeouts": 8, "errors": 6}'),
	'waiting', 'status of a fresh report');
my $fresh = figures('left', $all);
like(
	$fresh,
	qr/^5\|10\|15\|f\|1\|7\|4\|3\|2\|2\|12\.5\|26\.7\|\d.*\|90\|9\|450\|50\|8\|6\|\d.*\|0$/,
	'figures of a fresh report');
wait_for_status('left', 'gone');
is(figures('left', $all),
	$fresh, 'a late report keeps its last figures, and as_of');
is(figures('left', 'as_of = last_report AND as_of < now()'),
	't', 'as_of shows their age');
is(figures('left', "status_since = last_report + interval '1 s'"),
	't', 'it is gone since it was late');
is(sql(q{
		SELECT instances, gone_instances, status, checkouts, open,
			max_size, used_pct
		FROM pgpool_stats.pools WHERE pool = 'left'}),
	'0|1|gone|90|||', 'a pool counts what it counted, and holds nothing');
is(report_and_judge(
		'left',
		'{"pool_size": 5, "max_overflow": 10, "waiting": 0, "open": 7, "checked_out": 4}'),
	'ok', 'the next report brings it back');

#
# Late, with connections and nothing happening: still holds
#
my $quiet = session('quiet');
report_on($quiet, 'quiet',
	'{"pool_size": 5, "max_overflow": 0, "open": 1, "checked_out": 0, "checked_in": 1, "waiting": 0, "checkouts": 3}');
$fresh = figures('quiet', $all);
wait_until_late('quiet');
is(figures('quiet', 'status'), 'ok', 'an idle pool has no reason to report');
is(figures('quiet', $all), $fresh, 'its figures hold');

#
# Late, and transactions since: silent
#
$quiet->query_safe('SELECT 1');
is(figures(
		'quiet',
		'status, open, checked_out, checked_in, overflow, waiting, max_wait, pool_size, max_size, checkouts, connections'),
	'silent|1|0||0|||5|5|3|1',
	'silent: the server shows what it can, the rest is unknown');
is(figures('quiet', 'as_of = last_report AND as_of < now()'),
	't', 'as_of still shows the age of the report');
is(sql(q{
		SELECT status, silent_instances, instances, waiting, checkouts
		FROM pgpool_stats.pools WHERE pool = 'quiet'}),
	'silent|1|1||3', 'so is its pool');
$quiet->query_safe('BEGIN');
is(figures('quiet', 'status, checked_out, in_xact, idle_in_xact'),
	'silent|1|1|1', 'a connection in a transaction is lent');
$quiet->query_safe('COMMIT');
is(figures('quiet', 'status, checked_out, in_xact, idle_in_xact'),
	'silent|0|0|0', 'after it, it is not');
report_on($quiet, 'quiet',
	'{"pool_size": 5, "max_overflow": 0, "open": 1, "checked_out": 0, "waiting": 0, "checkouts": 4}');
is(sql(q{
		SELECT status, silent_instances, waiting, checkouts
		FROM pgpool_stats.pools WHERE pool = 'quiet'}),
	'ok|0|0|4', 'the next report ends it');
$quiet->quit;
wait_for_status('quiet', 'gone');
is(figures('quiet', 'status, connections, checkouts, open, checked_out'),
	'gone|0|4|1|0', 'without connections it is gone, with its figures');

#
# A pool that is leaked empty cannot report
#
my @leaked = map { session('leaked') } (1 .. 3);
report_on($leaked[0], 'leaked',
	'{"pool_size": 2, "max_overflow": 1, "open": 3, "checked_out": 3, "checkouts": 30}');
is(figures('leaked', 'status, checked_out, max_size, used_pct'),
	'exhausted|3|3|100.0', 'all lent, and it is not reported who waits');
my $since = figures('leaked', 'status_since');
wait_until_late('leaked');
is(figures('leaked', 'status, checked_out, connections, in_xact, used_pct'),
	'exhausted|3|3|0|100.0',
	'a full instance whose connections are idle is still exhausted');
$_->query_safe('SELECT 1') foreach @leaked;
is(figures('leaked', 'status, checked_out, connections, in_xact, open'),
	'exhausted|3|3|0|3', 'also when there were transactions since');
is(sql(q{
		SELECT status, exhausted_instances, checked_out, fullest_pct
		FROM pgpool_stats.pools WHERE pool = 'leaked'}),
	'exhausted|1|3|100.0', 'and so is its pool');
is(figures('leaked', 'status_since'), $since, 'since it became so');

# one connection less, and it is not full any more
$leaked[2]->quit;
wait_for(q{SELECT connections = 2 FROM pgpool_stats.pools WHERE pool = 'leaked'});
is(figures('leaked', 'status, checked_out, connections'),
	'silent|2|2', 'what is not there is not lent');

#
# An instance that reports rarely is not late sooner than it would report
#
my ($slow, $often) = split /\|/, sql(
	q{
	-- the longest from the begin of a report to the end of the next one, in ms
	CREATE FUNCTION reports(OUT slow float8, OUT often float8)
	LANGUAGE plpgsql AS $$
	DECLARE
		began timestamptz;
		next timestamptz := clock_timestamp();
		slow_at timestamptz := next;
		often_at timestamptz := next;
	BEGIN
		slow := 0; often := 0;
		FOR i IN 1..3 LOOP
			began := clock_timestamp();
			PERFORM pgpool_stats.report('slow', '{"open": 1}', 'i');
			slow := greatest(slow, extract(epoch FROM clock_timestamp() - slow_at) * 1000);
			slow_at := began;
			next := next + interval '1.2 s';
			LOOP
				began := clock_timestamp();
				PERFORM pgpool_stats.report('often', '{"open": 1}', 'i');
				often := greatest(often, extract(epoch FROM clock_timestamp() - often_at) * 1000);
				often_at := began;
				EXIT WHEN i = 3 OR clock_timestamp() >= next;
			END LOOP;
		END LOOP;
	END $$;
	SELECT * FROM reports()});
is(figures('slow', "report_interval BETWEEN 1100 AND $slow"),
	't', "the instance's own report interval");
is(figures('often', "report_interval <= $often"), 't', "and another one's");
wait_for_status('slow', 'silent');
wait_for_status('often', 'silent');
is(sql(q{
		SELECT bool_and(abs(extract(epoch FROM status_since - last_report) -
			greatest(1, 3 * report_interval / 1000)) < 0.01)
		FROM pgpool_stats.instances WHERE pool IN ('slow', 'often')}),
	't', 'late after three of its own intervals, stale_after at the least');

#
# A pool that only reports, whose connections have no label: the server sees
# nothing of it.  Full, it cannot report, and is not gone because of that.
#
report_on($reporter, 'unseen',
	'{"pool_size": 2, "max_overflow": 1, "open": 3, "checked_out": 3, "checked_in": 0, "waiting": 4, "checkouts": 30}');
is(figures('unseen', 'status, notes'),
	'exhausted|no connection here has had its label: label its connections',
	'that its connections are not known is noted');
my $shown = 'open, checked_out, checked_in, waiting, used_pct, checkouts, as_of = last_report';
$fresh = figures('unseen', $shown);
is($fresh, '3|3|0|4|100.0|30|t', 'its figures');
wait_for_status('unseen', 'silent');
is(figures('unseen', $shown), $fresh, 'late, it is silent with its last figures');
is(figures('unseen', 'unclaimed'), '', 'nothing is compared with connections');
wait_for(q{SELECT message LIKE 'unseen on postgres: 1 of 1 instance silent for % s; no connection here has had its label'
		  FROM pgpool_stats.alerts WHERE pool = 'unseen' AND rule = 'silent'});
report_on($reporter, 'unseen', '{"open": 3, "checked_out": 1, "waiting": 0}');
is(figures('unseen', 'status'), 'ok', 'the next report ends it');
wait_for_status('unseen', 'silent');
$reporter->query_safe(q{SELECT pgpool_stats.forget('unseen', 'i')});
is(figures('unseen', 'status'), '', 'said goodbye, it is not there any more');
report_on($reporter, 'unseen', '{"open": 1}');
wait_for_status('unseen', 'silent');
set_to('expire_after', '1s');
wait_for(q{SELECT count(*) = 0 FROM pgpool_stats.instances WHERE pool = 'unseen'});
set_to('expire_after', '1h');

#
# An instance that never reports
#
my $plain = session('plain');
is(figures(
		'plain', 'status, open, checked_out, checked_in, waiting, as_of, checkouts'),
	'ok|1|0||||', 'without a report, it is what the server sees');
$plain->query_safe('BEGIN');
is(figures('plain', 'status, open, checked_out'),
	'ok|1|1', 'a transaction is a connection lent out');
$plain->quit;
wait_for_status('plain', 'gone');
is(figures('plain', 'status, connections'),
	'gone|0', 'it is gone with its connections');

$leaked[$_]->quit foreach (0, 1);
$reporter->quit;
$node->stop;
done_testing();
