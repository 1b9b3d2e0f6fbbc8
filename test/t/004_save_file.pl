
# A save file that cannot be used is set aside, and the server starts.

use strict;
use warnings;
use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = q{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.sample_interval = 100ms
pgpool_stats.save_interval = 1s
};
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', $conf);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats');

my $file = $node->data_dir . '/pg_stat_tmp/pgpool_stats.stat';
my $aside = "$file.set_aside";

sub write_file
{
	my ($path, $data) = @_;

	open my $fh, '>:raw', $path or die "could not write $path: $!";
	print $fh $data;
	close $fh;
	return;
}

sub report
{
	my ($pool, $checkouts) = @_;

	return $node->safe_psql('postgres',
		qq{SELECT pgpool_stats.report('$pool', '{"checkouts": $checkouts}', 'i')}
	);
}

sub checkouts
{
	my ($pool) = @_;

	return $node->safe_psql('postgres',
		"SELECT checkouts FROM pgpool_stats.pools WHERE pool = '$pool'");
}

# A base backup does not carry it.
report('saved', 100);
$node->poll_query_until('postgres',
	q{SELECT size > 0 FROM pg_stat_file('pg_stat_tmp/pgpool_stats.stat', true)})
  or die 'no save';
$node->backup('base');
ok(-d $node->backup_dir . '/base/pg_stat_tmp', 'the base backup is there');
ok(!-e $node->backup_dir . '/base/pg_stat_tmp/pgpool_stats.stat',
	'a base backup does not carry the save file');

$node->stop;
ok(-s $file, 'a clean shutdown saves');
my $good = slurp_file($file);

# the file of another server
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->append_conf('postgresql.conf', $conf);
$other->start;
$other->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats');
$other->safe_psql('postgres',
	q{SELECT pgpool_stats.report('foreign', '{"checkouts": 1}', 'i')});
$other->stop;
my $foreign =
  slurp_file($other->data_dir . '/pg_stat_tmp/pgpool_stats.stat');

sub with_byte
{
	my ($offset, $value) = @_;
	my $data = $good;

	$value = chr(ord(substr($data, $offset, 1)) ^ 0x10)
	  unless defined $value;
	substr($data, $offset, 1) = $value;
	return $data;
}

my @bad = (
	[ 'damaged in the middle', with_byte(length($good) / 2), 'damaged' ],
	[ 'damaged at the end', with_byte(length($good) - 1), 'damaged' ],
	[ 'damaged in its first byte', with_byte(0), 'damaged' ],
	[ 'truncated', substr($good, 0, length($good) / 2), 'truncated' ],
	[ 'a few bytes', substr($good, 0, 10), 'truncated' ],
	[ 'empty', '', 'truncated' ],
	[ 'too long', $good . 'x' x 100, 'truncated' ],
	[ 'of a future format', with_byte(4), 'another version of pgpool_stats' ],
	[
		'of another major version',
		with_byte(8, chr(99)),
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
	is( $node->safe_psql(
			'postgres',
			q{SELECT count(*) FROM pgpool_stats.pools
			  WHERE pool IN ('saved', 'foreign')}),
		'0',
		"file $name: the registry is empty");
	is(report('anew', 7), 't', "file $name: reports work");
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
	is(report('anew', 7), 't', 'unreadable file: reports work');
	$node->stop;
	chmod 0600, $file;
}

# something that is no file, and cannot be replaced
unlink $file;
mkdir $file;
my $offset = -s $node->logfile;
$node->start;
is(report('anew', 7), 't', 'a directory in its place: reports work');
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

done_testing();
