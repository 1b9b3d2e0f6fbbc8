# A real Prometheus scrapes a real postgres_exporter with our queries: the
# figures of the view metrics, and no NaN.  Our alerts fire in it.

use strict;
use warnings;

use Cwd;
use HTTP::Tiny;
use JSON::PP;
use POSIX 'ceil';
use Time::HiRes 'time';
use PgpoolStats;
use Monitoring;
use Poolers;

foreach my $program (qw(prometheus promtool prometheus-postgres-exporter))
{
	plan skip_all => "$program is not installed" unless is_there($program);
}

my $files = 'docs/monitoring';
my $node = start_node(q{
listen_addresses = '127.0.0.1'
pgpool_stats.alert_rules = 'no_pooling: off; pool_exhausted: for 0s; pooler_down: off'
pgpool_stats.poolers = 'name=nowhere host=127.0.0.1 port=1'
pgpool_stats.poll_interval = 200ms
});
sql(q{
CREATE ROLE exporter LOGIN IN ROLE pg_monitor;
CREATE ROLE limited LOGIN CONNECTION LIMIT 0;
CREATE ROLE again LOGIN;
CREATE ROLE app LOGIN;
});

# All kinds of pools: one that reports everything, one that reports next to
# nothing, unlabelled ones, two of the same name, one that was rejected
my $figures =
  '{"pool_size": 5, "max_overflow": 10, "min_size": 1, "open": 12, "checked_out": 10, "waiting": 23,
	"max_wait": 1500, "checkouts": 100, "waits": 4, "total_wait_time": 2000, "timeouts": 1, "errors": 2}';
report('telling', $figures);
report('silent "one"', '{"checked_out": 2}');
report('again', '{"checked_out": 1, "max_size": 4}', as => 'again');
sql('DROP ROLE again; CREATE ROLE again LOGIN');
report('again', '{"checked_out": 2, "max_size": 4}', as => 'again');
psql('SELECT 1', as => 'limited');
wait_for(q{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE rule = 'refused' AND state = 'firing'});
wait_for('SELECT NOT reachable FROM pgpool_stats.poolers');
# ... and what a pooler says of its pool
my ($bouncer, $bouncer_port) = start_bouncer($node);
if ($bouncer)
{
	sql('SELECT 1', connstr => "host=127.0.0.1 port=$bouncer_port user=app dbname=postgres") foreach 1 .. 3;
	wait_for(q{SELECT xacts >= 3 FROM pgpool_stats.pools WHERE pool = 'bouncer' AND usename = 'app'});
}

my $exporter_port = PostgreSQL::Test::Cluster::get_free_port();
my $exporter = "http://127.0.0.1:$exporter_port/metrics";
{
	local $ENV{DATA_SOURCE_NAME} =
	  'postgresql://exporter@127.0.0.1:' . $node->port . '/postgres?sslmode=disable';
	start_program(
		'exporter', 'prometheus-postgres-exporter',
		"--extend.query-path=$files/postgres_exporter.yml",
		'--disable-default-metrics', '--disable-settings-metrics',
		"--web.listen-address=127.0.0.1:$exporter_port");
}

# What the exporter says of us, by series without the label it adds
sub scrape
{
	my $page = fetch($exporter);
	my %series;

	while ($page =~ /^(\w+)(?:\{(.*)\})? (\S+)$/mg)
	{
		my ($name, $labels, $value) = ($1, $2 // '', $3);
		my %label = $labels =~ /(\w+)="((?:[^"\\]|\\.)*)"/g;
		next unless $name =~ /^pgpool_stats_/;
		delete $label{server};
		$series{ join ' ', $name, map { qq{$_="$label{$_}"} } grep { $label{$_} ne '' } sort keys %label } = $value;
	}
	return ($page, %series);
}

my ($page, %scraped) = scrape();
unlike($page, qr/\bnan\b/i, 'no NaN in the scrape');
unlike($page, qr/user_queries_load_error\{.*\} 1/, 'all queries are good');
is($scraped{'pgpool_stats_pending_requests datname="postgres" pool="telling" usename="postgres"'},
	'23', 'a figure that was reported');
is(scalar(grep { /^pgpool_stats_pending_requests/ && !/bouncer/ } keys %scraped),
	1, 'one that was not is not there');
is($scraped{'pgpool_stats_client_connections datname="postgres" pool="again" state="used" usename="again"'},
	'3', 'two roles of one name are one series');
is($scraped{'pgpool_stats_registry_sees_all'}, '1', 'pg_monitor sees all');
is($scraped{'pgpool_stats_pooler_up pooler="nowhere"'}, '0', 'a pooler');
is(scalar(grep { /^pgpool_stats_transactions_total .*layer="pooler" pool="bouncer"/ } keys %scraped),
	$bouncer ? 1 : 0, 'the same transactions, as a pooler says, are of another layer');
is($scraped{'pgpool_stats_chain_bottleneck datname="postgres" pool="telling" state="application" usename="postgres"'},
	'1', 'where callers wait');
is($scraped{'pgpool_stats_alert_value rule="refused" severity="critical" usename="limited"'},
	'1', 'an alert');

# The same names, types, texts and values as in the view
# (load, of the last minute, may come in between)
my @types = $page =~ /^(# (?:TYPE|HELP) pgpool_stats_.*)$/mg;
my $text = sql('SELECT pgpool_stats.prometheus()');
is_deeply([ sort grep { !/load/ } @types ], [ sort grep { !/load/ } $text =~ /^(# (?:TYPE|HELP) .*)$/mg ],
	'names, types and texts are those of prometheus()');
my %expected;
while ($text =~ /^(\w+)(?:\{(.*)\})? (\S+)$/mg)
{
	my ($name, $labels, $value) = ($1, $2 // '', $3);
	my %label = $labels =~ /(\w+)="((?:[^"\\]|\\.)*)"/g;
	$expected{ join ' ', $name, map { qq{$_="$label{$_}"} } sort keys %label } = $value;
}
# our own connections change from one to the other
delete @$_{ grep { /load/ } keys %$_ } foreach \(%expected, %scraped);
my @mine = grep { /pool="(?:again|telling|silent|postgres|bouncer)|rejected_total|limited|pooler=|scope="server"|registry|build/ } sort keys %expected;
is_deeply([ grep { !exists $scraped{$_} } @mine ], [], 'all series are scraped');
is_deeply([ grep { !exists $expected{$_} && !/pool="psql"/ } sort keys %scraped ], [], 'and no others');
my @still = grep { !/seconds|server|registry|pool="postgres"/ } @mine;
cmp_ok(scalar @still, '>', 30, 'enough of them stand still');
is_deeply([ map { "$_ " . $scraped{$_} * 1 } @still ],
	[ map { "$_ " . $expected{$_} * 1 } @still ], 'their values are the same');

# Prometheus: it scrapes as often as it can, but a scrape that is not done before the
# next one is none
my $begun = time;
fetch($exporter);
my $interval = 1 + ceil(5 * (time - $begun));
my $prometheus_port = PostgreSQL::Test::Cluster::get_free_port();
my $prometheus = "http://127.0.0.1:$prometheus_port";
my $home = $node->basedir;
my $rules = Cwd::abs_path("$files/prometheus_rules.yml");
my $fleet_rules = Cwd::abs_path("$files/prometheus_fleet.yml");
append_to_file(
	"$home/prometheus.yml", qq{
global:
  scrape_interval: ${interval}s
  scrape_timeout: ${interval}s
  evaluation_interval: 1s
rule_files:
  - $rules
  - $fleet_rules
scrape_configs:
  - job_name: postgres
    static_configs:
      - targets: ['127.0.0.1:$exporter_port']
});
command_ok([ 'promtool', 'check', 'config', "$home/prometheus.yml" ],
	'promtool takes the rules and a configuration with them');
start_program(
	'prometheus', 'prometheus',
	"--config.file=$home/prometheus.yml",
	"--storage.tsdb.path=$home/prometheus",
	"--web.listen-address=127.0.0.1:$prometheus_port");
fetch("$prometheus/-/ready");

# Values of a query
sub prometheus
{
	my ($query) = @_;
	my $form = HTTP::Tiny->new->www_form_urlencode({ query => $query });
	my $answer = decode_json(fetch("$prometheus/api/v1/query?$form"));

	return map { $_->{value}[1] } @{ $answer->{data}{result} };
}

# A scrape that took too long leaves nothing behind.
sub becomes
{
	my ($query, $expected, $name) = @_;
	my $now = '';

	until_true($name, sub { ($now = join ' ', prometheus($query)) eq $expected });
	is($now, $expected, $name);
	return;
}

becomes('sum(pgpool_stats_pending_requests)', '23', 'a sum over pools of which some report nothing');
is_deeply([ grep { /nan/i } prometheus('{__name__=~"pgpool_stats_.+"}') ],
	[], 'no NaN in Prometheus');
becomes('pgpool_stats_rejected_total{reason="role"}', '1', 'a rejection');

# Alerts: there is one for each of our rules
my @rules = slurp_file($rules) =~ /alert_value\{rule="(\w+)"\}$/mg;
is_deeply(
	[ sort @rules ],
	[ sort split /\n/, sql(q{SELECT rule FROM pgpool_stats.rules WHERE origin = 'default'}) ],
	'an alert for each rule');

# Alerts of a pool that fire in Prometheus: name, severity and text
sub firing
{
	my ($pool) = @_;
	my $answer = decode_json(fetch("$prometheus/api/v1/alerts"));

	return join "\n", sort map { "$_->{labels}{alertname} $_->{labels}{severity} $_->{annotations}{summary}" }
	  grep { ($_->{labels}{pool} // '') eq $pool && $_->{state} eq 'firing' }
	  @{ $answer->{data}{alerts} };
}

sub fires
{
	my ($pool, $what, $name) = @_;
	my $now = '';

	until_true($name, sub { ($now = firing($pool)) =~ $what });
	like($now, $what, $name);
	return;
}

# ... when a real pool has lent out everything
my $pool = start_pool($node->connstr('postgres') . ' user=app', 'orders', 3);
tell_pool($pool, 'take 2');
wait_for(q{SELECT checked_out = 2 FROM pgpool_stats.pools WHERE pool = 'orders'});
is(firing('orders'), '', 'a pool with a connection left');
tell_pool($pool, 'take 1');
my $exhausted = qr/^PgpoolStatsPoolExhausted warning orders on postgres: an instance has lent out all it may, for [\d.]+s$/;
fires('orders', $exhausted, 'an exhausted pool fires');
my $id = sql(q{SELECT pgpool_stats.silence('pool_exhausted', 'orders')});
fires('orders', qr/^$/, 'not when it is silenced');
sql("SELECT pgpool_stats.unsilence($id)");
fires('orders', $exhausted, 'it does after that');
tell_pool($pool, 'give 3');
fires('orders', qr/^$/, 'it ends when connections come back');

# What is recorded of many servers is there of one
foreach my $record (slurp_file($fleet_rules) =~ /record: (\S+)/g)
{
	ok(until_true("recorded: $record", sub { prometheus($record) }), "recorded: $record");
}
becomes('sum(pool:pgpool_stats_pending_requests:sum)', '23', 'sums over servers');

# The dashboards: Prometheus takes each of their queries and has an answer, unless
# it is of a pooler that answers, or a server that does not
tell_pool($pool, 'take 3');
psql('SELECT 1', on => 'nosuch');
my $absent = $bouncer ? qr/rejected_unavailable/ : qr/pooler_client_connections|rejected_unavailable/;
my $documented = slurp_file('docs/monitoring.md');
foreach my $name (qw(grafana_dashboard grafana_fleet))
{
	my $dashboard = decode_json(slurp_file("$files/$name.json"));

	foreach my $panel (@{ $dashboard->{panels} })
	{
		foreach my $target (@{ $panel->{targets} })
		{
			my $expression = $target->{expr};

			$expression =~ s/\$(?:instance|pool)\b/.*/g;
			$expression =~ s/\$__rate_interval/1m/g;
			if ($expression =~ $absent)
			{
				my ($metric) = $expression =~ /(pgpool_stats_\w+)/;
				prometheus($expression);
				like($documented, qr/^\| `$metric` /m, "$panel->{title}: $metric");
				next;
			}
			ok(until_true($expression, sub { prometheus($expression) }), "$panel->{title}: $expression");
		}
	}
	foreach my $annotation (@{ $dashboard->{annotations}{list} })
	{
		my $expression = $annotation->{expr};

		$expression =~ s/\$(?:instance|pool)\b/.*/g;
		ok(until_true($expression, sub { prometheus($expression) }), "annotations: $annotation->{name}");
	}
	foreach my $variable (grep { $_->{type} eq 'query' } @{ $dashboard->{templating}{list} })
	{
		my ($series, $label) = $variable->{query}{query} =~ /^label_values\((.*), (\w+)\)$/;

		$series =~ s/\$instance/.*/;
		ok(until_true($series, sub { prometheus("count by ($label) ($series)") }), "variable $variable->{name}");
	}
}

is_deeply([ fetch($exporter) =~ /^(# (?:TYPE|HELP) pgpool_stats_load.*)$/mg ],
	[ sql('SELECT pgpool_stats.prometheus()') =~ /^(# (?:TYPE|HELP) pgpool_stats_load.*)$/mg ], 'load');

# The two that say that there is nothing to see
append_to_file(
	"$home/tests.yml", qq{
rule_files:
  - $rules
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'pgpool_stats_registry_sees_all{instance="a"}'
        values: '1x20'
      - series: 'pgpool_stats_build_info{instance="a", version="1.0"}'
        values: '1x10 _x10'
      - series: 'pgpool_stats_build_info{instance="a", version="1.1"}'
        values: '_x10 1x10'
      - series: 'pgpool_stats_registry_sees_all{instance="b"}'
        values: '0x20'
      - series: 'pgpool_stats_build_info{instance="b", version="1.0"}'
        values: '1x10 stale'
    alert_rule_test:
      - eval_time: 10m
        alertname: PgpoolStatsNotAll
        exp_alerts:
          - exp_labels: {instance: b, severity: warning}
            exp_annotations:
              summary: 'the exporter sees only the pools of its own role: GRANT pg_monitor'
              runbook_url: docs/security.md#who-sees-what
      - eval_time: 12m
        alertname: PgpoolStatsNoFigures
      - eval_time: 14m
        alertname: PgpoolStatsNoFigures
        exp_alerts:
          - exp_labels: {instance: b, severity: critical}
            exp_annotations:
              summary: 'no figures of pgpool_stats any more: is the exporter up, the server, the extension there?'
              runbook_url: docs/troubleshooting.md#prometheus-gets-no-figures
});
command_ok([ 'promtool', 'test', 'rules', "$home/tests.yml" ], 'blind is not green');

$bouncer->stop if $bouncer;
$node->stop;
done_testing();
