# A real Prometheus scrapes a real postgres_exporter with our queries: the
# figures of the view metrics, and no NaN.

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

foreach my $program (qw(prometheus promtool prometheus-postgres-exporter))
{
	plan skip_all => "$program is not installed"
	  unless grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $files = 'docs/monitoring';
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
listen_addresses = '127.0.0.1'
pgpool_stats.sample_interval = 100ms
});
$node->start;
$node->safe_psql(
	'postgres', q{
CREATE EXTENSION pgpool_stats;
CREATE ROLE exporter LOGIN IN ROLE pg_monitor;
CREATE ROLE limited LOGIN CONNECTION LIMIT 0;
CREATE ROLE again LOGIN;
});

my %processes;

sub start
{
	my ($name, %more) = @_;
	my $log = "$PostgreSQL::Test::Utils::log_path/$name.log";

	local %ENV = (%ENV, %{ $more{env} || {} });
	$processes{$name} = IPC::Run::start($more{command}, '<', \undef, '>', $log, '2>&1');
	return;
}

END
{
	local $?;
	$_->kill_kill foreach values %processes;
}

# Fetch a page, waiting until the program that has it is there.
sub fetch
{
	my ($url) = @_;
	my $response;

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$response = HTTP::Tiny->new(timeout => 10)->get($url);
		return $response->{content} if $response->{success};
		Time::HiRes::usleep(100_000);
	}
	die "$url: $response->{status} $response->{content}";
}

# Poll until it is true; returns what it was at last.
sub until_true
{
	my ($what, $condition) = @_;

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $value = $condition->();
		return $value if $value;
		Time::HiRes::usleep(100_000);
	}
	die "gave up waiting for $what";
}

# All kinds of pools: one that tells everything, one that tells next to
# nothing, unlabelled ones, two of the same name, one that was refused
my $figures =
  '{"pool_size": 5, "max_overflow": 10, "min_size": 1, "open": 12, "checked_out": 10, "waiting": 23,
	"max_wait": 1500, "checkouts": 100, "waits": 4, "total_wait_time": 2000, "timeouts": 1, "errors": 2}';
$node->safe_psql('postgres', "SELECT pgpool_stats.report('telling', '$figures', 'i')");
$node->safe_psql('postgres', q{SELECT pgpool_stats.report('silent "one"', '{"checked_out": 2}', 'i')});
$node->safe_psql('postgres', q{SELECT pgpool_stats.report('again', '{"checked_out": 1, "max_size": 4}', 'i')},
	extra_params => [ '-U', 'again' ]);
$node->safe_psql('postgres', 'DROP ROLE again; CREATE ROLE again LOGIN');
$node->safe_psql('postgres', q{SELECT pgpool_stats.report('again', '{"checked_out": 2, "max_size": 4}', 'i')},
	extra_params => [ '-U', 'again' ]);
$node->psql('postgres', 'SELECT 1', extra_params => [ '-U', 'limited' ]);

my $exporter_port = PostgreSQL::Test::Cluster::get_free_port();
my $exporter = "http://127.0.0.1:$exporter_port/metrics";
start(
	'exporter',
	command => [
		'prometheus-postgres-exporter',
		"--extend.query-path=$files/postgres_exporter.yml",
		'--disable-default-metrics', '--disable-settings-metrics',
		"--web.listen-address=127.0.0.1:$exporter_port"
	],
	env => {
		DATA_SOURCE_NAME => 'postgresql://exporter@127.0.0.1:'
		  . $node->port
		  . '/postgres?sslmode=disable'
	});

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
	'23', 'a figure that was told');
is( scalar(grep { /^pgpool_stats_pending_requests/ } keys %scraped),
	1, 'one that was not is not there');
is($scraped{'pgpool_stats_client_connections datname="postgres" pool="again" state="used" usename="again"'},
	'3', 'two roles of one name are one series');
is($scraped{'pgpool_stats_registry_sees_all'}, '1', 'pg_monitor sees all');

# The same names, types, texts and values as in the view
my @types = $page =~ /^(# (?:TYPE|HELP) pgpool_stats_.*)$/mg;
my $openmetrics = $node->safe_psql('postgres', 'SELECT pgpool_stats.openmetrics()');
is_deeply([ sort @types ], [ sort $openmetrics =~ /^(# (?:TYPE|HELP) .*)$/mg ],
	'names, types and texts are those of openmetrics()');
my %expected;
while ($openmetrics =~ /^(\w+)(?:\{(.*)\})? (\S+)$/mg)
{
	my ($name, $labels, $value) = ($1, $2 // '', $3);
	my %label = $labels =~ /(\w+)="((?:[^"\\]|\\.)*)"/g;
	$expected{ join ' ', $name, map { qq{$_="$label{$_}"} } sort keys %label } = $value;
}
# our own connections change from one to the other
my @mine = grep { /pool="(?:again|telling|silent|postgres)|reason=|limited|scope="server"|registry|build/ } sort keys %expected;
is_deeply([ grep { !exists $scraped{$_} } @mine ], [], 'all series are scraped');
is_deeply([ grep { !exists $expected{$_} && !/pool="psql"/ } sort keys %scraped ], [], 'and no others');
my @still = grep { !/seconds|server|registry|pool="postgres"/ } @mine;
cmp_ok(scalar @still, '>', 30, 'enough of them stand still');
is_deeply([ map { "$_ " . $scraped{$_} * 1 } @still ],
	[ map { "$_ " . $expected{$_} * 1 } @still ], 'their values are the same');

# Prometheus
my $prometheus_port = PostgreSQL::Test::Cluster::get_free_port();
my $prometheus = "http://127.0.0.1:$prometheus_port";
my $home = $node->basedir;
append_to_file(
	"$home/prometheus.yml", qq{
global:
  scrape_interval: 1s
  evaluation_interval: 1s
scrape_configs:
  - job_name: postgres
    static_configs:
      - targets: ['127.0.0.1:$exporter_port']
});
command_ok([ 'promtool', 'check', 'config', "$home/prometheus.yml" ], 'promtool takes the configuration');
start(
	'prometheus',
	command => [
		'prometheus', "--config.file=$home/prometheus.yml",
		"--storage.tsdb.path=$home/prometheus",
		"--web.listen-address=127.0.0.1:$prometheus_port"
	]);
fetch("$prometheus/-/ready");

# Values of a query
sub prometheus
{
	my ($query) = @_;
	my $form = HTTP::Tiny->new->www_form_urlencode({ query => $query });
	my $answer = decode_json(fetch("$prometheus/api/v1/query?$form"));

	return map { $_->{value}[1] } @{ $answer->{data}{result} };
}

until_true('a scrape', sub { prometheus('pgpool_stats_build_info') });
is_deeply([ prometheus('sum(pgpool_stats_pending_requests)') ],
	['23'], 'a sum over pools of which some tell nothing');
is_deeply([ grep { /nan/i } prometheus('{__name__=~"pgpool_stats_.+"}') ],
	[], 'no NaN in Prometheus');
is_deeply([ prometheus('pgpool_stats_rejected_total{reason="role"}') ], ['1'], 'a refusal');

$node->stop;
done_testing();
