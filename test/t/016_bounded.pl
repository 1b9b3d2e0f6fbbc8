# What is said once, what counts whom, what is said of what is not there:
# small answers that were wrong.
use strict;
use warnings;
use PgpoolStats;

# the collector takes the only worker
my $node = start_node(q{
max_worker_processes = 1
max_logical_replication_workers = 0
pgpool_stats.notify_database = 'postgres'
pgpool_stats.alert_rules = 'no_pooling: warning 1 for 1min; pool_full: for 0s'
pgpool_stats.stale_after = 1s
});
sql(q{
CREATE ROLE app LOGIN CONNECTION LIMIT 2;
CREATE ROLE timer LOGIN;
CREATE ROLE "jürgen" LOGIN CONNECTION LIMIT 0;
CREATE DATABASE "größe" CONNECTION LIMIT 0;
GRANT pg_read_all_stats TO timer;
});

sub alert
{
	my ($columns, $where) = @_;

	return sql("SELECT $columns FROM pgpool_stats.alerts WHERE $where");
}

#
# no worker to send alerts with
#
report('orders', '{"max_size": 1, "checked_out": 1, "waiting": 0}');
wait_for("SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE pool = 'orders'");
next_pass() foreach 1 .. 5;
my $no_worker = qr/cannot start a worker to send alerts/;
my @said = slurp_file($node->logfile) =~ /$no_worker/g;
is(scalar(@said), 1, 'that there is no worker is said once');

#
# names are compared byte by byte
#
foreach my $try ([ 'jürgen', 'postgres' ], [ 'timer', 'größe' ])
{
	my ($role, $database) = @$try;

	like((psql('SELECT 1', as => $role, on => $database))[2],
		qr/too many connections/, "$role in $database is rejected");
}
is(sql(q{SELECT scope, name, rejected, status FROM pgpool_stats.budget WHERE name IN ('jürgen', 'größe') ORDER BY 1}),
	"database|größe|1|critical\nrole|jürgen|1|critical", 'and counted for whom it is');
is(sql(q{SELECT reason, usename, datname, usable, count FROM pgpool_stats.rejections ORDER BY reason}),
	"database|timer|größe|0|1\nrole|jürgen|postgres|0|1", 'and shown');
wait_for(q{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE usename = 'jürgen' AND rule = 'refused'});
is(alert('message', q{usename = 'jürgen' AND rule = 'refused'}),
	'role j??rgen: 1 connection rejected in the last 5 min', 'one is one');

#
# overview: at least as bad as what fires
#
sub overview
{
	my ($pool, %how) = @_;

	return sql("SELECT regexp_replace(status, ' .*', '') FROM pgpool_stats.overview WHERE pool = '$pool'", %how);
}

my $shop = session('shop', as => 'app');
$shop->query_safe('SELECT 1');
is(overview('shop'), 'ok', 'nothing is wrong with it');
my $second = session('shop', as => 'app');
$second->query_safe('SELECT 1');
like((psql('SELECT 1', as => 'app'))[2], qr/too many connections for role/, 'the role has no more');
wait_for(q{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE usename = 'app' AND rule = 'refused' AND state = 'firing'});
is(overview('shop'), 'critical', 'the limit of its role is its own');
is(overview('(server)'), 'critical', 'and the first line shows it');
is(overview('shop', as => 'timer'), 'critical', 'to all who may see it');
sql(q{SELECT pgpool_stats.silence('*', 'role/app')});
is(overview('shop'), 'ok', 'unless it is silenced');
$_->quit foreach $shop, $second;

#
# who only reports is no application without a pool
#
my $guard = q{SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL};

foreach my $n (1 .. 5)
{
	local $ENV{PGOPTIONS} = labels('reports');

	sql("$guard;\nSELECT pgpool_stats.report('orders', '{\"max_size\": 1, \"checked_out\": 1, \"waiting\": 0}', 'i')",
		as => 'timer');
	$ENV{PGOPTIONS} = labels('anew');
	sql('SELECT 1', as => 'timer');
}
wait_for(q{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE rule = 'no_pooling' AND pool = 'anew'});
is(alert('count(*)', q{rule = 'no_pooling' AND pool = 'reports'}), '0',
	'a timer that asks first and then reports');

#
# gone since its last instance went
#
my $went = session('went');
$went->query_safe('SELECT 1');
pass_time(1);
my $before = sql('SELECT now()');
$went->quit;
wait_for(q{SELECT status = 'gone' FROM pgpool_stats.pools WHERE pool = 'went'});
is(sql(qq{SELECT status_since >= '$before', status_since < now() - interval '1 s' FROM pgpool_stats.pools WHERE pool = 'went'}),
	't|t', 'gone since it went');

#
# a label's numbers are cut where they come in, too
#
my $huge = session('huge', pool_size => 2147483647, max_overflow => 2147483647);
$huge->query_safe('SELECT 1');
is(figures('huge', 'pool_size, max_overflow, max_size'), '2147483647|2147483647|2147483647',
	'the sum is no negative number');
$huge->quit;

#
# without a collector
#
is(sql('SELECT notes FROM pgpool_stats.info'), '', 'nothing is hidden');
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
is(sql('SELECT notes FROM pgpool_stats.info'),
	'max_worker_processes is 0: no collector, so no alerts, history and expiry', 'info says why');
report('orders', '{"max_size": 1, "checked_out": 1, "waiting": 0}');
is(sql("SELECT DISTINCT status FROM pgpool_stats.pools WHERE pool = 'orders'"), 'full', 'views work');
wait_for(q{SELECT code = 3 FROM pgpool_stats.check_status()});
wait_for(q{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE rule = 'collector_down'});
is(overview('(server)'), 'critical', 'and the overview is not green');

$node->stop;
done_testing();
