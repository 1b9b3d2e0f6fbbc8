# One role has alerts and silences without end: what another role has stays as
# it is, and so does what is said of it.

use strict;
use warnings;
use PgpoolStats;

my $pools = 30;
my $node = start_node(q{
max_connections = 40
pgpool_stats.max_alerts = 16
pgpool_stats.max_silences = 16
pgpool_stats.alert_rules = 'no_pooling: off; callers_waiting: off; pool_exhausted: for 0s; pool_full: for 0s; over_committed: for 0s'
});
sql(q{
CREATE ROLE flood LOGIN;
CREATE ROLE victim LOGIN;
CREATE ROLE third LOGIN;
CREATE ROLE operator LOGIN IN ROLE pg_signal_backend, pg_monitor;
CREATE DATABASE alarms;
});

# What there is of the victim, and of the server
my %same = (
	alerts => q{
		SELECT severity, rule, state, pool, usename, since, silenced_until IS NOT NULL
		FROM pgpool_stats.alerts WHERE usename = 'victim' OR pool IS NULL ORDER BY rule, pool},
	instances => q{
		SELECT pool, instance, status, checked_out, last_report
		FROM pgpool_stats.instances WHERE usename = 'victim' AND source = 'report' ORDER BY 1},
	silences => q{
		SELECT * FROM pgpool_stats.silences WHERE created_by = 'victim' ORDER BY id},
	check_status => q{
		SELECT code, status, message FROM pgpool_stats.check_status('shop')
		UNION ALL SELECT code, status, message FROM pgpool_stats.check_status('quiet')});

sub is_as_before
{
	my ($before, $name) = @_;

	is(sql($same{$_}, as => 'operator'), $before->{$_}, "$_ of another role as before: $name")
	  foreach sort keys %same;
	is(sql($same{check_status}, as => 'victim'), $before->{check_status}, "as it sees itself: $name");
	return;
}

# Pools of the role that has many
sub each_pool
{
	my ($call) = @_;

	return sql(join('', map { my $pool = "f$_"; "SELECT " . ($call =~ s/POOL/$pool/gr) . ';' } 1 .. $pools), as => 'flood');
}

my $logged = 0;

# what was said since the last call: how often, by pool or rule
sub said
{
	my ($what) = @_;
	my $log = substr(slurp_file($node->logfile), $logged);
	my %said;

	$logged += length($log);
	$said{$2 eq '' ? $1 : $2}++
	  while $log =~ /LOG:  pgpool_stats alert $what: severity=\w+ rule=(\w+) pool="([^"]*)"/g;
	return join ' ', map { "$_:$said{$_}" } sort keys %said;
}

sub seen
{
	next_pass() foreach 1 .. 2;
	return;
}

#
# alerts
#
report('shop', '{"max_size": 2, "checked_out": 2, "waiting": 0}', as => 'victim');
report('quiet', '{"max_size": 50, "checked_out": 0, "waiting": 0}', as => 'victim');
sql(q{SELECT pgpool_stats.silence('leak', 'shop', '1 day')}, as => 'victim');
wait_for(q{SELECT string_agg(rule, ' ' ORDER BY rule) FROM pgpool_stats.alerts}, 'over_committed pool_full');
like(sql($same{check_status}, as => 'victim'), qr/^1\|WARNING\|1 warning: shop.*\n0\|OK\|/, 'a warning, and all is well');
my %before = map { $_ => sql($same{$_}, as => 'operator') } keys %same;
said('raised');

# all of them critical, and two alerts each
each_pool(q{pgpool_stats.report('POOL', '{"max_size": 1, "checked_out": 1, "waiting": 9}', 'i')});
wait_for(q{SELECT notes FROM pgpool_stats.info}, ($pools + 2 - 16) . ' of ' . ($pools + 2)
	. ' alerts left out: raise pgpool_stats.max_alerts');
is_as_before(\%before, 'a flood of critical alerts');
is(sql(q{SELECT count(*) FROM pgpool_stats.alerts}), '16', 'no more than there are places');
is(sql(q{SELECT code, message LIKE '14 critical, 2 warning: %' FROM pgpool_stats.check_status()}, as => 'operator'),
	'2|t', 'what is critical is critical');
my $codes = q{SELECT code, count(*) FROM generate_series(1, 30) n, pgpool_stats.check_status('f' || n) GROUP BY 1 ORDER BY 1};
is(sql($codes, as => 'flood'), "2|14\n3|16", 'a pool whose alert was left out is never OK');
is(sql(q{SELECT DISTINCT message, perfdata IS NULL FROM generate_series(1, 30) n, pgpool_stats.check_status('f' || n) WHERE code = 3},
		as => 'flood'), '1 alerts left out, raise pgpool_stats.max_alerts|t', 'and is told why');
like(slurp_file($node->logfile), qr/LOG:  pgpool_stats leaves out \d+ of \d+ alerts\n.*HINT:  Raise pgpool_stats.max_alerts/, 'the log says so, too');
my $flooded = join ' ', map { "$_:1" } sort map { "f$_" } 1 .. $pools;
is(said('raised'), $flooded, 'each is announced once');

# those that are silenced give way
my $silence = sql(q{SELECT pgpool_stats.silence('*', 'role/flood')}, as => 'operator');
seen();
is(sql(q{SELECT code FROM pgpool_stats.check_status()}, as => 'operator'), '1', 'nobody has to look at what is silenced');
sql("SELECT pgpool_stats.unsilence($silence)", as => 'operator');

# another role has many, too: both have their share
sql(join('', map { "SELECT pgpool_stats.report('t$_', '{\"max_size\": 1, \"checked_out\": 1, \"waiting\": 0}', 'i');" } 1 .. 10), as => 'third');
seen();
is(sql(q{SELECT usename, count(*) FROM pgpool_stats.alerts GROUP BY 1 ORDER BY 1}),
	"flood|7\nthird|7\nvictim|1\n|1", 'shares, whatever the severity');
is(sql(q{SELECT count(*) FROM pgpool_stats.overview WHERE pool ~ '^t[0-9]' AND status LIKE 'warning%'}),
	'10', 'overview knows of all of them');
is_as_before(\%before, 'two floods');
sql(q{SELECT pgpool_stats.forget('t' || n, 'i') FROM generate_series(1, 10) n}, as => 'third');
seen();
is(said('cleared'), join(' ', map { "$_:1" } sort map { "t$_" } 1 .. 10), 'what is left out is not cleared');

# a new collector
my $started = sql('SELECT last_pass FROM pgpool_stats.info');
my $collector = sql('SELECT collector_pid FROM pgpool_stats.info');
sql("SELECT pg_terminate_backend($collector)");
wait_for("SELECT collector_pid <> $collector AND last_pass > '$started' FROM pgpool_stats.info");
seen();
unlike(said('raised'), qr/shop|over_committed/, 'a new collector says nothing again of what has a place');

each_pool(q{pgpool_stats.forget('POOL', 'i')});
wait_for('SELECT count(*) FROM pgpool_stats.alerts', '2');
seen();
is(said('cleared'), $flooded, 'cleared once, also those without a place');
is(sql('SELECT notes FROM pgpool_stats.info'), '', 'nothing is left out any more');
is_as_before(\%before, 'after the flood');

#
# NOTIFY: more at once than there is room for
#
set_to('alert_rules', 'no_pooling: off; over_committed: off; pool_exhausted: off; callers_waiting: off; pool_full: off');
each_pool(q{pgpool_stats.report('POOL', '{"max_size": 1, "checked_out": 1, "waiting": 0}', 'i')});
wait_for('SELECT count(*) FROM pgpool_stats.alerts', '0');
my $listener = $node->background_psql('alarms');
$listener->query_safe('LISTEN pgpool_stats');
set_to('notify_database', 'alarms');
seen();
set_to('alert_rules', 'no_pooling: off; over_committed: off; pool_exhausted: off; callers_waiting: off; pool_full: for 0s');
my ($got, $tries) = ('', 0);
while ($got !~ /"shop"/ && $tries++ < 300)
{
	$got .= $listener->query_safe('SELECT 1');
	seen() if $got !~ /"shop"/;
}
my $events = () = $got =~ /"event": "raised"/g;
like($got, qr/"event": "raised".*"pool": "shop", "datname": "postgres", "usename": "victim"/, 'the other role is told of');
is($events, 16, 'as much as there is room for is sent');
like(sql('SELECT notes FROM pgpool_stats.info'), qr/; 15 alerts not sent by NOTIFY for want of room: raise pgpool_stats.max_alerts$/, 'the rest is counted');
$listener->quit;
set_to('notify_database', '');
each_pool(q{pgpool_stats.forget('POOL', 'i')});
seen();
%before = map { $_ => sql($same{$_}, as => 'operator') } keys %same;

#
# silences
#
sub refuses
{
	my ($role, $text, $name) = @_;
	my ($rc, $out, $err) = psql(q{\set VERBOSITY verbose
SELECT pgpool_stats.silence('*', 'x')}, as => $role);

	like($err, qr/ERROR:  53400: $text/, $name);
	return;
}

sub silences
{
	my ($role, $n) = @_;

	psql("SELECT pgpool_stats.silence('*', 'x' || n) FROM generate_series(1, $n) n", as => $role, on_error_stop => 0);
	my $taken = 0;
	for (1 .. $n)
	{
		last if (psql(q{SELECT pgpool_stats.silence('*', 'x')}, as => $role))[0] != 0;
		$taken++;
	}
	return $taken;
}

my $count = q{SELECT created_by, count(*) FROM pgpool_stats.silences GROUP BY 1 ORDER BY 1};
silences('flood', 9);
refuses('flood', qr/there is no room for one more silence of role "flood"\nDETAIL:  The last of 16 places are for other roles that have none\.\nHINT:  End one with pgpool_stats.unsilence\(\), or raise pgpool_stats.max_silences\./,
	'a role at its share gets an error');
is_as_before(\%before, 'a flood of silences');
is(sql($count), "flood|7\nvictim|1", 'half are for anything');
is(silences('third', 3), 0, 'one for each role that has none, at least');
is(sql($count), "flood|7\nthird|1\nvictim|1", 'which it has');
silences('operator', 9);
is(sql($count), "flood|7\noperator|7\nthird|1\nvictim|1", 'operators have what others leave');
refuses('operator', 'there is no room', 'and no more');
sql(q{SELECT pgpool_stats.unsilence(id) FROM pgpool_stats.silences WHERE created_by <> 'victim'});

#
# one pool whose instances are all configured in their own way
#
sql(q{SELECT pgpool_stats.report('odd', ('{"max_size": ' || n || '}')::jsonb, 'i' || n)
	FROM generate_series(1, 100) n, generate_series(1, 2)}, as => 'third');
like(sql(q{SELECT config FROM pgpool_stats.pools WHERE pool = 'odd'}), qr/^1 x 1, (1 x \d+, ){19}80 others$/,
	'no more kinds are named than one can read');

#
# names are compared as bytes
#
SKIP:
{
	skip 'the database is not in UTF8', 6 if sql('SHOW server_encoding') ne 'UTF8';
	set_to('alert_rules', 'no_pooling: off; over_committed: off; pool_full: for 0s');
	sql('CREATE ROLE "jürgen" LOGIN CONNECTION LIMIT 1');
	sql('CREATE DATABASE "größe"');
	sql('CREATE EXTENSION pgpool_stats', on => 'größe');
	report('kasse', '{"max_size": 3, "checked_out": 3, "waiting": 0}', as => 'jürgen', on => 'größe');
	my $silenced = q{SELECT rule, usename, datname, silenced_until IS NOT NULL FROM pgpool_stats.alerts WHERE pool = 'kasse'};
	becomes($silenced, 'pool_full|jürgen|größe|f', 'an alert');
	foreach my $target ('role/jürgen', 'role/j?rgen', 'database/größe', 'kasse/gr??e')
	{
		my $id = sql("SELECT pgpool_stats.silence('*', '$target', '1 h', 'Wartung für Größe')", as => 'operator');

		is(sql($silenced), 'pool_full|jürgen|größe|t', "silenced by $target");
		is(sql("SELECT coalesce(pool || '/' || datname, pool), reason FROM pgpool_stats.silences WHERE id = $id"), "$target|Wartung für Größe", 'which is shown');
		sql("SELECT pgpool_stats.unsilence($id)");
	}
	set_to('alert_rules', 'no_pooling: off; over_committed@role/jürgen: for 0s critical 1; pool_full: off');
	becomes(q{SELECT status LIKE 'critical%' FROM pgpool_stats.overview WHERE pool = 'kasse'}, 't',
		'what a role may not have concerns its pools');
}

$node->stop;
done_testing();
