# docs/psqlrc: its names work in psql, and fit terminals of 80, 120 and 160
# columns, with long names, alerts and incidents.

use strict;
use warnings;
use PgpoolStats;
use Monitoring;

my $node = start_node(q{
pgpool_stats.alert_rules = 'no_pooling: off; pool_exhausted: warning 0 for 0s'
});
my $name = 'a_pool_with_a_name_of_sixty_three_letters_which_is_the_most_the';

sql(qq{CREATE ROLE "$name" LOGIN});
my $pool = start_pool($node->connstr('postgres') . " user=$name", 'orders', 2);
report($name, '{"max_size": 4, "checked_out": 4, "waiting": 1234}', as => $name);
tell_pool($pool, 'take 2');
wait_for(q{SELECT count(*) >= 2 FROM pgpool_stats.incidents WHERE rule = 'pool_exhausted'});

# Lines that a name writes at this width
sub shown
{
	my ($what, $columns) = @_;
	my $input = "\\i docs/psqlrc\n\\pset columns $columns\n:$what\n";
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-Xq', '-d', $node->connstr('postgres') ], '<', \$input, '>', \$out, '2>', \$err);
	is($err, '', "$what: works");
	return split /\n/, $out;
}

my %from = (pools => 120, pools80 => 80, why => 80, slots => 120, incidents => 80);
foreach my $what (sort keys %from)
{
	foreach my $columns (80, 120, 160)
	{
		my @lines = shown($what, $columns);

		cmp_ok(scalar @lines, '>', 3, "$what: has rows");
		next if $columns < $from{$what};
		is(join("\n", grep { length($_) > $columns } @lines), '', "$what: fits $columns columns");
	}
}
like(join("\n", shown('why', 160)), qr/warning *\| *orders *\| orders on postgres: 1 of 1 in/, 'why it is full');
like(join("\n", shown('pools80', 80)), qr/^ *orders *\|.*\| 2\/2 +\|/m, 'who is full');

# the recipe: shows it again and again
my ($out, $input, $left) = ('', "\\i docs/psqlrc\n:pools80 \\watch 0.1\n", '');
my $psql = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres') ], '<', \$input, '>', \$out, '2>', \$left,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$psql->pump until (() = $out =~ /^ *\(server\)/mg) >= 3;
pass('\watch shows it again');
$psql->kill_kill;

$node->stop;
done_testing();
