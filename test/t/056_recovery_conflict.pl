# A standby ends sessions that are in the way of what it replays.
use strict;
use warnings;
use PgpoolStats;

my $primary = start_node('autovacuum = off', streaming => 1);
sql('CREATE DATABASE doomed');
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

my @sessions;
{
	local $ENV{PGOPTIONS} = labels('doomed');
	@sessions = map { $standby->background_psql('doomed', on_error_stop => 0) } 1 .. 6;
}
$_->query_safe('SELECT 1') foreach @sessions;
$_->query_safe('BEGIN') foreach @sessions[ 0 .. 4 ];
sql('DROP DATABASE doomed');
ok($standby->poll_query_until('postgres',
		q{SELECT sum(count) = 6 FROM pgpool_stats.disconnects WHERE pool = 'doomed'}), 'they have ended');
is($standby->safe_psql('postgres',
		q{SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects WHERE pool = 'doomed' ORDER BY in_xact}),
	"recovery_conflict|57P04|f|1\nrecovery_conflict|57P04|t|5", 'by a conflict with recovery');
eval { $_->quit } foreach @sessions;

# nobody lost them
my $now = $standby->safe_psql('postgres', 'SELECT clock_timestamp()');
ok($standby->poll_query_until('postgres', qq{SELECT last_pass > '$now'::timestamptz + interval '200 ms' FROM pgpool_stats.info}), 'passes of the collector');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pgpool_stats.alerts WHERE rule = 'sessions_lost'}), '0', 'an application expects it');

$standby->stop;
$primary->stop;
done_testing();
