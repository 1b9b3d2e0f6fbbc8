# A server that starts and is not there yet for anybody: it waits for the WAL
# of an archive, before it can begin and before it is consistent.
use strict;
use warnings;

use POSIX qw(mkfifo);
use PgpoolStats;

my $primary = start_node('autovacuum = off', streaming => 1);

# a copy that is only consistent with what the next WAL file says
my $session = background();
my $backup = $primary->backup_dir . '/copy';
$session->query_safe(q{SET client_min_messages = warning});
my $first = $session->query_safe(q{SELECT pg_walfile_name(pg_backup_start('copy', true))});
mkdir $primary->backup_dir;
system_or_bail('cp', '-a', $primary->data_dir, $backup);
unlink "$backup/postmaster.pid";
sql('SELECT pg_switch_wal()');
my ($second, $label) = split /\n/, $session->query_safe(
	q{SELECT pg_walfile_name(lsn) || E'\n' || labelfile FROM pg_backup_stop(false)}), 2;
write_file("$backup/backup_label", "$label\n");
sql('SELECT pg_switch_wal()');
$session->quit;
isnt($first, $second, 'it ends in another file than it begins');

# Whoever asks for a file waits at a pipe until somebody brings it.
my $archive = $primary->basedir . '/archive';
mkdir $archive;
mkfifo("$archive/$_", 0600) or die $! foreach $first, $second;
unlink glob "$backup/pg_wal/0*";
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy');
write_file($standby->data_dir . '/standby.signal', '');
$standby->append_conf('postgresql.conf', "restore_command = 'test -p $archive/%f && cat $archive/%f > %p'\n");

sub bring
{
	my ($file) = @_;

	write_file("$archive/$file", slurp_file($primary->data_dir . "/pg_wal/$file"));
	return;
}

# What a client hears, once it is this
sub hears
{
	my ($message, $name) = @_;
	my $heard = '';

	local $ENV{PGOPTIONS} = labels('orders');
	for (1 .. 6000)
	{
		$heard = ($standby->psql('postgres', 'SELECT 1'))[2];
		last if $heard =~ $message;
	}
	return like($heard, $message, $name);
}

system_or_bail('pg_ctl', '--no-wait', '-D', $standby->data_dir, '-l', $standby->logfile, 'start');
hears(qr/the database system is starting up/, 'it waits for its first record');
bring($first);
hears(qr/the database system is not yet accepting connections/, 'it is not consistent yet');
bring($second);
ok($standby->poll_query_until('postgres', 'SELECT pg_is_in_recovery()'), 'it is there');
is($standby->safe_psql('postgres', q{
		SELECT reason, sqlstate, pool, usable IS NULL, sum(count) >= 2 FROM pgpool_stats.rejections
		WHERE pool = 'orders' GROUP BY 1, 2, 3, 4}),
	'starting|57P03|orders|t|t', 'both are counted as one reason');
my ($knocking) = slurp_file('docs/alerting.md') =~ /^<!-- test: knocking -->\n```sql\n(.*?)^```$/ms;
like($standby->safe_psql('postgres', $knocking), qr/^starting\|orders\|\w+\|\d+\|1\|[\d.]+\|/, 'who knocks');
is($standby->safe_psql('postgres', q{SELECT sum(rejected) FROM pgpool_stats.budget}), '0', 'no limit has rejected anything');
is($standby->safe_psql('postgres', q{SELECT value > 0 FROM pgpool_stats.metrics WHERE name = 'pgpool_stats_rejected_unavailable_total' AND labels->>'reason' = 'starting'}), 't', 'a metric');

$standby->{_pid} = undef;
system_or_bail('pg_ctl', '-D', $standby->data_dir, '-m', 'fast', '-w', 'stop');
$primary->stop;
done_testing();
