# Reports need no write access: they work on a hot standby and in a read-only
# transaction.

use strict;
use warnings;
use PgpoolStats;

my $primary = start_node(q{
pgpool_stats.save_interval = 1s
}, name => 'primary', streaming => 1);

# read-only transactions
is(sql(q{
		BEGIN TRANSACTION READ ONLY;
		SELECT pgpool_stats.report('both', '{"open": 3, "checkouts": 1000}', 'primary');
		COMMIT}),
	't', 'report works in a read-only transaction');
is(sql(q{
		SET default_transaction_read_only = on;
		SELECT pgpool_stats.report('both', '{"open": 3, "checkouts": 1001}', 'primary');
		SELECT pgpool_stats.report('both', '{"open": 3}', 'bye');
		SELECT pgpool_stats.forget('both', 'bye');
		SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'both'}),
	"t\nt\nt\n1001", 'so do forget and the views');

wait_for(q{SELECT size > 0 FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true)});
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'),
	't', 'it is a standby');
is( $standby->safe_psql(
		'postgres',
		q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'both'}),
	'0',
	"a standby does not take over the primary's counters");

is( $standby->safe_psql(
		'postgres',
		q{SELECT pgpool_stats.report('both', '{"open": 2, "checkouts": 5}', 'standby')}),
	't', 'report works on a standby');
is( $standby->safe_psql(
		'postgres',
		q{SELECT instance, open, checkouts FROM pgpool_stats.instances
		  WHERE pool = 'both'}),
	'standby|2|5', 'its report is there');
is( $standby->safe_psql(
		'postgres',
		q{SELECT pgpool_stats.report('both', '{"open": 1}', 'x');
		  SELECT pgpool_stats.forget('both', 'x')}),
	"t\nt", 'forget works on a standby');
is(sql(q{SELECT string_agg(instance, ',') FROM pgpool_stats.instances
		  WHERE pool = 'both'}),
	'primary', 'and the primary knows nothing of it');

is( $standby->safe_psql(
		'postgres',
		q{SELECT string_agg(concat(pool, ' ', wal_bytes IS NULL), ', ')
		  FROM pgpool_stats.usage WHERE datname IS NULL}),
	'(server) t, (not accounted) t',
	'what a standby is sent is not what it writes');

# the collector works there, and so does everything else
$standby->poll_query_until('postgres',
	q{SELECT count(*) = 1 FROM pg_stat_activity
	  WHERE backend_type = 'pgpool_stats collector'})
  or die 'no collector';
pass('the collector runs on a standby');
my $pass = $standby->safe_psql('postgres',
	'SELECT last_pass FROM pgpool_stats.info');
ok( $standby->poll_query_until('postgres',
		"SELECT last_pass > '$pass' FROM pgpool_stats.info"),
	'and works');
is( $standby->safe_psql(
		'postgres', q{
		SELECT pool FROM pgpool_stats.overview WHERE pool IN ('(server)', 'both');
		SELECT count(*) FROM pgpool_stats.budget WHERE scope = 'server';
		SELECT fits FROM pgpool_stats.check_budget(1);
		SELECT pgpool_stats.assert_plan('[{"pool_size": 1}]')}),
	"(server)\nboth\n1\nt\nfits", 'views and budget work on a standby');
$standby->safe_psql('postgres', 'SELECT pgpool_stats.reset()');
$standby->safe_psql('postgres',
	q{SELECT pgpool_stats.report('both', '{"open": 2, "checkouts": 6}', 'standby')});
is( $standby->safe_psql(
		'postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'both'}),
	'1', 'reset works on a standby');

# alerts, silences and history, too; only NOTIFY has to wait for a primary
$standby->append_conf('postgresql.conf', q{
pgpool_stats.alert_rules = 'pool_exhausted: for 0s'
pgpool_stats.notify_database = 'postgres'
});
$standby->reload;
$standby->safe_psql('postgres', q{
	SELECT pgpool_stats.report('full', '{"max_size": 2, "checked_out": 2}', 'standby')});
ok( $standby->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE pool = 'full' AND state = 'firing'}),
	'an alert on a standby');
ok( $standby->poll_query_until('postgres',
		q{SELECT max(max_used_pct) = 100 FROM pgpool_stats.history WHERE pool = 'full'}),
	'history on a standby');
is($standby->safe_psql('postgres', q{SELECT count(pgpool_stats.silence('*'))}),
	'1', 'silence works on a standby');
like(slurp_file($standby->logfile), qr/alert raised: .* pool="full"/, 'it is in the log');
unlike(slurp_file($standby->logfile), qr/notifier/, 'nothing is sent from a standby');

# its own counters survive a restart and promotion
$standby->restart;
is( $standby->safe_psql(
		'postgres',
		q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'both'}),
	'1', 'a standby keeps its own counters over a restart');
$standby->promote;
is( $standby->safe_psql(
		'postgres', q{
		SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'both';
		SELECT pgpool_stats.report('both', '{"open": 2, "checkouts": 8}', 'standby');
		SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'both'}),
	"1\nt\n3", 'and over promotion');

$standby->stop;
$primary->stop;
done_testing();
