# What the tests with other programs share: start them, talk to them, end them.
package Monitoring;

use strict;
use warnings;

use Exporter 'import';
use HTTP::Tiny;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(usleep);

our @EXPORT = qw(is_there start_program until_true fetch start_pool tell_pool);

my @processes;

END
{
	local $?;
	$_->signal('KILL') foreach @processes;
	eval { $_->finish } foreach @processes;
}

sub is_there
{
	my ($program) = @_;

	return grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

# A program that runs until the test ends; its output is in NAME.log
sub start_program
{
	my ($name, @command) = @_;

	push @processes,
	  IPC::Run::start(\@command, '<', \undef, '>',
		"$PostgreSQL::Test::Utils::log_path/$name.log", '2>&1');
	return;
}

# Poll until it is true; returns what it was.
sub until_true
{
	my ($what, $condition) = @_;

	foreach (1 .. 20 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $value = $condition->();
		return $value if $value;
		usleep(50_000);
	}
	die "gave up waiting for $what";
}

# A page; waits until the program that has it is there
sub fetch
{
	my ($url) = @_;
	my $answer;

	until_true(
		$url,
		sub {
			$answer = HTTP::Tiny->new(timeout => 10)->get($url);
			die "$url: $answer->{content}" if $answer->{status} == 400;
			return $answer->{success};
		});
	return $answer->{content};
}

# A pool of psycopg2 of so many connections: see controlled_pool.py
sub start_pool
{
	my ($connstr, $name, $size) = @_;
	my $pool = { in => '', out => '' };

	$pool->{process} = IPC::Run::start(
		[
			$ENV{PYTHON} || '/usr/bin/python3', 'test/t/controlled_pool.py',
			$connstr, $name, $size
		],
		'<',
		\$pool->{in},
		'>',
		\$pool->{out},
		'2>',
		"$PostgreSQL::Test::Utils::log_path/$name.log",
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	push @processes, $pool->{process};
	return $pool;
}

# "take 3", "give 3"
sub tell_pool
{
	my ($pool, $what) = @_;

	$pool->{out} = '';
	$pool->{in} .= "$what\n";
	$pool->{process}->pump until $pool->{out} =~ /ok\n/;
	return;
}

1;
