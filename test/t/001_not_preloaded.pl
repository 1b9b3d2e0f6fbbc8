# Without shared_preload_libraries everything says so and nothing breaks.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node("shared_preload_libraries = ''");

pass('CREATE EXTENSION works');

is(sql('SELECT pool, status FROM pgpool_stats.overview'),
	'(not in shared_preload_libraries)|not loaded',
	'overview answers one row that says so');
is(sql('SELECT loaded, version IS NOT NULL, collector_pid IS NULL,
			instances_max IS NULL FROM pgpool_stats.info'),
	'f|t|t|t', 'info answers one row that says so');

foreach my $query (
	"SELECT pgpool_stats.report('p', '{\"open\": 1}')",
	"SELECT pgpool_stats.forget('p')",
	'SELECT pgpool_stats.reset()',
	'SELECT * FROM pgpool_stats.pools',
	'SELECT * FROM pgpool_stats.instances',
	'SELECT * FROM pgpool_stats.budget',
	'SELECT * FROM pgpool_stats.metrics',
	'SELECT * FROM pgpool_stats.metrics_instances',
	'SELECT * FROM pgpool_stats.metrics_histograms',
	'SELECT pgpool_stats.openmetrics()',
	'SELECT pgpool_stats.prometheus()',
	'SELECT pgpool_stats.report_html()',
	'SELECT * FROM pgpool_stats.check_budget(5)',
	"SELECT * FROM pgpool_stats.check_plan('[{\"pool_size\": 5}]')",
	"SELECT pgpool_stats.assert_plan('[{\"pool_size\": 5}]')")
{
	my ($ret, $stdout, $stderr) = psql($query,
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	isnt($ret, 0, "fails: $query");
	like(
		$stderr,
		qr/ERROR:  55000: .*must be loaded via shared_preload_libraries.*\n(?:.*\n)*?HINT:  .*shared_preload_libraries/,
		"says why, with a hint: $query");
}

is(sql('SELECT code, message FROM pgpool_stats.check_status()'),
	'3|pgpool_stats is not in shared_preload_libraries',
	'check_status answers one row that says so');

# Settings in the connection string: before the library is loaded by the first
# call of a function, they are placeholders.
foreach my $setting (
	'pool=orders', 'instance=web-1:4711',
	'pool_size=abc', 'max_overflow=',
	'strict_reports=on', 'no_such_setting=1',
	'sample_interval=100', 'max_pools=7', 'pooler_addresses=nonsense')
{
	local $ENV{PGOPTIONS} = "-c pgpool_stats.$setting";
	my ($ret, $stdout, $stderr) =
	  psql('SELECT loaded FROM pgpool_stats.info; SELECT 1');
	is($ret, 0, "connection with pgpool_stats.$setting works");
	is($stdout, "f\n1", "and so do its queries");
}

# ... and with settings of a role
sql(q{
	CREATE ROLE labelled LOGIN;
	ALTER ROLE labelled SET pgpool_stats.pool = 'orders';
	ALTER ROLE labelled SET pgpool_stats.pool_size = '5+10';
});
is(sql('SELECT loaded FROM pgpool_stats.info; SELECT session_user', as => 'labelled'),
	"f\nlabelled", 'labels of a role do no harm');

# a plain LOAD does no better, and does no harm
is(sql("LOAD 'pgpool_stats'; SELECT loaded FROM pgpool_stats.info"),
	'f', 'LOAD is not enough');

sql('DROP EXTENSION pgpool_stats');
pass('DROP EXTENSION works');

$node->stop;
done_testing();
