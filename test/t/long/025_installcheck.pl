# make installcheck on a running server: twice in a row, whatever the database
# is called, and whatever pools there are.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node('pgpool_stats.stale_after = 180s');

report('stranger', '{"open": 1}');
local ($ENV{PGHOST}, $ENV{PGPORT}) = ($node->host, $node->port);
foreach my $database (qw(contrib_regression contrib_regression shop))
{
	command_ok(
		[ 'make', '-s', 'installcheck', "CONTRIB_TESTDB=$database" ],
		"make installcheck in $database");
}

done_testing();
