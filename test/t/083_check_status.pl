# check_status(), through the plugins that Nagios runs: OK, WARNING, CRITICAL,
# and UNKNOWN rather than blind.

use strict;
use warnings;
use PgpoolStats;
use Monitoring;

my $nagios = '/usr/lib/nagios/plugins';
my $plugin = 'docs/monitoring/check_pgpool_stats';
my @codes = qw(OK WARNING CRITICAL UNKNOWN);

# the library is not loaded, and the extension not made as yet
my $node = start_node(q{
listen_addresses = '127.0.0.1'
shared_preload_libraries = ''
});
sql('DROP EXTENSION pgpool_stats; DROP SCHEMA IF EXISTS pgpool_stats');

sub run_plugin
{
	my ($role, @command) = @_;
	my ($out, $err) = ('', '');

	local %ENV = (
		%ENV,
		PGHOST => $node->host,
		PGPORT => $node->port,
		PGDATABASE => 'postgres',
		PGUSER => $role);
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out . $err);
}

# What our plugin says to a role: exit status and text
sub plugin_says
{
	my ($role, $arguments, $code, $text, $name) = @_;
	my ($rc, $out) = run_plugin($role, $plugin, @$arguments);

	is($rc, $code, "$name: $codes[$code]");
	like($out, qr/^$codes[$code]: $text/, "$name: the text");
	return;
}

my $check = 'SELECT code FROM pgpool_stats.check_status()';

# The line of docs/monitoring.md
sub check_pgsql
{
	my ($role, @negate) = @_;
	my $query = @negate ? "SELECT (code = 3)::int FROM pgpool_stats.check_status()" : $check;

	return (run_plugin($role, @negate, "$nagios/check_pgsql", '-H', '127.0.0.1', '-P', $node->port,
		'-d', 'postgres', '-l', $role, '-q', $query, '-W', '0:0', '-C', '0:1'))[0];
}

sub check_pgsql_says
{
	my ($code, $name) = @_;

  SKIP:
	{
		skip 'check_pgsql is not installed', 1 unless -x "$nagios/check_pgsql";
		is(check_pgsql('nagios'), $code, "$name: check_pgsql, too");
	}
	return;
}

sub fires
{
	my ($what) = @_;

	wait_for(q{
		SELECT coalesce(string_agg(severity || ' ' || rule, ', '), '') FROM pgpool_stats.alerts
		WHERE state = 'firing' AND silenced_until IS NULL}, $what);
	return;
}

sql(q{
CREATE ROLE nagios LOGIN IN ROLE pg_monitor;
CREATE ROLE "the blind" LOGIN;
CREATE ROLE app LOGIN;
});
plugin_says('nagios', [], 3, 'ERROR:  schema "pgpool_stats" does not exist', 'no extension');
sql('CREATE EXTENSION pgpool_stats');
plugin_says('nagios', [], 3, 'pgpool_stats is not in shared_preload_libraries$', 'not loaded');
plugin_says('the blind', ['orders'], 3, 'pgpool_stats is not in shared_preload_libraries$', 'not loaded, one pool');

$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.alert_rules = 'no_pooling: off'
});
$node->restart;
wait_for('SELECT last_pass IS NOT NULL FROM pgpool_stats.info');

# all is well
my $orders = start_pool($node->connstr('postgres') . ' user=app', 'orders', 3);
my $stock = start_pool($node->connstr('postgres') . ' user=app', 'stock', 2);
tell_pool($orders, 'take 2');
tell_pool($stock, 'take 1');
plugin_says('nagios', [], 0,
	'\d+ of \d+ connections used, pools: \d+ \| connections=\d+;;;0;\d+ lent=\d+;;;0;.* exhausted_instances=0$', 'quiet');
plugin_says('nagios', ['orders'], 0,
	'orders: 2 of 3 connections lent \| connections=3 lent=2;;;0;3 exhausted_instances=0$', 'a quiet pool');
check_pgsql_says(0, 'quiet');

# who may not see
plugin_says('the blind', [], 3, qr{only your own role's pools are visible: GRANT pg_monitor TO "the blind"$},
	'without pg_monitor');
plugin_says('the blind', ['orders'], 3, 'there is no pool "orders" that you may see$', 'a pool of others');
plugin_says('app', [], 3, q{only your own role's}, 'all pools, to an application');
plugin_says('app', ['orders'], 0, 'orders: 2 of 3', 'its own pool, to an application');
plugin_says('nagios', ['oders'], 3, 'there is no pool "oders"$', 'no such pool');
is(sql('SELECT code FROM pgpool_stats.check_status()', as => 'the blind'),
	'3', 'the view alerts would be empty: the code is not');
SKIP:
{
	skip 'check_pgsql is not installed', 3 unless -x "$nagios/check_pgsql";
	isnt(check_pgsql('the blind'), 0, 'check_pgsql: UNKNOWN is not OK');
	is(check_pgsql('the blind', "$nagios/negate", '-w', 'UNKNOWN'), 3, 'check_pgsql behind negate: UNKNOWN');
	is(check_pgsql('nagios', "$nagios/negate", '-w', 'UNKNOWN'), 0, 'check_pgsql behind negate: OK');
}

# WARNING
set_to('alert_rules', 'no_pooling: off; pool_exhausted: warning 0 critical 1h for 0s');
tell_pool($orders, 'take 1');
fires('warning pool_exhausted');
plugin_says('nagios', [], 1, '1 warning: orders on postgres: 1 of 1 instance full \(3/3\) for [^|]+ \| connections=.* exhausted_instances=1$',
	'exhausted');
plugin_says('nagios', ['orders'], 1, '1 warning: orders', 'that pool');
plugin_says('nagios', ['stock'], 0, 'stock: 1 of 2', 'another pool');
check_pgsql_says(1, 'exhausted');

# CRITICAL, and the worst of two
set_to('alert_rules', 'no_pooling: off; pool_exhausted: warning 0 critical 1h for 0s; pool_exhausted@stock: critical 0');
tell_pool($stock, 'take 1');
fires('critical pool_exhausted, warning pool_exhausted');
plugin_says('nagios', [], 2, '1 critical, 1 warning: stock on postgres: .* \(\+1 more\) \|', 'two pools');
plugin_says('app', ['stock'], 2, '1 critical: stock on postgres', 'the worse one');
plugin_says('nagios', ['orders'], 1, '1 warning: orders', 'the other one');
check_pgsql_says(2, 'two pools');

# pending ones do not count, silenced ones neither
tell_pool($orders, 'give 1');
fires('critical pool_exhausted');
set_to('alert_rules', 'no_pooling: off; pool_exhausted@orders: warning 0 for 1h; pool_exhausted@stock: critical 0 for 0s');
tell_pool($orders, 'take 1');
wait_for(q{SELECT count(*) = 1 FROM pgpool_stats.alerts WHERE state = 'pending' AND pool = 'orders'});
my $silence = sql(q{SELECT pgpool_stats.silence('*', 'stock', '1 h', 'known')});
plugin_says('nagios', [], 0, '.* connections used, .*, alerts silenced: 1 \|', 'silenced and pending');
plugin_says('nagios', ['stock'], 0, 'stock: 2 of 2 connections lent, alerts silenced: 1 \|', 'the silenced pool');
sql("SELECT pgpool_stats.unsilence($silence)");
plugin_says('nagios', [], 2, '1 critical: stock', 'the silence ended');
tell_pool($stock, 'give 1');
tell_pool($orders, 'give 1');
fires('');
plugin_says('nagios', [], 0, '', 'all is well again');
check_pgsql_says(0, 'all is well again');

# nothing in a text ends it early
report('a|b', '{"checked_out": 1}');
plugin_says('nagios', ['a|b'], 0, 'a/b: 1 of \? connections lent \|', 'a bar in the name');
plugin_says('nagios', [q{'; SELECT 1}], 3, q{there is no pool "'; SELECT 1"}, 'a quote in the name');

# a collector that does not look
my $collector = sql('SELECT collector_pid FROM pgpool_stats.info');
kill 'STOP', $collector;
wait_for($check, '3');
plugin_says('nagios', [], 3, 'the collector last looked at \d{4}-', 'no pass for 10 s');
plugin_says('nagios', ['orders'], 3, 'the collector last looked at \d{4}-', 'of one pool, too');
kill 'CONT', $collector;
wait_for($check, '0');
plugin_says('nagios', [], 0, '', 'it looks again');

# no way in
sql('ALTER ROLE nagios CONNECTION LIMIT 0');
plugin_says('nagios', [], 2, '.*too many connections for role "nagios"', 'rejected');
check_pgsql_says(2, 'rejected');
$node->stop;
plugin_says('nagios', [], 2, 'psql: error: connection to server', 'no server');

done_testing();
