# The same, 1,000 a second for a minute.

use strict;
use warnings;
use FindBin;

$ENV{FLOOD_RATE} ||= 1_000;
$ENV{FLOOD_LOGINS} ||= 60_000;
$| = 1;
exec $^X, (map { "-I$_" } @INC), "$FindBin::RealBin/../053_login_flood.pl"
  or die $!;
