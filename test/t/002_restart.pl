# A clean restart keeps everything, and nothing is late right after it.

use strict;
use warnings;
use PgpoolStats;

my $stale_after = 4;

my $node = start_node(qq{
pgpool_stats.stale_after = ${stale_after}s
pgpool_stats.expire_after = 1s
});

# the totals of an expired instance are its pool's
report('kept', '{"checkouts": 100, "timeouts": 3}', instance => 'old');
wait_for(q{SELECT count(*) = 0 FROM pgpool_stats.instances WHERE pool = 'kept'});
set_to('expire_after', '1h');

sql(q{
	SELECT pgpool_stats.report('kept', '{"pool_size": 5, "max_overflow": 10,
		"open": 6, "checked_out": 4, "checked_in": 2, "waiting": 0,
		"checkouts": 20, "waits": 7, "total_wait_time": 1234.5, "errors": 2,
		"app_version": "1.2", "no_such_key": 1}', 'new-1');
	SELECT pgpool_stats.report('kept', '{"pool_size": 5, "checkouts": 25}', 'new-1');
	SELECT pgpool_stats.report('kept', '{"checkouts": 3}', 'new-2');
});

# the connection that reported was taken for one of its instance
wait_for(q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'kept'});

my @sessions = sessions(3, 'kept', instance => 'new-3', pool_size => 8);

# peaks over several instances are noticed at a pass
wait_for(q{SELECT peak_connections = 3 AND peak_instances = 3
	  FROM pgpool_stats.pools WHERE pool = 'kept'});
$_->quit foreach @sessions;
wait_for(q{SELECT connections = 0 AND disconnects >= 3
	  FROM pgpool_stats.pools WHERE pool = 'kept'});

# the pass that notes the peak ends with this
next_pass();

my $pools = q{
	SELECT jsonb_pretty(to_jsonb(p) - 'status_since')
	FROM pgpool_stats.pools p WHERE pool = 'kept'};
my $instances = q{
	SELECT jsonb_pretty(to_jsonb(i) - 'status_since')
	FROM pgpool_stats.instances i WHERE pool = 'kept' ORDER BY instance};
my $reset = 'SELECT stats_reset FROM pgpool_stats.info';
my $started = 'SELECT started_at FROM pgpool_stats.info';

# status depends on time: wait for what it ends as
my $gone = q{SELECT bool_and(status = 'gone') FROM pgpool_stats.instances
	  WHERE pool = 'kept'};
wait_for($gone);

my %before = map { $_ => sql($_) }
  ($pools, $instances, $reset, $started);
like($before{$pools}, qr/"checkouts": 128,/, 'totals are those of all');
like($before{$pools}, qr/"peak_connections": 3,/, 'peak of connections');

$node->restart;

# First of all, if we are in time: what is old because the server was down is
# not late.
is(sql(qq{
		SELECT coalesce(string_agg(DISTINCT status, ','), 'ok')
		FROM pgpool_stats.instances, pgpool_stats.info
		WHERE pool = 'kept' AND
			last_report < clock_timestamp() - interval '$stale_after s' AND
			clock_timestamp() < started_at + interval '$stale_after s'}),
	'ok', 'nothing is late right after a start');
is(sql(qq{
		SELECT count(*) FROM pgpool_stats.pools, pgpool_stats.info
		WHERE pool = 'kept' AND status = 'gone' AND
			clock_timestamp() < started_at + interval '$stale_after s'}),
	'0', 'neither is the pool');
wait_for($gone);
is(sql(qq{
		SELECT bool_and(status_since >= started_at + interval '$stale_after s')
		FROM pgpool_stats.instances, pgpool_stats.info WHERE pool = 'kept'}),
	't', 'late counts from the start');

is(sql($pools), $before{$pools}, 'pool is kept');
is(sql($instances), $before{$instances}, 'instances are kept');
is(sql($reset), $before{$reset}, 'stats_reset is kept');
is(sql("SELECT started_at > '$before{$started}' FROM pgpool_stats.info"),
	't', 'started_at is new');

# a counter goes on where it was
report('kept', '{"checkouts": 30}', instance => 'new-1');
is(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'kept'}),
	'133', 'counters go on');

# a reset is kept, too
sql(q{SELECT pgpool_stats.reset()});
$before{$reset} = sql($reset);
$node->restart;
is(sql($reset), $before{$reset}, 'stats_reset of a reset is kept');
is(sql(q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'kept'}),
	'0', 'and so are its zeros');

# save = off
$node->append_conf('postgresql.conf', 'pgpool_stats.save = off');
$node->restart;
is(sql(q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'kept'}),
	'0', 'with save off nothing is loaded');
report('unsaved', '{"checkouts": 30}', instance => 'i');
$node->restart;
is(sql(q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'unsaved'}),
	'0', 'nor saved');

$node->stop;
done_testing();
