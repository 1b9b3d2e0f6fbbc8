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

local $ENV{PGOPTIONS} = labels('doomed');
my $session = $standby->background_psql('doomed', on_error_stop => 0);
$session->query_safe('SELECT 1');
delete $ENV{PGOPTIONS};
sql('DROP DATABASE doomed');
ok($standby->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pgpool_stats.disconnects WHERE pool = 'doomed'}), 'it has ended');
is($standby->safe_psql('postgres',
		q{SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects WHERE pool = 'doomed'}),
	'recovery_conflict|57P04|f|1', 'by a conflict with recovery');
eval { $session->quit };

$standby->stop;
$primary->stop;
done_testing();
