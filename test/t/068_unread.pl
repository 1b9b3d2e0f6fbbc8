# Connections whose client reads its result no more, or fetches no more from a
# cursor, are leaked; a COPY that waits for data is work.

use strict;
use warnings;
use PgpoolStats;
use RawClient;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
pgpool_stats.leak_after = 1s
pgpool_stats.alert_rules = '*: for 0s'
});
use_port($node->port);
sql('CREATE ROLE app LOGIN; CREATE TABLE t (i int); GRANT INSERT ON t TO app');

my %client = map { $_ => client($_) } qw(unread cursor copies reads);
my $query = q{SELECT repeat('x', 1000) FROM generate_series(1, 1000000)};

# in pieces of one row, as a driver does that asks for the next ones without Sync
sub open_cursor
{
	my ($socket) = @_;

	put($socket, "\0SELECT g FROM generate_series(1, 100) g\0" . pack('n', 0), 'P');
	put($socket, "\0\0" . pack('nnn', 0, 0, 0), 'B');
	put($socket, "\0" . pack('N', 1), 'E');
	put($socket, '', 'H');
	return;
}

put($client{$_}{socket}, "$query\0", 'Q') foreach qw(unread reads);
open_cursor($client{cursor}{socket});
put($client{copies}{socket}, "COPY t FROM STDIN\0", 'Q');
my $suspects = q{SELECT string_agg(pool || ': ' || suspect, ', ' ORDER BY pool) FROM pgpool_stats.connections
	WHERE suspect IS NOT NULL AND pool <> 'reads'};
becomes($suspects, 'cursor: unread result, unread: unread result', 'two are suspects');
is(sql(q{SELECT at_least, candidates, evidence ~ '^1 amid a statement whose result is not read or fetched for \d+ s or more$'
		FROM pgpool_stats.leaks WHERE pool = 'unread'}), '1|1|t', 'the evidence');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state = 'active' AND wait_event = 'ClientRead'}), '2',
	'a COPY waits like a cursor');
becomes(q{SELECT message FROM pgpool_stats.alerts WHERE rule = 'leak' AND pool = 'unread'},
	'unread on postgres: at least 1 connection lent out and amid a statement whose result is not read', 'in words');

# it goes on
put($client{cursor}{socket}, "\0" . pack('N', 1), 'E');
put($client{cursor}{socket}, '', 'S');
becomes(q{SELECT count(*) FROM pgpool_stats.leaks WHERE pool = 'cursor'}, '0', 'it asks for the rest');
answer($client{reads});
becomes(q{SELECT count(*) FROM pgpool_stats.leaks WHERE pool = 'reads'}, '0', 'it reads to the end');
hang_up($_) foreach values %client;

$node->stop;
done_testing();
