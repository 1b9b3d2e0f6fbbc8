# Each snippet of docs/clients.md is a region of a program in test/clients,
# and each region is there.  Its table of keys says what the view says.
use strict;
use warnings;
use PgpoolStats;

my $document = slurp_file('docs/clients.md');
my %shown;

# A snippet stands behind a comment: file and name of the region
while ($document =~ /^<!-- (\S+): (\S+) -->\n(?:```\w+\n(.*?)^```$)?/msg)
{
	my ($file, $name, $snippet) = ($1, $2, $3);

	$shown{"$file $name"} = 1;
	is($snippet, region($file, $name), "$name is that of $file");
}

# Text between "docs: begin NAME" and "docs: end", moved to the left
sub region
{
	my ($file, $name) = @_;
	my $program = "test/clients/$file";

	return undef unless -e $program;
	my ($text) = slurp_file($program) =~
	  m{^[ \t]*(?:\#|//) docs: begin \Q$name\E\n(.*?)^[ \t]*(?:\#|//) docs: end$}ms;
	return undef unless defined $text;

	my ($margin) = sort { length $a <=> length $b } $text =~ /^([ \t]*)\S/mg;
	$text =~ s/^$margin//mg;
	$text =~ s/\A\n+//;
	$text =~ s/\n+\z/\n/;
	return $text;
}

foreach my $program (glob('test/clients/*.* test/clients/webapp/*.*'))
{
	(my $file = $program) =~ s{^test/clients/}{};
	foreach my $name (slurp_file($program) =~ /docs: begin (\S+)$/mg)
	{
		ok($shown{"$file $name"}, "docs/clients.md shows $name of $file");
	}
}

unlike($document, qr/[^\x00-\x7f]/, 'ASCII only');
foreach my $number (1 .. 25)
{
	like($document, qr/^\| P$number \|.*\S.*\|.*\S.*\|$/m, "pitfall P$number");
}

my $node = start_node();

# "psql -XAt -f test/dialects.sql" writes it
my $keys = sql(slurp_file('test/dialects.sql'));
my ($table) = $document =~ /^(\| dialect \|.*?\n)(?!\|)/ms;
is($table, "$keys\n", 'the table of keys is that of the view dialects');

done_testing();
