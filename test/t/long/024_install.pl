# However it is built, the same files are installed; uninstall takes all of
# them away; and without a server's development files make says what it needs.

use strict;
use warnings;
use PgpoolStats;

my $source = "$ENV{TESTDIR}/source";
my @make = ('make', '-s', '-j2', 'COPT=-O0 -g0');

# What a command prints; it has to succeed
sub printed
{
	my ($stdout, $stderr) = run_command([@_]);

	die "@_: $stderr" if $?;
	return $stdout;
}

# Build and install with these arguments for make; the files with
# their rights, the libraries' symbols, checksums of the rest
sub installed
{
	my ($name, @how) = @_;
	my $root = "$ENV{TESTDIR}/$name.root";

	command_ok([ @make, @how ], "$name: make");
	command_ok([ @make, @how, "DESTDIR=$root", 'install' ], "$name: make install");
	my $files = printed('sh', '-c',
		qq(cd '$root' && find . -type f -printf '%m %P\\n' | sort));
	my $symbols = printed('sh', '-c',
		qq(cd '$root' && find . -name '*.so' | sort | xargs nm -D -A | sed 's/:[0-9a-f]* /: /'));
	my $texts = printed('sh', '-c',
		qq(cd '$root' && find . -type f ! -name '*.so' | sort | xargs cksum));

	command_ok([ @make, @how, "DESTDIR=$root", 'uninstall' ], "$name: make uninstall");
	is(printed('find', $root, '!', '-type', 'd'), '', "$name: nothing is left");
	return { files => $files, symbols => $symbols, texts => $texts };
}

mkdir $_ foreach ($source, map { "$ENV{TESTDIR}/$_" } qw(built vpath));
printed('sh', '-c',
	"tar -cf - --exclude='*.o' --exclude='*.so' --exclude='./pgpool_stats*--*.sql' . | tar -C '$source' -xf -");

command_fails_like([ @make, '-C', $source, 'PG_CONFIG=/nowhere/pg_config' ],
	qr/development files.*\/nowhere\/pg_config.*\n.*apt-get install/,
	'without pg_config make says what it needs');

# outside of the sources first: they are not to have been built in
my $outside = installed('outside', '-C', "$ENV{TESTDIR}/built", '-f', "$source/Makefile");
my $vpath = installed('vpath', '-C', "$ENV{TESTDIR}/vpath", '-f', "$source/Makefile", "VPATH=$source");
is(printed('find', $source, '-name', '*.[os]*', '-newer', "$ENV{TESTDIR}/built/pgpool_stats.so"),
	'', 'neither wrote to the sources');
my $inside = installed('inside', '-C', $source);

like($inside->{files}, qr/^644 .*\/\Q$_\E$/m, "$_ is installed")
  foreach ('pgpool_stats.control', 'pgpool_stats_fleet.control');
like($inside->{files}, qr/^\d+ .*\/\Q$_\E$/m, "$_ is installed")
  foreach ('pgpool_stats.so', 'pgpool_stats_poller.so');
foreach my $kind (qw(files symbols texts))
{
	is($outside->{$kind}, $inside->{$kind}, "outside of the sources: the same $kind");
	is($vpath->{$kind}, $inside->{$kind}, "with VPATH: the same $kind");
}

command_fails_like([ @make, '-C', "$ENV{TESTDIR}/vpath", '-f', "$source/Makefile" ],
	qr/has been built in: say make clean there first/,
	'sources that have been built in are not used from outside');

done_testing();
