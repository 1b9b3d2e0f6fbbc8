# Statements of sqlsmith, made of our views and functions by chance: whatever they
# say, the server stays up and the collector goes on.
#
# The environment variable FAULT_ROUNDS makes it a longer run.

use strict;
use warnings;
use PgpoolStats;

plan skip_all => 'no sqlsmith here (Debian: sqlsmith)' if system 'command -v sqlsmith >/dev/null';

my $statements = 100 * ($ENV{FAULT_ROUNDS} || 5);
my $seed = $ENV{FAULT_SEED} || time % 100000;
my $node = start_node(q{
statement_timeout = '5s'
log_min_messages = warning
log_statement = none
});

# may call what is ours, but end nobody else's session
sql(q{
	CREATE ROLE smith LOGIN IN ROLE pg_monitor;
	GRANT ALL ON ALL FUNCTIONS IN SCHEMA pgpool_stats TO smith;
	CREATE EXTENSION pgpool_stats_fleet CASCADE;
	GRANT USAGE ON SCHEMA pgpool_stats_fleet TO smith;
	GRANT ALL ON ALL FUNCTIONS IN SCHEMA pgpool_stats_fleet TO smith;
});
my @pool = used(3, 'orders', pool_size => 5);
report('orders', '{"open": 3, "checked_out": 1, "max_size": 5}');
my $collector = sql('SELECT collector_pid, started_at FROM pgpool_stats.info');

my ($out, $err) = ('', '');
IPC::Run::run([ 'sqlsmith', '--exclude-catalog', "--max-queries=$statements", "--seed=$seed", '--verbose',
		'--target=' . $node->connstr('postgres') . ' user=smith' ], '<', \undef, '>', \$out, '2>', \$err);
note "FAULT_SEED=$seed";
like($err, qr/queries: \d+/, 'statements were run') or diag substr $err, -500;
next_pass();
is(sql('SELECT collector_pid, started_at FROM pgpool_stats.info'), $collector, 'the server and the collector stayed');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal (6|7|8|11)\b|XX000/, 'nothing crashed');
note(sprintf '| %-44s | %6s | %s', 'statements of sqlsmith', $statements, 'no crash, the collector goes on');

# whom it may have ended
eval { $_->quit } foreach @pool;
done_testing();
