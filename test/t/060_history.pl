# What each pool did, minute by minute: gauges, counters, a restart, pods that
# come and go, and who held the slots when somebody was rejected.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node();
sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE rejected LOGIN CONNECTION LIMIT 0;
});

# over all buckets of one length: the test may run over the end of a minute
sub history
{
	my ($columns, $bucket) = @_;

	$bucket ||= '1 min';
	return "SELECT $columns FROM pgpool_stats.history WHERE pool = 'orders' AND bucket = '$bucket'";
}

my $began = sql('SELECT clock_timestamp()');

# counters are what they rose by, from the pool's first moment on
report('orders', '{"pool_size": 5, "max_overflow": 10, "checked_out": 15, "waiting": 4, "checkouts": 100, "timeouts": 2}', instance => 'web:1');
becomes(history('max(max_checked_out), max(max_waiting), max(max_used_pct), sum(checkouts), sum(timeouts), sum(waits)'),
	'15|4|100.0|100|2|', 'a full pool');
report('orders', '{"pool_size": 5, "max_overflow": 10, "checked_out": 3, "waiting": 0, "checkouts": 130, "timeouts": 2}', instance => 'web:1');
becomes(history('min(min_checked_out), max(max_checked_out), max(max_used_pct), sum(checkouts), sum(timeouts)'),
	'3|15|100.0|130|2', 'both ends of a bucket');
is(sql(history('min(min_checked_out), max(max_checked_out), sum(checkouts)', '10 min')), '3|15|130', 'the same in ten minutes');
is(sql(history("count(*) FILTER (WHERE bucket_start > now() OR bucket_start + bucket < '$began')")),
	'0', 'buckets are of now');
like(sql("SELECT last_hour FROM pgpool_stats.pools WHERE pool = 'orders'"), qr/^-{8,9}\*-?$/, 'last_hour of a pool');
like(sql("SELECT last_hour FROM pgpool_stats.overview WHERE pool = 'orders'"), qr/^-{8,9}\*-?$/, 'the same in overview');
like(sql("SELECT last_hour FROM pgpool_stats.overview WHERE pool = '(server)'"), qr/^-{8,9}\d{1,2}$/, 'last_hour of the server');

# what the server sees
my @sessions = sessions(3, 'orders', instance => 'web:2');
$sessions[0]->query_safe('BEGIN');
becomes(history('max(max_connections), max(max_in_xact), max(instances), sum(connects)'), '3|1|2|3',
	'connections as the server sees them');
$sessions[0]->query_safe('COMMIT');
$_->quit foreach @sessions;

# a rejection, and who held the slots
{
	local $ENV{PGOPTIONS} = labels('orders');
	isnt(psql('SELECT 1', as => 'rejected'), 0, 'rejected');
}
report('orders', '{"checked_out": 1}', instance => 'other:1');
is(sql(q{SELECT h.pool, h.max_connections FROM pgpool_stats.rejections r
	JOIN pgpool_stats.history h ON r.first_rejected >= h.bucket_start AND r.first_rejected < h.bucket_start + h.bucket
	WHERE r.reason = 'role' AND h.bucket = '10 min' ORDER BY h.max_connections DESC LIMIT 1}),
	'orders|3', 'who held the slots then');

# rejections by kind, and how connections end
sql('CREATE ROLE known LOGIN CONNECTION LIMIT 1');
{
	local $ENV{PGOPTIONS} = labels('kinds');
	my $known = background(as => 'known');
	isnt(psql('SELECT 1', as => 'known'), 0, 'rejected by a limit');
	sql('ALTER ROLE known NOLOGIN');
	isnt(psql('SELECT 1', as => 'known'), 0, 'rejected at login') foreach 1 .. 2;
	sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE usename = 'known'});
	eval { $known->quit };
}
my $kinds = q{SELECT sum(rejected), sum(rejected_logins), sum(rejected_unavailable), sum(sessions_abandoned), sum(sessions_fatal), sum(sessions_killed)
	FROM pgpool_stats.history WHERE usename = 'known' AND bucket = '10 min'};
becomes($kinds, '1|2|0|0|0|1', 'rejections by kind, and how connections ended');

# a restart
$node->restart;
becomes(history('min(min_checked_out), max(max_checked_out), sum(checkouts), sum(connects)'), '3|15|130|3',
	'it survives a restart');
is(sql($kinds), '1|2|0|0|0|1', 'kinds do');
becomes("SELECT count(*) > 0 FROM pgpool_stats.info WHERE last_pass > started_at", 't', 'the collector has looked');
is(sql(history('sum(checkouts)', '10 min')), '130', 'a restart counts nothing twice');
report('orders', '{"pool_size": 5, "max_overflow": 10, "checked_out": 3, "checkouts": 140}', instance => 'web:1');
becomes(history('sum(checkouts)'), '140', 'and goes on');

# pods that go leave it
sql("SELECT pgpool_stats.forget('orders', i) FROM unnest(ARRAY['web:1', 'other:1']) AS i");
is(sql(history('max(max_checked_out), sum(checkouts)')), '15|140', 'the pods are gone, the history is not');

# counters that start again at 0
sql("SELECT pgpool_stats.reset('orders')");
report('orders', '{"checkouts": 5, "checked_out": 1}', instance => 'web:3');
becomes(history('sum(checkouts)'), '145', 'after a reset');

# other people's pools
is(sql("SELECT count(*) FROM pgpool_stats.history WHERE usename <> 'app'", as => 'app'), '0',
	'not for everybody');

$node->stop;
done_testing();
