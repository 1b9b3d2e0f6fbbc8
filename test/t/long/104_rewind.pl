# An old primary is rewound to follow the new one.  pg_rewind takes away what is
# in pg_stat_tmp, as a base backup leaves it out: its counters begin anew, and are
# not those of the server that it was rewound to.

use strict;
use warnings;
use PgpoolStats;

my $new = start_node("wal_log_hints = on\nwal_keep_size = 256MB\npgpool_stats.save_interval = 1s", name => 'first', streaming => 1);
my $old = $new;
$old->backup('base');
$new = PostgreSQL::Test::Cluster->new('second');
$new->init_from_backup($old, 'base', has_streaming => 1);
$new->start;

# What a server has of a pool that tells a counter
sub report_at
{
	my ($server, $checkouts) = @_;

	return $server->safe_psql('postgres', qq{SELECT pgpool_stats.report('orders', '{"checkouts": $checkouts}', 'i')});
}
sub checkouts
{
	my ($server) = @_;

	return $server->safe_psql('postgres', q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'orders'});
}
report_at($old, 5);
is(checkouts($new), '', 'what is reported to a primary is not known at its standby');

$new->promote;
report_at($new, 7);
# they part
$_->safe_psql('postgres', 'CREATE TABLE parted (at timestamptz DEFAULT now()); INSERT INTO parted DEFAULT VALUES; CHECKPOINT') foreach $old, $new;
report_at($old, 9);
$old->stop;
my $conf = slurp_file($old->data_dir . '/postgresql.conf');
command_ok([ 'pg_rewind', '--no-sync', '-D', $old->data_dir, '--source-server', $new->connstr('postgres') ], 'pg_rewind');
write_file($old->data_dir . '/postgresql.conf', $conf);
$old->enable_streaming($new);
$old->set_standby_mode;
$old->start;
ok($old->poll_query_until('postgres', 'SELECT pg_is_in_recovery() AND count(*) = 1 FROM parted'), 'it follows the new primary');
is(checkouts($old), '', 'it begins anew, without the counters of the new primary');
is(checkouts($new), 7, 'which has its own');
report_at($old, 12);
is(checkouts($old), 12, 'reports are counted');
$old->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pgpool_stats collector'})
  or die 'no collector';
my $pass = $old->safe_psql('postgres', 'SELECT last_pass FROM pgpool_stats.info');
ok($old->poll_query_until('postgres', "SELECT last_pass > '$pass' FROM pgpool_stats.info"), 'the collector goes on');
note(sprintf '| %-44s | %6s | %s', 'promotion, and pg_rewind of the old primary', 1, 'the server goes on, its counters begin anew');

$old->stop;
$new->stop;
done_testing();
