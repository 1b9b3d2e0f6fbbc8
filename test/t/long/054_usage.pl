# The same, with sessions that use a minute of CPU time each.

use strict;
use warnings;
use FindBin;

$ENV{USAGE_CPU_SECONDS} ||= 60;
# a session has so long for all that it is asked
$ENV{PG_TEST_TIMEOUT_DEFAULT} = 7200;
$| = 1;
exec $^X, (map { "-I$_" } @INC), "$FindBin::RealBin/../054_usage.pl"
  or die $!;
