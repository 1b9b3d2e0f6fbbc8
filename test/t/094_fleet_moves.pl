# A pool whose connections move from one server to another while the fleet is
# read: they are never counted on both.

use strict;
use warnings;
use PgpoolStats;

my $old = start_node(undef, name => 'old');
sql('CREATE ROLE monitor LOGIN IN ROLE pg_monitor');
my $new = start_node(undef, name => 'new');
sql('CREATE ROLE monitor LOGIN IN ROLE pg_monitor');
my $slow = PostgreSQL::Test::Cluster->new('slow');
$slow->init;
$slow->start;
my $fleet = PostgreSQL::Test::Cluster->new('fleet');
$fleet->init;
$fleet->start;
$fleet->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats_fleet CASCADE');

sub add
{
	my ($server) = @_;

	return $fleet->safe_psql('postgres', sprintf q{SELECT pgpool_stats_fleet.add_server('%s', 'host=%s port=%d dbname=postgres user=%s')},
		$server->name, $server->host, $server->port, $server->name eq 'slow' ? 'postgres' : 'monitor');
}
add($_) foreach $old, $new, $slow;

# One connection of a pool: it ends at the one, and begins at the other.
my $client;
sub move_to
{
	my ($server) = @_;

	if ($client)
	{
		$client->quit;
		foreach ($old, $new)
		{
			$_->poll_query_until('postgres', q{SELECT coalesce(sum(connections), 0) = 0 FROM pgpool_stats.pools WHERE pool = 'moves'})
			  or die 'it stays';
		}
	}
	local $ENV{PGOPTIONS} = labels('moves', instance => 'a:1', pool_size => 2);
	$client = $server->background_psql('postgres');
	$client->query_safe('SELECT 1');
	return;
}

# its connections stay, and so does what it asks
my $reader = $fleet->background_psql('postgres');
my $where = q{SELECT server, inst, conns FROM pgpool_stats_fleet.overview WHERE pool = 'moves'};

#
# What is in the cache, and what is asked anew
#
$reader->query_safe(q{SET pgpool_stats_fleet.max_age = '1h'});
move_to($old);
is($reader->query_safe($where), 'old|1|1', 'where it is');
move_to($new);
is($reader->query_safe($where), 'old|1|1', 'in the cache it is still there');
add($new);
is($reader->query_safe("$where ORDER BY server"), "(all)|1|1\nnew|1|1\nold|1|0",
	'one is asked anew: so are all, and no connection is counted twice');

#
# A connection to a server broke: it is asked later than the others
#
$reader->query_safe(q{SET pgpool_stats_fleet.max_age = '0'; SET pgpool_stats_fleet.timeout = '1min'});
$reader->query_safe($where);
move_to($old);
my $of_fleet = q{FROM pg_stat_activity WHERE application_name = 'pgpool_stats_fleet'};
my $hangs = $slow->safe_psql('postgres', "SELECT pid $of_fleet");
kill 'STOP', $hangs;
$new->safe_psql('postgres', "SELECT pg_terminate_backend(pid, 60000) $of_fleet");
my $before = $old->safe_psql('postgres', 'SELECT clock_timestamp()');
$reader->{stdin} .= "$where ORDER BY server;\n";
$reader->{run}->pump_nb;
$old->poll_query_until('postgres', "SELECT query_start > '$before' AND state = 'idle' $of_fleet") or die 'not asked';
move_to($new);
kill 'CONT', $hangs;
is($reader->query_safe('SELECT'), "(all)|1|1\nnew|1|1\nold|1|0",
	'one is asked later: so are all, and no connection is counted twice');

$_->quit foreach $client, $reader;
done_testing();
