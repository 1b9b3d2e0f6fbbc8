# The files of docs/monitoring for other systems: their structure, their SQL, and
# the programs that Debian has.  Each gives all figures of the view metrics, with
# all of their labels.

use strict;
use warnings;

use Cwd;
use HTTP::Tiny;
use JSON::PP;
use PgpoolStats;
use Monitoring;
use Poolers;

my $files = 'docs/monitoring';
my $python = '/usr/bin/python3';

plan skip_all => 'python3-yaml is not installed'
  unless IPC::Run::run([ $python, '-c', 'import yaml' ], '<', \undef, '>', \my $none, '2>&1');

my $node = start_node(q{
listen_addresses = '127.0.0.1'
pgpool_stats.alert_rules = 'no_pooling: off; pool_exhausted: for 0s'
pgpool_stats.poolers = 'name=nowhere host=127.0.0.1 port=1'
});
sql(q{
CREATE ROLE exporter LOGIN IN ROLE pg_monitor;
CREATE ROLE limited LOGIN CONNECTION LIMIT 0;
CREATE ROLE app LOGIN;
});
report('telling', '{"pool_size": 5, "max_overflow": 10, "open": 12, "checked_out": 10, "waiting": 23, "max_wait": 1500,
	"checkouts": 100, "waits": 4, "total_wait_time": 2000, "timeouts": 1, "errors": 2}');
psql('SELECT 1', as => 'limited');
my $pool = start_pool($node->connstr('postgres') . ' user=app', 'orders', 2);
tell_pool($pool, 'take 2');
# a cause, an ended connection, a pooler and what it says of its pool, memory
my ($bouncer, $bouncer_port) = start_bouncer($node);
if ($bouncer)
{
	sql('SELECT 1', connstr => "host=127.0.0.1 port=$bouncer_port user=app dbname=postgres");
	wait_for(q{SELECT count(*) > 0 FROM pgpool_stats.metrics WHERE labels @> '{"layer": "pooler", "pool": "bouncer"}'});
}
wait_for(q{SELECT count(DISTINCT name) = 4 FROM pgpool_stats.metrics
	WHERE name IN ('pgpool_stats_alert_cause', 'pgpool_stats_disconnects_by_reason_total', 'pgpool_stats_pooler_up', 'pgpool_stats_memory_bytes')});

# Structure, and what the SQL in it returns, as their role
my ($said, $err) = ('', '');
IPC::Run::run([ $python, 'test/monitoring', '--queries' ], '<', \undef, '>', \$said, '2>', \$err);
is($? >> 8, 0, 'the structure of all files') or diag($said . $err);
my @queries = @{ decode_json($said) };
# load comes and goes by the minute; memory, too, but it is there now and then
my $names = q{SELECT DISTINCT name FROM pgpool_stats.metrics WHERE name <> 'pgpool_stats_load_sessions'};
my %names = map { $_ => 1 } 'pgpool_stats_memory_bytes', split /\n/, sql($names);
my %labels = map { $_ => 1 } split /\n/, sql('SELECT DISTINCT key FROM pgpool_stats.metrics, jsonb_each(labels)');
cmp_ok(scalar(keys %labels), '>=', 12, 'all labels are there');

my %asked;
foreach my $query (@queries)
{
	my ($file, $sql, $columns) = @{$query}{qw(file sql columns)};
	my $answer = decode_json(
		sql("SELECT json_build_object('columns', (SELECT json_agg(DISTINCT key) FROM json_object_keys(row_to_json(q)) AS key), 'row', row_to_json(q))
			FROM ($sql) AS q LIMIT 1", as => 'exporter') || '{"columns": []}');

	if ($file eq 'postgres_exporter.yml')
	{
		# 082_prometheus runs these in it
		my %has = map { $_ => 1 } @{ $answer->{columns} };
		is(join(' ', grep { !$has{$_} } @$columns), '', "$file: columns") if %has;
		next;
	}
	my $how = sql("SELECT count(DISTINCT (q.*)::text), count(*) FROM ($sql) AS q", as => 'exporter');
	my ($different, $rows) = split /\|/, $how;
	is($different, $rows, "$file: no series twice");
	cmp_ok($rows, '>', 30, "$file: all figures");
	is_deeply([ sort @{ $answer->{columns} } ], [ sort @$columns ], "$file: its columns are those of the query");
	foreach my $label (keys %labels)
	{
		ok(scalar(grep { /^(?:tag_)?\Q$label\E$/ } @$columns), "$file: label $label");
	}
	push @{ $asked{$file} }, "SELECT DISTINCT @{[grep { /metric/ } @$columns]} FROM ($sql) AS q";
}
foreach my $file (sort keys %asked)
{
	my %given;
	until_true(
		"$file: memory",
		sub {
			$given{$_} = 1 foreach grep { !/load/ } map { split /\n/, sql($_, as => 'exporter') } @{ $asked{$file} };
			return $given{pgpool_stats_memory_bytes};
		});
	is_deeply([ sort keys %given ], [ sort keys %names ], "$file: all names");
}

# Datadog's has a line for each figure: written from the view
is(slurp_file("$files/datadog.yaml"), written_by('datadog.sql'), 'datadog.yaml is up to date');

# Zabbix: what its agent reads
SKIP:
{
	skip 'zabbix_agentd is not installed', 3 unless -x '/usr/sbin/zabbix_agentd';
	my $conf = $node->basedir . '/zabbix_agentd.conf';
	my $dsn = $node->connstr('postgres') . ' user=exporter';

	$dsn =~ s/'//g;
	append_to_file($conf, "Server=127.0.0.1\nHostname=db1\nTimeout=30\nInclude=" . Cwd::abs_path("$files/zabbix_agentd.conf") . "\n");

	my $ask = sub {
		my ($key) = @_;
		my ($out, $err) = ('', '');

		IPC::Run::run([ '/usr/sbin/zabbix_agentd', '-c', $conf, '-t', $key ], '<', \undef, '>', \$out, '2>', \$err);
		return $out . $err;
	};

	like($ask->("pgpool_stats.metrics[$dsn]"), qr/\[t\|# HELP .*^pgpool_stats_pending_requests\{pool="telling",.*\} 23$/ms,
		'Zabbix: all figures');
	like($ask->("pgpool_stats.status[$dsn]"), qr/\[t\|\{"code" : [12], "message" : ".+"\}\]/, 'Zabbix: status');
	like($ask->("pgpool_stats.status[$dsn,telling]"), qr/\[t\|\{"code" : [012], "message" : ".*telling.*"\}\]/, 'Zabbix: of a pool');
}

# Debian's sql_exporter, and Prometheus, which gives its series their names
SKIP:
{
	skip 'prometheus-sql-exporter or prometheus is not installed', 3
	  unless is_there('prometheus-sql-exporter') && is_there('prometheus');
	my $home = $node->basedir;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $config = slurp_file("$files/prometheus_sql_exporter.yml");

	ok($config =~ s{(?<=postgres://exporter\@127\.0\.0\.1:)5432}{@{[$node->port]}}, 'its connection');
	$config =~ s/interval: '15s'/interval: '1s'/;
	append_to_file("$home/sql_exporter.yml", $config);
	start_program('sql_exporter', 'prometheus-sql-exporter', "-config.file=$home/sql_exporter.yml",
		"-web.listen-address=127.0.0.1:$port");
	until_true('its figures', sub { fetch("http://127.0.0.1:$port/metrics") =~ /^sql_pgpool_stats\{/m });

	my ($relabel) = slurp_file('docs/monitoring.md') =~ /^<!-- test: relabel -->\n```yaml\n(.*?)^```$/ms;
	my $prometheus_port = PostgreSQL::Test::Cluster::get_free_port();
	my $prometheus = "http://127.0.0.1:$prometheus_port";
	$relabel =~ s/^/    /mg;
	append_to_file("$home/prometheus.yml", qq{
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: postgres
    static_configs:
      - targets: ['127.0.0.1:$port']
$relabel});
	start_program('prometheus', 'prometheus', "--config.file=$home/prometheus.yml",
		"--storage.tsdb.path=$home/prometheus", "--web.listen-address=127.0.0.1:$prometheus_port");
	my @found;
	until_true(
		'all names in Prometheus',
		sub {
			my $answer = decode_json(fetch("$prometheus/api/v1/query?query=%7B__name__%3D~%22pgpool_stats_.%2B%22%7D"));

			@found = @{ $answer->{data}{result} };
			my %seen = map { $_->{metric}{__name__} => 1 } @found;
			return !grep { !$seen{$_} } keys %names;
		});
	pass('Prometheus has all figures under their names');
	my ($waiting) = grep { $_->{metric}{__name__} eq 'pgpool_stats_pending_requests' && $_->{metric}{pool} eq 'telling' } @found;
	is_deeply(
		{ %{ $waiting->{metric} }, value => $waiting->{value}[1] },
		{
			__name__ => 'pgpool_stats_pending_requests',
			pool => 'telling',
			datname => 'postgres',
			usename => 'postgres',
			instance => "127.0.0.1:$port",
			job => 'postgres',
			value => '23'
		},
		'with their labels, and no others');
}

$bouncer->stop if $bouncer;
$node->stop;
done_testing();
