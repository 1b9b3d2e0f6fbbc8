# A server of the release before: in one view with ours, then upgraded to it with
# the extension in two databases.

use strict;
use warnings;
use PgpoolStats;

plan skip_all => 'no older PostgreSQL is installed; make test-versions has one' if !$ENV{OLDER_PATH};

my $monitor = 'CREATE ROLE monitor LOGIN IN ROLE pg_monitor';
my $ours = start_node(undef, name => 'ours');
sql("$monitor; CREATE EXTENSION pgpool_stats_fleet CASCADE");
my @pool = session('orders', instance => 'a:1', pool_size => 2);

my $older = start_node(undef, name => 'older', install_path => $ENV{OLDER_PATH});
sql($monitor);
push @pool, session('orders', instance => 'b:1', pool_size => 3);
$_->query_safe('SELECT 1') foreach @pool;
sql('CREATE DATABASE second');
sql('CREATE EXTENSION pgpool_stats; CREATE VIEW mine AS SELECT pool, connections FROM pgpool_stats.pools', on => 'second');

# Of the fleet, newly asked
sub fleet
{
	my ($query) = @_;

	return $ours->safe_psql('postgres', "SET pgpool_stats_fleet.max_age = '0'; SET pgpool_stats_fleet.leave_out = '0'; $query");
}
sub version
{
	my ($server) = @_;

	return $server->safe_psql('postgres', q{SELECT split_part(current_setting('server_version'), ' ', 1)});
}
sub add
{
	my ($name, $server) = @_;

	return fleet(sprintf q{SELECT pgpool_stats_fleet.add_server('%s', 'host=%s port=%d dbname=postgres user=monitor')},
		$name, $server->host, $server->port);
}
add('ours', $ours);
add('older', $older);

#
# One view
#
my ($new_version, $old_version) = (version($ours), version($older));
isnt($new_version =~ s/\..*//r, $old_version =~ s/\..*//r, "releases $old_version and $new_version");
is(fleet('SELECT name, reachable, mode, version, error FROM pgpool_stats_fleet.servers ORDER BY name'),
	"older|t|extension|$old_version|\nours|t|extension|$new_version|", 'both say what they are');
is(fleet(q{SELECT server, inst, conns, used, ltrim(wait) FROM pgpool_stats_fleet.overview WHERE pool = 'orders'}),
	"(all)|2|2|0/5|-\nolder|1|1|[.....] 0/3|-\nours|1|1|[.....] 0/2|-", 'a pool on both has one total and two rows');
foreach my $view (qw(overview pools budget alerts incidents load))
{
	fleet("SELECT * FROM pgpool_stats_fleet.$view");
	is(fleet("SELECT count(DISTINCT server) FROM pgpool_stats_fleet.$view WHERE server IN ('ours', 'older')"), 2, "both in $view")
	  if $view !~ /alerts|incidents/;
}

#
# The older one is upgraded
#
$_->quit foreach @pool;
report('saved', '{"checkouts": 5}');
my $upgraded = PostgreSQL::Test::Cluster->new('upgraded');
# what the older release makes unless it is told
$upgraded->init($new_version >= 18 && $old_version < 18 ? (extra => ['--no-data-checksums']) : ());
$upgraded->append_conf('postgresql.conf', "shared_preload_libraries = 'pgpool_stats'\n");
$older->stop;
{
	local $ENV{PGHOST} = $older->host;
	chdir PostgreSQL::Test::Utils::tempdir();
	command_ok([
			'pg_upgrade', '--no-sync', '-d', $older->data_dir, '-D', $upgraded->data_dir,
			'-b', $older->config_data('--bindir'), '-B', $upgraded->config_data('--bindir'),
			'-s', $older->host, '-p', $older->port, '-P', $upgraded->port
		], 'pg_upgrade');
}
$upgraded->start;
foreach my $database ('postgres', 'second')
{
	is($upgraded->safe_psql($database, 'SELECT loaded FROM pgpool_stats.info'), 't', "upgraded: it is in $database");
}
is($upgraded->safe_psql('second', 'SELECT count(*) >= 0 FROM mine'), 't', 'a view on ours works');
add('older', $upgraded);
is(fleet(q{SELECT mode, version FROM pgpool_stats_fleet.servers WHERE name = 'older'}), "extension|$new_version", 'the fleet sees it');
note(sprintf '| %-44s | %6s | %s', "pg_upgrade $old_version to $new_version", 1, 'the extension works in both databases');

$upgraded->stop;
$ours->stop;
done_testing();
