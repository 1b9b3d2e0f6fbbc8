
# A clean restart keeps everything, and nothing is late right after it.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $stale_after = 4;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', qq{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.sample_interval = 100ms
pgpool_stats.stale_after = ${stale_after}s
pgpool_stats.expire_after = 1s
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats');

# the totals of an expired instance are its pool's
$node->safe_psql('postgres',
	q{SELECT pgpool_stats.report('kept', '{"checkouts": 100, "timeouts": 3}', 'old')}
);
$node->poll_query_until('postgres',
	q{SELECT count(*) = 0 FROM pgpool_stats.instances WHERE pool = 'kept'})
  or die 'instance does not expire';
$node->append_conf('postgresql.conf', 'pgpool_stats.expire_after = 1h');
$node->reload;
$node->poll_query_until('postgres', 'SHOW pgpool_stats.expire_after', '1h')
  or die 'no reload';

$node->safe_psql(
	'postgres', q{
	SELECT pgpool_stats.report('kept', '{"pool_size": 5, "max_overflow": 10,
		"open": 6, "checked_out": 4, "checked_in": 2, "waiting": 0,
		"checkouts": 20, "waits": 7, "total_wait_time": 1234.5, "errors": 2,
		"app_version": "1.2", "no_such_key": 1}', 'new-1');
	SELECT pgpool_stats.report('kept', '{"pool_size": 5, "checkouts": 25}', 'new-1');
	SELECT pgpool_stats.report('kept', '{"checkouts": 3}', 'new-2');
});

# the connection that reported was taken for one of its instance
$node->poll_query_until('postgres',
	q{SELECT connections = 0 FROM pgpool_stats.pools WHERE pool = 'kept'})
  or die 'connections stay';

my @sessions;
{
	local $ENV{PGOPTIONS} =
	  '-c pgpool_stats.pool=kept -c pgpool_stats.instance=new-3 -c pgpool_stats.pool_size=8';
	@sessions = map { $node->background_psql('postgres') } (1 .. 3);
}

# peaks over several instances are noticed at a pass
$node->poll_query_until('postgres',
	q{SELECT peak_connections = 3 AND peak_instances = 3
	  FROM pgpool_stats.pools WHERE pool = 'kept'})
  or die 'no peak';
$_->quit foreach @sessions;
$node->poll_query_until('postgres',
	q{SELECT connections = 0 AND disconnects >= 3
	  FROM pgpool_stats.pools WHERE pool = 'kept'})
  or die 'connections stay';

# the pass that notes the peak ends with this
$node->poll_query_until('postgres',
	q{SELECT last_pass > clock_timestamp() - interval '90 ms'
	  FROM pgpool_stats.info})
  or die 'no pass';

my $pools = q{
	SELECT jsonb_pretty(to_jsonb(p) - 'status_since')
	FROM pgpool_stats.pools p WHERE pool = 'kept'};
my $instances = q{
	SELECT jsonb_pretty(to_jsonb(i) - 'status_since')
	FROM pgpool_stats.instances i WHERE pool = 'kept' ORDER BY instance};
my $reset = 'SELECT stats_reset FROM pgpool_stats.info';
my $started = 'SELECT started_at FROM pgpool_stats.info';

# status depends on time: wait for what it ends as
$node->poll_query_until(
	'postgres',
	q{SELECT bool_and(status = 'gone') FROM pgpool_stats.instances
	  WHERE pool = 'kept'}) or die 'instances do not become late';

my %before = map { $_ => $node->safe_psql('postgres', $_) }
  ($pools, $instances, $reset, $started);
like($before{$pools}, qr/"checkouts": 128,/, 'totals are those of all');
like($before{$pools}, qr/"peak_connections": 3,/, 'peak of connections');

$node->restart;

# First of all: what is old because the server was down is not late.
is( $node->safe_psql(
		'postgres', qq{
		SELECT string_agg(DISTINCT status, ',')
		FROM pgpool_stats.instances, pgpool_stats.info
		WHERE pool = 'kept' AND
			last_report < clock_timestamp() - interval '$stale_after s' AND
			clock_timestamp() < started_at + interval '$stale_after s'}),
	'ok',
	'nothing is late right after a start');
isnt(
	$node->safe_psql(
		'postgres', q{SELECT status FROM pgpool_stats.pools WHERE pool = 'kept'}
	),
	'gone',
	'neither is the pool');
$node->poll_query_until(
	'postgres',
	q{SELECT bool_and(status = 'gone') FROM pgpool_stats.instances
	  WHERE pool = 'kept'}) or die 'instances do not become late';
is( $node->safe_psql(
		'postgres', qq{
		SELECT bool_and(status_since >= started_at + interval '$stale_after s')
		FROM pgpool_stats.instances, pgpool_stats.info WHERE pool = 'kept'}),
	't',
	'late counts from the start');

is($node->safe_psql('postgres', $pools), $before{$pools}, 'pool is kept');
is($node->safe_psql('postgres', $instances),
	$before{$instances}, 'instances are kept');
is($node->safe_psql('postgres', $reset), $before{$reset},
	'stats_reset is kept');
is( $node->safe_psql(
		'postgres',
		"SELECT started_at > '$before{$started}' FROM pgpool_stats.info"),
	't',
	'started_at is new');

# a counter goes on where it was
$node->safe_psql('postgres',
	q{SELECT pgpool_stats.report('kept', '{"checkouts": 30}', 'new-1')});
is( $node->safe_psql(
		'postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'kept'}),
	'133',
	'counters go on');

# a reset is kept, too
$node->safe_psql('postgres', q{SELECT pgpool_stats.reset()});
$before{$reset} = $node->safe_psql('postgres', $reset);
$node->restart;
is($node->safe_psql('postgres', $reset), $before{$reset},
	'stats_reset of a reset is kept');
is( $node->safe_psql(
		'postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'kept'}),
	'0',
	'and so are its zeros');

# save = off
$node->append_conf('postgresql.conf', 'pgpool_stats.save = off');
$node->restart;
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'kept'}),
	'0',
	'with save off nothing is loaded');
$node->safe_psql('postgres',
	q{SELECT pgpool_stats.report('unsaved', '{"checkouts": 30}', 'i')});
$node->restart;
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'unsaved'}),
	'0',
	'nor saved');

$node->stop;
done_testing();
