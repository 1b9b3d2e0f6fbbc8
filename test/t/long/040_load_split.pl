# What eight sessions did for two minutes: each part of their load is within five
# percentage points of what was staged, in both minutes.
use strict;
use warnings;
use PgpoolStats;
use RawClient;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
});
use_port($node->port);
sql('CREATE TABLE t (a int)');
sql('CREATE ROLE app LOGIN SUPERUSER');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nhost all app 127.0.0.1/32 trust\n");
$node->reload;

my %staged = (idle_in_xact => 2, lock => 2, other => 2, cpu => 1, client => 1, io => 0, lwlock => 0);
my $gate = background();
my @mix = sessions(7, 'mix', as => 'app');

$gate->query_safe("BEGIN;\nLOCK TABLE t");
$_->query_safe('BEGIN') foreach @mix[ 0, 1 ];
foreach (
	[ 2, 'INSERT INTO t VALUES (1)' ], [ 3, 'INSERT INTO t VALUES (1)' ],
	[ 4, 'SELECT pg_sleep(3600)' ],    [ 5, 'SELECT pg_sleep(3600)' ],
	[ 6, q{DO 'BEGIN LOOP NULL; END LOOP; END'} ])
{
	my ($i, $sql) = @$_;

	$mix[$i]->query_until(qr/sent/, "\\echo sent\n$sql;\n");
}
my $copy = client('mix');
put($copy->{socket}, "COPY (SELECT repeat('x', 1000) FROM pg_class a, pg_class b, pg_class c) TO STDOUT\0", 'Q');
waits(2, 'relation');

my $seen = "'-infinity'";
foreach my $minute (1, 2)
{
	becomes(qq{SELECT sessions BETWEEN 7.99 AND 8.01 AND sampled_at > ${seen}::timestamptz + interval '60 s' FROM pgpool_stats.load WHERE pool = 'mix'},
		't', "minute $minute is full of eight sessions");
	foreach my $part (sort keys %staged)
	{
		is(sql("SELECT abs($part - $staged{$part}) <= 0.05 * 8 FROM pgpool_stats.load WHERE pool = 'mix'"),
			't', "minute $minute: $part is within five points");
	}
	$seen = sql(q{SELECT quote_literal(sampled_at) FROM pgpool_stats.load WHERE pool = 'mix'});
}

$node->stop('immediate');
done_testing();
