# What each pool did, minute by minute: gauges, counters, a restart, pods that
# come and go, and who held the slots when somebody was refused.
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
pgpool_stats.sample_interval = '100ms'
});
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION pgpool_stats;
CREATE ROLE app LOGIN;
CREATE ROLE refused LOGIN CONNECTION LIMIT 0;
});

sub one
{
	return $node->safe_psql('postgres', $_[0]);
}

sub report
{
	my ($stats, $instance) = @_;

	one("SELECT pgpool_stats.report('orders', '$stats', '" . ($instance || 'web:1') . "')");
}

# over all buckets of one length: the test may run over the end of a minute
sub history
{
	my ($columns, $bucket) = @_;

	$bucket ||= '1 min';
	return "SELECT $columns FROM pgpool_stats.history WHERE pool = 'orders' AND bucket = '$bucket'";
}

sub becomes
{
	my ($query, $expected, $name) = @_;

	ok($node->poll_query_until('postgres', $query, $expected), $name)
	  or diag(one($query));
}

# counters are what they rose by, from the pool's first moment on
report('{"pool_size": 5, "max_overflow": 10, "checked_out": 15, "waiting": 4, "checkouts": 100, "timeouts": 2}');
becomes(history('max(max_checked_out), max(max_waiting), max(max_used_pct), sum(checkouts), sum(timeouts), sum(waits)'),
	'15|4|100.0|100|2|', 'a full pool');
report('{"pool_size": 5, "max_overflow": 10, "checked_out": 3, "waiting": 0, "checkouts": 130, "timeouts": 2}');
becomes(history('min(min_checked_out), max(max_checked_out), max(max_used_pct), sum(checkouts), sum(timeouts)'),
	'3|15|100.0|130|2', 'both ends of a bucket');
is(one(history('min(min_checked_out), max(max_checked_out), sum(checkouts)', '10 min')), '3|15|130', 'the same in ten minutes');
is(one(history('count(*) FILTER (WHERE bucket_start > now() OR bucket_start + bucket < now() - interval \'1 min\')')),
	'0', 'buckets are of now');
like(one("SELECT last_hour FROM pgpool_stats.pools WHERE pool = 'orders'"), qr/^-{8,9}\*-?$/, 'last_hour of a pool');
like(one("SELECT last_hour FROM pgpool_stats.overview WHERE pool = 'orders'"), qr/^-{8,9}\*-?$/, 'the same in overview');
like(one("SELECT last_hour FROM pgpool_stats.overview WHERE pool = '(server)'"), qr/^-{8,9}\d{1,2}$/, 'last_hour of the server');

# what the server sees
my @sessions = map {
	$node->background_psql('postgres', extra_params => [ '-d',
		'dbname=postgres host=' . $node->host . " options='-c pgpool_stats.pool=orders -c pgpool_stats.instance=web:2'" ])
} 1 .. 3;
$sessions[0]->query_safe('BEGIN');
becomes(history('max(max_connections), max(max_in_xact), max(instances), sum(connects)'), '3|1|2|3',
	'connections as the server sees them');
$sessions[0]->query_safe('COMMIT');
$_->quit foreach @sessions;

# a refusal, and who held the slots
my ($rc) = $node->psql('postgres', 'SELECT 1', extra_params => [ '-d',
	'dbname=postgres user=refused host=' . $node->host . " options='-c pgpool_stats.pool=orders'" ]);
isnt($rc, 0, 'refused');
one("SELECT pgpool_stats.report('orders', '{\"checked_out\": 1}', 'other:1')");
is(one(q{SELECT h.pool, h.max_connections FROM pgpool_stats.rejections r
	JOIN pgpool_stats.history h ON r.first_rejected >= h.bucket_start AND r.first_rejected < h.bucket_start + h.bucket
	WHERE r.reason = 'role' AND h.bucket = '10 min' ORDER BY h.max_connections DESC LIMIT 1}),
	'orders|3', 'who held the slots then');

# a restart
$node->restart;
becomes(history('min(min_checked_out), max(max_checked_out), sum(checkouts), sum(connects)'), '3|15|130|3',
	'it survives a restart');
becomes("SELECT count(*) > 0 FROM pgpool_stats.info WHERE last_pass > started_at", 't', 'the collector has looked');
is(one(history('sum(checkouts)', '10 min')), '130', 'a restart counts nothing twice');
report('{"pool_size": 5, "max_overflow": 10, "checked_out": 3, "checkouts": 140}');
becomes(history('sum(checkouts)'), '140', 'and goes on');

# pods that go leave it
one("SELECT pgpool_stats.forget('orders', i) FROM unnest(ARRAY['web:1', 'other:1']) AS i");
is(one(history('max(max_checked_out), sum(checkouts)')), '15|140', 'the pods are gone, the history is not');

# counters that start again at 0
one("SELECT pgpool_stats.reset('orders')");
report('{"checkouts": 5, "checked_out": 1}', 'web:3');
becomes(history('sum(checkouts)'), '145', 'after a reset');

# other people's pools
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgpool_stats.history', extra_params => [ '-U', 'app' ]), '0',
	'not for everybody');

$node->stop;
done_testing();
