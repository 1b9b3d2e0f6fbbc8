# A server whose whole installation has our libraries built with sanitizers:
# also what workers load by name.  PostgreSQL itself is as it is.
package Sanitized;

use strict;
use warnings;

use Cwd;
use Exporter 'import';
use PgpoolStats;

our @EXPORT = qw(start_sanitized restart_sanitized stop_sanitized);

my ($node, %environment);

# A private copy of PostgreSQL, made as test/lib.sh makes ours
sub install
{
	my $dir = PostgreSQL::Test::Utils::tempdir_short();
	my $bin = `pg_config --bindir`;
	my ($from, $below) = $bin =~ m{^(.*?)(/lib/postgresql/\d+)/bin$}
	  or die "bindir is $bin";

	system_or_bail('mkdir', '-p', "$dir/src");
	system_or_bail('cp', '-r', 'src', 'test', 'Makefile', 'pgpool_stats.control',
		"$dir/src");
	system("find $dir/src -name '*.o' -delete");
	local $ENV{W} = $dir;
	delete local $ENV{TMPDIR};
	system_log('bash', '-c',
		"set -e; . $dir/src/test/lib.sh; copy_installation '$from'; "
		  . q{build COPT='-fsanitize=address,undefined -fno-sanitize-recover=all }
		  . q{-fno-omit-frame-pointer -O1 -Wno-error' install}) == 0
	  or BAIL_OUT('cannot build with sanitizers');
	return "$dir$below";
}

# bindtextdomain() waits for itself for ever under libasan; nobody needs it
sub shim
{
	my $shim = PostgreSQL::Test::Utils::tempdir() . '/no_nls';

	write_file("$shim.c",
			'char *bindtextdomain(const char *d, const char *n) { return (char *) n; }'
		  . "\n"
		  . 'char *textdomain(const char *d) { return (char *) d; }'
		  . "\n");
	system_or_bail('gcc', '-shared', '-fPIC', '-fno-builtin', '-w', '-o',
		"$shim.so", "$shim.c");
	return "$shim.so";
}

# What is in the memory of a process that has such a type
sub maps
{
	my ($type) = @_;

	wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = '$type'");
	return slurp_file('/proc/'
		  . sql("SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'")
		  . '/maps');
}

# Parameters as of start_node().  A report ends the process that made it, and
# with it the server.
sub start_sanitized
{
	my ($conf, %how) = @_;
	my $asan = `gcc -print-file-name=libasan.so`;

	chomp $asan;
	plan skip_all => 'no libasan' unless $asan =~ m{^/} && -e $asan;
	my $path = install();

	# leaks: a backend frees what it allocates by ending; fake stacks would
	# confuse its check of stack depth; the poller limits its memory, so what is
	# freed must not be kept for long, and malloc() may fail
	%environment = (
		LD_PRELOAD => "$asan " . shim(),
		ASAN_OPTIONS =>
		  'detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1:'
		  . 'quarantine_size_mb=8:allocator_may_return_null=1',
		UBSAN_OPTIONS => 'print_stacktrace=1');
	$node = start_node("restart_after_crash = off\n" . ($conf // ''),
		%how, install_path => $path, environment => \%environment);

	my $library = qr{^\S+ r-xp .*\Q$path\E/lib/pgpool_stats\.so$}m;
	like(maps('pgpool_stats collector'), $library, 'workers are sanitized');
	like(maps('pgpool_stats collector'), qr/libasan/, 'and can say what is wrong');
	return $node;
}

sub restart_sanitized
{
	$node->stop;
	local %ENV = (%ENV, %environment);
	$node->start;
	return;
}

# Nobody has said anything
sub stop_sanitized
{
	$node->stop;
	my $log = slurp_file($node->logfile);

	unlike($log, qr/AddressSanitizer|runtime error/,
		'the sanitizers have nothing to say');
	unlike($log, qr/terminated by signal/, 'no process has crashed');
	return;
}

1;
