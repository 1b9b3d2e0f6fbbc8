
# The same for longer, from another beginning each time.

use strict;
use warnings;
use FindBin;

$ENV{FUZZ_SECONDS} ||= 180;
$ENV{FUZZ_SEED} ||= time % 1000000;
$| = 1;
print "# FUZZ_SEED=$ENV{FUZZ_SEED}\n";
exec $^X, (map { "-I$_" } @INC), "$FindBin::RealBin/../072_console_fuzz.pl"
  or die $!;
