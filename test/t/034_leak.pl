# The leak that must not read as zero: an instance has leaked all of its
# connections.  They are idle, so the server sees nobody at work, and the pool
# has no connection left to report on.

use strict;
use warnings;
use PgpoolStats;

# "an hour" is what it takes to be late and to expire
my $node = start_node(q{
max_connections = 100
pgpool_stats.stale_after = 1s
pgpool_stats.expire_after = 1s
});
sql(q{
	-- What an instance reads like from now on for a while: all there was
	CREATE FUNCTION watch(which text, seconds float8, OUT looks int,
		OUT what text)
	LANGUAGE plpgsql AS $$
	DECLARE
		stop timestamptz := clock_timestamp() + seconds * interval '1 s';
		seen text[] := '{}';
		now_seen text;
	BEGIN
		looks := 0;
		WHILE clock_timestamp() < stop OR looks <= 10 LOOP
			SELECT format('%s %s/%s %s%% of %s', i.status, i.checked_out,
				i.max_size, i.used_pct, i.connections)
			INTO now_seen FROM pgpool_stats.instances AS i
			WHERE i.pool = which;
			IF coalesce(now_seen, 'nothing') <> ALL (seen) THEN
				seen := seen || coalesce(now_seen, 'nothing');
			END IF;
			looks := looks + 1;
			PERFORM pg_sleep(0.01);
		END LOOP;
		what := array_to_string(seen, ', ');
	END $$;
});

my %cap = (pool_size => 5, max_overflow => 10);
my $last_words = background();
$last_words->query_safe(
	q{SELECT pgpool_stats.report('other', '{"open": 1}', 'i')});

# The last report of a pool comes on a connection that is not one of it.
sub report_full
{
	my ($pool, $more) = @_;

	$last_words->query_safe(
		qq{SELECT pgpool_stats.report('$pool', '{"pool_size": 5, "max_overflow": 10, "open": 15, "checked_out": 15, "checked_in": 0$more}', 'i')});
	return;
}

sub reads_as
{
	my ($name, $pool, $expected) = @_;
	my ($looks, $what) = split /\|/,
	  sql("SELECT * FROM watch('$pool', 3)");

	is($what, $expected, $name);
	cmp_ok($looks, '>', 10, 'somebody looked');
	return;
}

sub pool_reads
{
	my ($pool) = @_;

	return sql(qq{
		SELECT status, checked_out, max_size, fullest_pct,
			status IN ('exhausted', 'full')
				AND exhausted_instances = (status = 'exhausted')::int
		FROM pgpool_stats.pools WHERE pool = '$pool'});
}

#
# Not a word any more, and nothing happens
#
my @leaked = sessions(15, 'leaked', %cap);
report_full('leaked', '');
reads_as('leaked and silent', 'leaked', 'exhausted 15/15 100.0% of 15');
is(pool_reads('leaked'), 'exhausted|15|15|100.0|t', 'and so is its pool');
is(sql(q{SELECT in_xact, waiting, last_report < now() - interval '2 s',
			as_of = last_report
		  FROM pgpool_stats.instances WHERE pool = 'leaked'}),
	'0||t|t', 'though nobody is at work');

# the last that could be heard: nobody waits yet
my @waited = sessions(15, 'nobody-waited', %cap);
report_full('nobody-waited', ', "waiting": 0');
reads_as('nobody waited', 'nobody-waited', 'full 15/15 100.0% of 15');
# or that some wait
my @queued = sessions(15, 'some-waited', %cap);
report_full('some-waited', ', "waiting": 3');
reads_as('some waited', 'some-waited', 'exhausted 15/15 100.0% of 15');

#
# Something happens on one of them: what was lent stays lent
#
foreach my $case ([ 'leaked', \@leaked ], [ 'nobody-waited', \@waited ])
{
	my ($pool, $sessions) = @$case;

	$sessions->[0]->query_safe('SELECT 1');
	reads_as("$pool, and one is used", $pool, 'exhausted 15/15 100.0% of 15');
	is(pool_reads($pool), 'exhausted|15|15|100.0|t', "$pool: and its pool");
}
$leaked[1]->query_safe('BEGIN');
reads_as('one is left in a transaction',
	'leaked', 'exhausted 15/15 100.0% of 15');
$leaked[1]->query_safe("SELECT 1;\nCOMMIT");
reads_as('and not any more', 'leaked', 'exhausted 15/15 100.0% of 15');

# reset() is about counters
sql('SELECT pgpool_stats.reset()');
reads_as('after a reset()', 'leaked', 'exhausted 15/15 100.0% of 15');

# leaked before anything was ever reported: in a transaction
my @never = sessions(15, 'never-reported', %cap);
$_->query_safe('BEGIN') foreach @never;
reads_as('never reported, in a transaction',
	'never-reported', 'exhausted 15/15 100.0% of 15');

# The connections break one after the other: only those that are there can
# be lent.  With the last one it is gone, but its row says so.
$_->quit foreach @leaked[ 0 .. 9 ];
wait_for(q{SELECT connections = 5 FROM pgpool_stats.instances
	  WHERE pool = 'leaked'});
reads_as('ten of them break', 'leaked', 'silent 5/15 33.3% of 5');

# it is back
report_full('leaked', ', "waiting": 0');
is(sql(q{SELECT status FROM pgpool_stats.instances WHERE pool = 'leaked'}),
	'full', 'a report says how it is');

# never expired as long as there is one connection
sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
becomes(q{SELECT count(*) = 0 FROM pgpool_stats.instances
		  WHERE pool IN ('leaked', 'nobody-waited', 'never-reported')}, 't',
	'without connections it expires');
foreach (@leaked[ 10 .. 14 ], @waited, @queued, @never, $last_words)
{
	eval { $_->quit };
}

$node->stop;
done_testing();
