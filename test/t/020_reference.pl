# The tables of docs/README.md and docs/reference.md say what the COMMENTs and the
# settings say.  test/reference.sql writes them.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node();

my $reference = slurp_file('docs/reference.md');
my $readme = slurp_file('docs/README.md');
my $generated = sql(slurp_file('test/reference.sql'));

is($reference, "$generated\n", 'docs/reference.md is up to date');

foreach my $line ($generated =~ /^## (View \S+: .*)$/mg)
{
	my ($view, $comment) = $line =~ /^View (\S+): (.*)$/;
	ok(index($readme, "| `$view` | $comment |") >= 0,
		"docs/README.md lists view $view");
}

# which dialects the view says are tested with their library
my $tests = join '', map { slurp_file($_) } glob('test/clients/*.* test/t/070_pgbouncer_poll.pl');
foreach my $dialect (split /\n/, sql(q{SELECT DISTINCT dialect FROM pgpool_stats.dialects WHERE tested_with = 'library'}))
{
	like($tests, qr/["']$dialect["' |]/, "$dialect: a test with its library");
}

done_testing();
