# The same, with sessions that use a minute of CPU time each.

use strict;
use warnings;
use FindBin;

$ENV{USAGE_CPU_SECONDS} ||= 60;
$| = 1;
exec $^X, (map { "-I$_" } @INC), "$FindBin::RealBin/../054_usage.pl"
  or die $!;
