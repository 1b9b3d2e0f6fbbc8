# The same, 200 rounds.

use strict;
use warnings;
use FindBin;

$ENV{POOL_LIMIT_ROUNDS} ||= 200;
$| = 1;
exec $^X, (map { "-I$_" } @INC), "$FindBin::RealBin/../090_pool_limit_storm.pl"
  or die $!;
