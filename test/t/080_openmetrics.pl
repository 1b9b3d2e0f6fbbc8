# prometheus() and openmetrics(): promtool takes the one, the reference parser of
# OpenMetrics the other, whatever names there are, also as psql writes them.
use strict;
use warnings;
use PgpoolStats;
use Monitoring;

plan skip_all => 'promtool is not installed' unless is_there('promtool');

my $node = start_node();

sub promtool_takes
{
	my ($text, $name) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'promtool', 'check', 'metrics' ],
		'<', \$text, '>', \$out, '2>', \$err);
	is($? >> 8, 0, "promtool takes $name");
	is($out . $err, '', "and has nothing to say about $name");
	return;
}

# What psql writes, byte for byte
sub written
{
	my ($function) = @_;
	my $out = '';

	IPC::Run::run([ 'psql', '-XAtqc', "SELECT pgpool_stats.$function", '-d', $node->connstr('postgres') ],
		'<', \undef, '>', \$out);
	return $out;
}

# The parser that comes with OpenMetrics, of python3-prometheus-client: prints the
# samples it has found, as name{labels} value, with the type of their family
my $parser = <<'PYTHON';
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode()
for family in text_string_to_metric_families(text):
    for s in family.samples:
        print(json.dumps([s.name, family.type, s.labels, float(s.value)], sort_keys=True))
PYTHON
my $python = $ENV{PYTHON} || '/usr/bin/python3';
my $has_parser = IPC::Run::run([ $python, '-c', 'import prometheus_client.openmetrics.parser' ],
	'<', \undef, '>', \my $none, '2>&1');

sub parser_takes
{
	my ($text, $name) = @_;
	my ($out, $err) = ('', '');

  SKIP:
	{
		skip 'python3-prometheus-client is not installed', 1 unless $has_parser;
		IPC::Run::run([ $python, '-c', $parser ], '<', \$text, '>', \$out, '2>', \$err);
		is(($? >> 8) . $err, 0, "OpenMetrics' parser takes $name");
	}
	return $out;
}

# Nothing there but ourselves
promtool_takes(written('prometheus()'), 'a quiet server');
parser_takes(written('openmetrics()'), 'a quiet server');

# Every figure, in several pools; newer servers know no newline in names
my $role = qq{back\\slash "quoted" {a="b"} \xc3\xa9};
$role .= "\nline" if $node->pg_version < 19;
(my $quoted = $role) =~ s/"/""/g;
sql(qq{CREATE ROLE "$quoted" LOGIN});
my $figures =
  '{"pool_size": 5, "max_overflow": 10, "min_size": 1, "open": 12, "checked_out": 10, "waiting": 3,
	"max_wait": 1.5, "checkouts": 9007199254740993, "waits": 4, "total_wait_time": 1e15, "timeouts": 1, "errors": 2}';
(my $user = $role) =~ s/([\\'])/\\$1/g;
foreach my $pool ('orders', 'a \"pool\" \\\\ of {name="x"} #')
{
	sql(qq{SELECT pgpool_stats.report(E'$pool', '$figures', 'web-1:1')},
		connstr => $node->connstr('postgres') . " user='$user'");
}
sql(q{SELECT pgpool_stats.report('empty', '{"checked_out": 0}', 'i')});
my $text = written('prometheus()');
promtool_takes($text, 'odd names');
like($text,
	qr/^pgpool_stats_timeouts_total\{pool="a \\"pool\\" \\\\ of \{name=\\"x\\"\} #",/m,
	'a quote and a backslash in the name of a pool');
like($text, qr/usename="back\\\\slash \\"quoted\\" \{a=\\"b\\"\}/,
	'and of a role');
is(() = $text =~ /^[^#\n]*usename="back.*\\nline"\} /mg,
	() = $text =~ /^[^#\n]*usename="back/mg,
	'and a newline')
  if $node->pg_version < 19;
unlike($text =~ s/le="\+Inf"//gr, qr/\bnan\b|\binf/i, 'no NaN');

# Histograms: 12 limits each, in their order
{
	local $ENV{PGOPTIONS} = labels('connecting');
	sql('SELECT 1') foreach 1 .. 3;
}
$text = written('prometheus()');
promtool_takes($text, 'histograms');
my %limits = (
	connect => '0.001024 0.002048 8.388608 +Inf',
	authentication => '0.001024 0.002048 8.388608 +Inf',
	transaction_duration => '0.000256 0.001024 268.435456 +Inf');
foreach my $name (sort keys %limits)
{
	my @limits = $text =~ /^pgpool_stats_${name}_seconds_bucket\{pool="connecting",.*,le="(.+)"\} \d+$/mg;

	is("@limits[0, 1, 10, 11]", $limits{$name}, "$name: first and last limits");
	is(scalar @limits, 12, "$name: there are 12");
	like($text, qr/^pgpool_stats_${name}_seconds_bucket\{pool="connecting",.*,le="\+Inf"\} 3
pgpool_stats_${name}_seconds_count\{pool="connecting",.*"\} 3
pgpool_stats_${name}_seconds_sum\{pool="connecting",.*"\} 0?\.?\d/m, "$name: how many, how long");
}

# OpenMetrics: the same, but that the family of a counter has no _total, and that
# nothing but a newline is behind its end.  An empty line before it is an error.
my $open = written('openmetrics()');
like($open, qr/[^\n]\n# EOF\n\z/, 'ends as OpenMetrics wants it');
unlike($open, qr/^# \w+ \w+_total /m, 'no family is called _total');
like($open, qr/^# TYPE pgpool_stats_timeouts counter\npgpool_stats_timeouts_total\{/m,
	'but its samples are');
my $samples = parser_takes($open, 'odd names');
parser_takes($open =~ s/\n\z//r, 'it without the newline of psql');
is(() = $samples =~ /\n/g, () = $open =~ /^[^#]/mg, 'the parser finds all samples') if $has_parser;
my $still = qr/^pgpool_stats_(?:pending|timeouts|pool_size)[^#\n]*$/m;
is_deeply([ $open =~ /$still/g ], [ $text =~ /$still/g ], 'both have the same samples');

# Names as the applications have them: no series twice
my $with = written('prometheus(true)');
promtool_takes($with, 'with the names of the applications');
parser_takes(written('openmetrics(true)'), 'with the names of the applications');
foreach my $name (qw(db_pool_size db_pool_checked_out db_pool_overflow))
{
	like($with, qr/^\Q$name\E\{pool="orders",.*,exporter="pgpool_stats"\} /m,
		"$name is there");
}
my @series = $with =~ /^([^#\n]+) \S+$/mg;
my %seen;
is(scalar(grep { $seen{$_}++ } @series), 0, 'no series is there twice');

# Prometheus takes it as what it is
SKIP:
{
	skip 'Prometheus or the parser is not installed', 3 unless is_there('prometheus') && $has_parser;
	my ($port, $prometheus_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
	my $prometheus = "http://127.0.0.1:$prometheus_port";
	my $home = $node->basedir;

	write_file("$home/metrics", $open);
	start_program('server', $python, '-c', <<'PYTHON', $port, "$home/metrics");
import http.server, sys
class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.end_headers()
        self.wfile.write(open(sys.argv[2], "rb").read())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Metrics).serve_forever()
PYTHON
	write_file("$home/prometheus.yml", qq{
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: openmetrics
    static_configs: [{targets: ['127.0.0.1:$port']}]
});
	start_program('prometheus', 'prometheus', "--config.file=$home/prometheus.yml",
		"--storage.tsdb.path=$home/prometheus", "--web.listen-address=127.0.0.1:$prometheus_port");
	fetch("$prometheus/-/ready");
	my $query = sub { fetch("$prometheus/api/v1/query?query=$_[0]") };
	ok(until_true('a scrape', sub { $query->('up==1') =~ /"value"/ }), 'Prometheus scrapes it as OpenMetrics');
	my $all = () = $open =~ /^[^#]/mg;
	like($query->('scrape_samples_scraped'), qr/"$all"\]/, 'with all samples');
	like($query->('sum(pgpool_stats_timeouts_total)'), qr/"2"\]/, 'and their values');
}

# Instances, in the same words
my $instances = sql(
	q{SELECT string_agg(DISTINCT format(E'# HELP %s %s\n# TYPE %s %s\n%s 1\n', name, help, name, type, name), '')
	  FROM pgpool_stats.metrics_instances}) . "\n";
promtool_takes($instances, 'the names of metrics_instances');

$node->stop;
done_testing();
