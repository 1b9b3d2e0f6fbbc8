# A save file that cannot be used is set aside, and the server starts.

use strict;
use warnings;
use POSIX qw(mkfifo);
use PgpoolStats;

my $conf = 'pgpool_stats.save_interval = 1s';

# the file of another server
my $other = start_node($conf, name => 'other');
report('foreign', '{"checkouts": 1}');
$other->stop;
my $foreign =
  slurp_file($other->data_dir . '/pg_stat_tmp/pgpool_stats.stat');

my $node = start_node($conf, streaming => 1);

my $file = $node->data_dir . '/pg_stat_tmp/pgpool_stats.stat';
my $aside = "$file.set_aside";

sub checkouts
{
	my ($pool) = @_;

	return sql("SELECT checkouts FROM pgpool_stats.pools WHERE pool = '$pool'");
}

# A base backup does not carry it.
report('saved', '{"checkouts": 100}');
wait_for(q{SELECT size > 0 FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true)});
$node->backup('base');
ok(-d $node->backup_dir . '/base/pg_stat_tmp', 'the base backup is there');
ok(!-e $node->backup_dir . '/base/pg_stat_tmp/pgpool_stats.stat',
	'a base backup does not carry the save file');

$node->stop;
ok(-s $file, 'a clean shutdown saves');
my $good = slurp_file($file);

sub with_byte
{
	my ($offset, $value) = @_;
	my $data = $good;

	$value = chr(ord(substr($data, $offset, 1)) ^ 0x10)
	  unless defined $value;
	substr($data, $offset, 1) = $value;
	return $data;
}

my %at = compiled('main/persist.c',
	FORMAT => 'offsetof(SaveHeader, layout)',
	VERSION => 'offsetof(SaveHeader, server_version)');
my @bad = (
	[ 'damaged in the middle', with_byte(length($good) / 2), 'damaged' ],
	[ 'damaged at the end', with_byte(length($good) - 1), 'damaged' ],
	[ 'damaged in its first byte', with_byte(0), 'damaged' ],
	[ 'of the other byte order', pack('N*', unpack('V*', $good)), 'other byte order' ],
	[ 'truncated', substr($good, 0, length($good) / 2), 'truncated' ],
	[ 'a few bytes', substr($good, 0, 10), 'truncated' ],
	[ 'empty', '', 'truncated' ],
	[ 'too long', $good . 'x' x 100, 'truncated' ],
	[ 'of a future format', with_byte($at{FORMAT}), 'another version of pgpool_stats' ],
	[
		'of another major version',
		with_byte($at{VERSION}, chr(99)),
		'another major version of PostgreSQL'
	],
	[ 'of another server', $foreign, 'another database system' ],
	[ 'text', "nothing of ours\n" x 100, 'damaged' ]);

foreach my $case (@bad)
{
	my ($name, $data, $why) = @$case;

	unlink $aside;
	write_file($file, $data);
	my $offset = -s $node->logfile;
	$node->start;
	my $log = slurp_file($node->logfile, $offset);
	like(
		$log,
		qr/LOG:  pgpool_stats starts without saved statistics\n.*DETAIL:  File "pg_stat_tmp\/pgpool_stats.stat" is not used: .*\Q$why\E.*pgpool_stats.stat.set_aside/,
		"file $name: a LOG line says why");
	ok(-e $aside && slurp_file($aside) eq $data, "file $name: set aside");
	is(sql(q{SELECT count(*) FROM pgpool_stats.pools
			  WHERE pool IN ('saved', 'foreign')}),
		'0', "file $name: the registry is empty");
	is(report('anew', '{"checkouts": 7}'), 't', "file $name: reports work");
	is(checkouts('anew'), '7', "file $name: views work");
	$node->stop;
	isnt(slurp_file($file), $data, "file $name: saved anew");
}

# the good one is still good
unlink $aside;
write_file($file, $good);
$node->start;
is(checkouts('saved'), '100', 'a good file is loaded');
ok(!-e $aside, 'a good file is not set aside');
$node->stop;

# a file that cannot be read
SKIP:
{
	skip 'root reads everything', 2 if $> == 0;

	write_file($file, $good);
	chmod 0000, $file;
	my $offset = -s $node->logfile;
	$node->start;
	like(
		slurp_file($node->logfile, $offset),
		qr/LOG:  could not open file "pg_stat_tmp\/pgpool_stats.stat": Permission denied/,
		'unreadable file: a LOG line');
	is(report('anew', '{"checkouts": 7}'), 't', 'unreadable file: reports work');
	$node->stop;
	chmod 0600, $file;
}

# something that is no file, and cannot be replaced
unlink $file;
mkdir $file;
my $offset = -s $node->logfile;
$node->start;
is(report('anew', '{"checkouts": 7}'), 't', 'a directory in its place: reports work');
$node->wait_for_log(
	qr/LOG:  could not open file "pg_stat_tmp\/pgpool_stats.stat": Is a directory.*could not open/s,
	$offset);
pass('a directory in its place: a LOG line');
$node->stop;
rmdir $file;

$node->start;
is(checkouts('anew'), '', 'works on without a file');
$node->stop;

# a crash while saving leaves a temporary file behind
write_file($file, $good);
write_file("$file.tmp", substr($good, 0, 100));
$node->start;
is(checkouts('saved'), '100', 'a leftover temporary file does not matter');
$node->stop;

# A disk that does not go on: who saves waits at a pipe that nobody reads.
unlink $file;
mkfifo("$file.tmp", 0600) or die "mkfifo: $!";
$node->append_conf('postgresql.conf', "pgpool_stats.alert_rules = 'pool_full: warning 50 for 0s'");
$node->start;
my $saver = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgpool_stats saver'";
wait_for("SELECT count(*) = 1 FROM ($saver) s");
my $pid = sql($saver);
report('meanwhile', '{"pool_size": 1, "max_overflow": 0, "checked_out": 1, "waiting": 1, "checkouts": 3}');
next_pass();
next_pass();
pass('passes go on while a save does not');
becomes("SELECT count(*) > 0 FROM pgpool_stats.alerts WHERE pool = 'meanwhile'", 't', 'alerts are raised');
# by then the next save was due
wait_for("SELECT min(started_at) + interval '3 s' < clock_timestamp() FROM pgpool_stats.info");
is(sql($saver), $pid, 'one save at a time');
my $collector = sql('SELECT collector_pid FROM pgpool_stats.info');
kill 'TERM', $collector;
wait_for("SELECT collector_pid <> $collector FROM pgpool_stats.info");
next_pass();
wait_for("SELECT clock_timestamp() - backend_start > '3 s' FROM pg_stat_activity WHERE pid = (SELECT collector_pid FROM pgpool_stats.info)");
is(sql($saver), $pid, 'that of a new collector waits, too');
# it writes, and no file is there to take the old one's place
open my $pipe, '<', "$file.tmp" or die "open: $!";
unlink "$file.tmp";
my $written = do { local $/ = undef; <$pipe> };
cmp_ok(length $written, '>', 100, 'when the disk goes on, it is written');
wait_saved('meanwhile');
pass('the next one is done');
$node->stop;
ok(-s $file && !-e "$file.tmp", 'and so is the last one');

# No worker to save with
$node->append_conf('postgresql.conf', 'max_worker_processes = 2');
unlink $file;
$offset = -s $node->logfile;
$node->start;
report('alone', '{"checkouts": 3}');
wait_saved('alone');
like(slurp_file($node->logfile, $offset),
	qr/LOG:  pgpool_stats cannot start a worker to save\n.*HINT:  Raise max_worker_processes/s,
	'without a free worker the collector saves, and says so');
$node->stop;

done_testing();
