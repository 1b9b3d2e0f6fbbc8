# The snippets of docs/alerting.md and monitoring.md do what is said of them, on a server where
# all of it happens.  Its tables say what the views say.

use strict;
use warnings;
use PgpoolStats;
use Monitoring;

my $document = slurp_file('docs/alerting.md') . slurp_file('docs/monitoring.md');
unlike($document, qr/[^\x00-\x7f]/, 'ASCII only');

my $node = start_node(q{
listen_addresses = '127.0.0.1'
pgpool_stats.leak_after = 1s
pgpool_stats.notify_database = 'ops'
});

# A table is what the query of this file writes.
sub table_is
{
	my ($file, $name) = @_;
	my $table = written_by($file);

	ok($document =~ /^<!-- the table: psql -XAtf test\/\Q$file\E -->\n((?:\|.*\n)+)/m, "$name are there");
	is($1, $table, "$name are those of the view");
	return;
}

table_is('alert_rules.sql', 'rules');
table_is('metrics.sql', 'metrics');

# Settings that are given as examples
my @settings = $document =~ /^```conf\n(.*?)^```$/msg;
cmp_ok(scalar @settings, '>=', 2, 'examples of alert_rules');
foreach my $setting (@settings)
{
	my ($value) = $setting =~ /^pgpool_stats\.alert_rules = '(.*)'$/m;
	set_to('alert_rules', $value);
	is(sql('SELECT count(*) FROM pgpool_stats.rules WHERE error IS NOT NULL'), '0', "good: $value");
}

# What happens: everything of a pool is lent and idle in transaction
sql(q{
	CREATE DATABASE ops;
	CREATE ROLE app LOGIN;
	CREATE ROLE pager LOGIN;
	CREATE ROLE nagios LOGIN IN ROLE pg_monitor;
	CREATE ROLE exporter LOGIN IN ROLE pg_monitor;
	CREATE ROLE limited LOGIN CONNECTION LIMIT 1;
	CREATE ROLE rotated LOGIN;
});
set_to('alert_rules', 'no_pooling: off; pool_exhausted: warning 0 for 0s; leak: for 0s');

# ... and somebody listens
my ($listen) = $document =~ /^<!-- test: listen -->\n```python\n(.*?)^```$/ms;
$listen =~ s/dbname=ops user=pager/@{[$node->connstr('ops')]} user=pager/;
append_to_file($node->basedir . '/listen.py', $listen);
start_program('listen', $ENV{PYTHON} || '/usr/bin/python3', $node->basedir . '/listen.py');
wait_for(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = 'ops' AND query LIKE 'LISTEN%' AND state = 'idle'});

my $pool = start_pool($node->connstr('postgres') . ' user=app', 'orders', 3);
tell_pool($pool, 'take 3');

# ... callers of another wait, give up and fail
foreach my $count (100, 200)
{
	sql(qq{SELECT pgpool_stats.report('checkout', '{"pool_size": 5, "max_overflow": 5, "open": 10, "checked_out": 9, "waiting": 23,
		"max_wait": 1500, "checkouts": $count, "waits": $count, "total_wait_time": ${count}000, "timeouts": $count, "errors": $count}', 'web-1:1')});
	wait_for(q{SELECT count(*) > 0 FROM pgpool_stats.history WHERE pool = 'checkout'});
}

# ... somebody terminates a connection
my $terminated = session('mailer', as => 'app');
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'mailer'});
wait_for(q{SELECT count(*) = 1 FROM pgpool_stats.disconnects WHERE pool = 'mailer'});
eval { $terminated->quit };

# ... and a role may not have a second connection
my $holder;
{
	local $ENV{PGOPTIONS} = labels('batch', instance => 'h:1');
	$holder = background(as => 'limited');
	local $ENV{PGAPPNAME} = 'late';
	local $ENV{PGOPTIONS} = labels('late', instance => 'h:2');
	isnt(psql('SELECT 1', as => 'limited'), 0, 'a rejected connection');
}
isnt(psql('SELECT 1', on => 'nosuch'), 0, 'a rejected login');

# ... and a password is asked for that one of two instances does not have
my $old;
{
	my $hba = slurp_file($node->data_dir . '/pg_hba.conf');
	local $ENV{PGOPTIONS} = labels('reporting', instance => 'old:1');
	$old = background(as => 'rotated');
	write_file($node->data_dir . '/pg_hba.conf', "local all rotated scram-sha-256\n$hba");
	$node->reload;
	local $ENV{PGPASSWORD} = 'old';
	local $ENV{PGOPTIONS} = labels('reporting', instance => 'new:2');
	my $heard = '';
	for (1 .. 600)
	{
		$heard = (psql('SELECT 1', as => 'rotated'))[2];
		last if $heard =~ /authentication failed/;
	}
	like($heard, qr/authentication failed/, 'a wrong password');
}
wait_for(q{
	SELECT (SELECT count(DISTINCT rule) = 3 FROM pgpool_stats.alerts
			WHERE state = 'firing' AND rule IN ('pool_exhausted', 'leak', 'refused'))
		AND (SELECT sum(waits) >= 100 FROM pgpool_stats.history WHERE pool = 'checkout' AND bucket = '1 min')
		AND (SELECT sum(rejected_logins) = 1 FROM pgpool_stats.history WHERE pool = 'reporting' AND bucket = '1 min')});

# Run a snippet, each once
my %snippet = $document =~ /^<!-- test: (\w+) -->\n```sql\n(.*?)^```$/msg;
is(scalar(() = $document =~ /^```sql$/mg), scalar(keys %snippet), 'each snippet of SQL has a name');

sub shows
{
	my ($name, @what) = @_;
	my $query = delete $snippet{$name};
	my ($ret, $out, $err);

	$query =~ s/\$__timeFilter\((\w+)\)/$1 BETWEEN now() - interval '1 h' AND now()/;
	$query =~ s/timestamptz 'today 03:12'/now()/;
	($ret, $out, $err) = psql($query, on_error_stop => 1);
	is($err, '', "$name: runs");
	like($out, qr/$_/m, "$name: shows $_") foreach @what;
	return;
}

shows('alerts', '^critical\|refused\|', '^warning\|pool_exhausted\|.*\|orders on postgres: 1 of 1 instance full \(3/3\)');
shows('incidents', '\|critical\|refused\|', '\|warning\|pool_exhausted\|orders on postgres: 1 of 1 instance full .* idle in transaction');
shows('status', '^2\|CRITICAL\|\d critical, \d warnings?: ', '^1\|WARNING\|\d warning: orders');
shows('rules', '^pool_exhausted\|\*\|0\|');
shows('exhausted', '^orders\|postgres\|exhausted\|[^|]+\|1 of 1\|host:1\|100', '^checkout\|.*\|0 of 1\|web-1:1\|90');
shows('doing', '^host:1\|\d+\|idle in transaction\|.*\|SELECT 1$');
shows('waiting', '^checkout\|web-1:1\|9/10\|23\|1500\|1000\|');
shows('waited', '\|checkout\|[12]00\|[12]00\|23\|1000\|9\|90');
shows('lost', '^mailer\|app\|terminated\|57P01\|f\|1\|');
shows('errors', '^checkout\|postgres\|[^|]+\|[12]00\|[12]00\|');
shows('leaks', '^orders\|host:1\|3 of 3\|.*\|SELECT 1$');
shows('rejected', '\|1\|role\|late\|limited\|batch\|limited\|1\|');
shows('logins', '^no_database\|3D000\|[^|]+\|nosuch\|\w+\|1\|1\|');
shows('rotated', '^reporting\|postgres\|rotated\|1\|new:2\|.*\|1$');
shows('knocking');
shows('kinds', '\|reporting\|rotated\|\d\|0\|1\|0\|0\|0\|0$', '\|mailer\|app\|.*\|1$');
shows('held', '\|orders\|postgres\|app\|1\|\d\|3\|3\|3$', '\|batch\|');
shows('grafana', '\|orders\|3$');
shows('annotations', '\|orders on postgres: 1 of 1 instance full .*\|pool_exhausted,warning,orders,idle in transaction$');
shows('silence', '^\d+$', '\|\*\|\*\|.*\|maintenance\|', '\|leak\|orders\|');
is(sql('SELECT rule FROM pgpool_stats.silences'), 'leak', 'the maintenance window is over');
is_deeply([ keys %snippet ], [], 'all of them');

# What LISTEN brought
until_true('a notification', sub {
	slurp_file("$PostgreSQL::Test::Utils::log_path/listen.log") =~ /^raised warning orders on postgres: 1 of 1 instance full/m });
pass('LISTEN');

# The log has lines as shown
my ($line) = $document =~ /^    LOG:  (pgpool_stats alert raised: .*)$/m;
(my $fields = $line) =~ s/="[^"]*"|=\S+/=/g;
ok(( grep { s/="[^"]*"|=\S+/=/gr eq $fields } slurp_file($node->logfile) =~ /LOG:  (pgpool_stats alert raised: .*)$/mg),
	'a line of the log as it is shown');

# A command of the document, for this server
sub command
{
	my ($pattern) = @_;
	my ($command) = $document =~ /^    (?:\S+ \* \* \* \* )?($pattern.*)$/m;
	my $port = $node->port;
	my $out = '';

	$command =~ s/host=db1/host=127.0.0.1 port=$port/;
	$command =~ s/-H db1/-H 127.0.0.1 -P $port/;
	local $ENV{PATH} = "$ENV{PATH}:/usr/lib/nagios/plugins";
	IPC::Run::run([ 'sh', '-c', $command ], '<', \undef, '>', \$out, '2>&1', init => sub { chdir $node->basedir });
	return ($? >> 8, $out);
}

my ($ret, $out) = command('psql -XAtc "SELECT status');
like($out, qr/^CRITICAL\|\d critical/, 'cron');
($ret, $out) = command('psql -XAtc "SELECT pgpool_stats.prometheus');
is($ret, 0, 'prometheus to a file');
like(slurp_file($node->basedir . '/pgpool_stats.prom'), qr/^pgpool_stats_alert_value\{/m, 'and there it is');
SKIP:
{
	skip 'check_pgsql is not installed', 3 unless -x '/usr/lib/nagios/plugins/check_pgsql';
	($ret, $out) = command('check_pgsql');
	is($ret, 2, 'check_pgsql: CRITICAL');
	($ret, $out) = command('negate');
	is($ret, 0, 'check_pgsql and negate: not UNKNOWN');
	sql('REVOKE pg_monitor FROM nagios');
	($ret, $out) = command('negate');
	is($ret, 3, 'check_pgsql and negate: UNKNOWN');
}

# Rules of one's own
SKIP:
{
	skip 'promtool is not installed', 2 unless is_there('promtool');
	my ($rules) = $document =~ /^<!-- test: own -->\n```yaml\n(.*?)^```$/ms;
	my $home = $node->basedir;
	append_to_file("$home/own.yml", $rules);
	command_ok([ 'promtool', 'check', 'rules', "$home/own.yml" ], 'own rules are good');
	append_to_file(
		"$home/tests.yml", q{
rule_files: [own.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'pgpool_stats_fullest_ratio{pool="full"}', values: '1x30'}
      - {series: 'pgpool_stats_fullest_ratio{pool="roomy"}', values: '0.9x30'}
      - {series: 'pgpool_stats_wait_seconds_total{pool="slow"}', values: '0+3x30'}
      - {series: 'pgpool_stats_wait_events_total{pool="slow"}', values: '0+10x30'}
      - {series: 'pgpool_stats_wait_seconds_total{pool="fast"}', values: '0+1x30'}
      - {series: 'pgpool_stats_wait_events_total{pool="fast"}', values: '0+10x30'}
      - {series: 'pgpool_stats_rejected_total{reason="role"}', values: '0x18 1x12'}
      - {series: 'pgpool_stats_rejected_total{reason="server"}', values: '7x30'}
      - {series: 'pgpool_stats_budget_headroom_connections{scope="server"}', values: '19x30'}
    alert_rule_test:
      - {eval_time: 20m, alertname: PoolNearlyFull, exp_alerts: [{exp_labels: {pool: full}}]}
      - {eval_time: 20m, alertname: CallersWaitLong, exp_alerts: [{exp_labels: {pool: slow}}]}
      - {eval_time: 20m, alertname: ConnectionsRejected, exp_alerts: [{exp_labels: {reason: role}}]}
      - {eval_time: 20m, alertname: LittleRoom, exp_alerts: [{exp_labels: {scope: server}}]}
});
	command_ok([ 'promtool', 'test', 'rules', "$home/tests.yml" ], 'and fire');
}

$_->quit foreach $holder, $old;
$node->stop;
done_testing();
