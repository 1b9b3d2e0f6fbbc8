# openmetrics(): promtool accepts it, whatever names there are.
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

# Nothing there but ourselves
promtool_takes(sql('SELECT pgpool_stats.openmetrics()') . "\n", 'a quiet server');

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
my $text = sql('SELECT pgpool_stats.openmetrics()') . "\n";
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
unlike($text, qr/\bnan\b|\binf/i, 'no NaN');

# Names as the applications have them: no series twice
my $with = sql('SELECT pgpool_stats.openmetrics(true)') . "\n";
promtool_takes($with, 'with the names of the applications');
foreach my $name (qw(db_pool_size db_pool_checked_out db_pool_overflow))
{
	like($with, qr/^\Q$name\E\{pool="orders",.*,exporter="pgpool_stats"\} /m,
		"$name is there");
}
my @series = $with =~ /^([^#\n]+) \S+$/mg;
my %seen;
is(scalar(grep { $seen{$_}++ } @series), 0, 'no series is there twice');

# Instances, in the same words
my $instances = sql(
	q{SELECT string_agg(DISTINCT format(E'# HELP %s %s\n# TYPE %s %s\n%s 1\n', name, help, name, type, name), '')
	  FROM pgpool_stats.metrics_instances}) . "\n";
promtool_takes($instances, 'the names of metrics_instances');

$node->stop;
done_testing();
