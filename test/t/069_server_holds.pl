# Why a pool is full, when it is the server itself that holds it up: a vacuum
# that prevents wraparound, what a standby replays, a lock inside the server.
use strict;
use warnings;
use POSIX qw(mkfifo);
use PgpoolStats;

my $node = start_node(q{
max_connections = 40
deadlock_timeout = 10ms
autovacuum = on
autovacuum_naptime = 1s
shared_preload_libraries = 'pgpool_stats, pg_stat_statements'
pg_stat_statements.track = none
pgpool_stats.alert_rules = '*: off; pool_exhausted: for 0s'
}, streaming => 1);
sql(q{
CREATE ROLE shop LOGIN;
CREATE EXTENSION pg_stat_statements;
CREATE TABLE t (a int);
GRANT ALL ON t TO shop;
});

# What is said of a pool, without figures that nobody knows
sub said
{
	my ($pool) = @_;

	return qq{SELECT regexp_replace(regexp_replace(message, 'for \\d+ (s|min)\\M', 'for N s', 'g'), 'query -?\\d+', 'query N'), cause, culprit
		FROM pgpool_stats.alerts WHERE pool = '$pool' AND state = 'firing'};
}

sub hint_of { my ($pool) = @_; return "SELECT hint FROM pgpool_stats.alerts WHERE pool = '$pool'" }
sub send_sql { my ($session, $sql) = @_; return $session->query_until(qr/sent/, "\\echo sent\n$sql;\n") }

#
# A table that is old, and that a worker reads slowly
#
sql(q{
CREATE TABLE old WITH (autovacuum_freeze_max_age = 100000, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)
	AS SELECT repeat('x', 1900) AS b FROM generate_series(1, 10000);
ALTER TABLE old OWNER TO shop;
SET synchronous_commit = off;
DO 'BEGIN FOR i IN 1 .. 101000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END';
});
my $worker = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query ~ 'public.old \(to prevent wraparound\)'};
wait_for("SELECT count(*) = 1 FROM ($worker) AS w");
my $pid = sql($worker);
my @migrate = sessions(2, 'migrate', pool_size => 2, as => 'shop');
send_sql($_, 'ALTER TABLE old ADD c int') foreach @migrate;
waits(2, 'relation');
becomes(said('migrate'), "migrate on postgres: 1 of 1 instance full (2/2) for N s: 2 wait for a lock of autovacuum (pid $pid)|lock|autovacuum",
	'a vacuum that prevents wraparound');
is(sql(hint_of('migrate')), 'It gives way after deadlock_timeout unless it prevents wraparound: then let it finish, and see pg_stat_progress_vacuum.', 'what to do');
is(sql(q{SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'old'::regclass}), '1', 'where it is seen');
is(sql($worker), $pid, 'it did not give way');
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'migrate'});
eval { $_->quit } foreach @migrate;

#
# A lock inside the server: somebody empties what pg_stat_statements keeps, on a
# disk that does not answer
#
my $texts = $node->data_dir . '/pg_stat_tmp/pgss_query_texts.stat';
unlink $texts or die "$texts: $!";
mkfifo($texts, 0600) or die "$texts: $!";
my $resets = background();
send_sql($resets, 'SELECT pg_stat_statements_reset()');
wait_for(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND query ~ '^SELECT pg_stat_statements_reset'});
sql(q{ALTER ROLE shop SET pg_stat_statements.track = 'top'});
my @busy = sessions(3, 'busy', pool_size => 3, as => 'shop');
send_sql($_, 'TABLE t') foreach @busy;
wait_for(q{SELECT count(*) = 3 FROM pg_stat_activity WHERE wait_event_type = 'LWLock' AND usename = 'shop'});
becomes(said('busy'), 'busy on postgres: 1 of 1 instance full (3/3) for N s: 3 wait for locks inside the server in query N, the oldest statement for N s|lwlock|busy i',
	'a lock inside the server');
is(sql(hint_of('busy')), q{They are in each other's way inside the server: fewer connections at once get more done. See wait_event of pg_stat_activity.}, 'what to do');
becomes(q{SELECT lwlock > 0, lock = 0 FROM pgpool_stats.load WHERE pool = 'busy'}, 't|t', 'what it is in the load');
open my $fifo, '<', $texts or die "$texts: $!";
wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event_type = 'LWLock' AND usename = 'shop'});
close $fifo;
$_->quit foreach @busy, $resets;
unlink $texts;

#
# A standby replays what is locked on its primary
#
sql('ALTER ROLE shop RESET ALL');
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
my $migration = background();
$migration->query_safe("BEGIN;\nLOCK TABLE t");
my $startup = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'};
ok($standby->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE relation = 't'::regclass AND granted AND pid = ($startup)"), 'it is replayed');
$pid = $standby->safe_psql('postgres', $startup);
my @readers;
{
	local $ENV{PGOPTIONS} = labels('readers', pool_size => 2);
	@readers = map { $standby->background_psql('postgres', on_error_stop => 0) } 1, 2;
}
send_sql($_, 'TABLE t') foreach @readers;
ok($standby->poll_query_until('postgres', said('readers'), "readers on postgres: 1 of 1 instance full (2/2) for N s: 2 wait for a lock of recovery (pid $pid)|lock|recovery"),
	'what a standby replays');
is($standby->safe_psql('postgres', hint_of('readers')), 'It replays what was locked on the primary: that transaction must end there.', 'what to do');
$migration->query_safe('COMMIT');
ok($standby->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'}), 'it ends there, and they go on');
$_->quit foreach @readers, $migration;

$standby->stop;
$node->stop('immediate');
done_testing();
