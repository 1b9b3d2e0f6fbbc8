# Settings that change while the server runs.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
});

my $tcp = 'host=127.0.0.1 dbname=postgres port=' . $node->port;

# What the instance of a session over TCP says it comes through
sub via
{
	my ($pool) = @_;

	return sql(qq{
		SELECT via, source, client_addr, connections
		FROM pgpool_stats.instances WHERE pool = '$pool'},
		connstr => "$tcp options='-c pgpool_stats.pool=$pool'");
}

is(via('direct'), '|label|127.0.0.1|1', 'no pooler is known');
my $n = 0;
foreach my $list (
	'127.0.0.1', '10.0.0.5, 127.0.0.1',
	'127.0.0.0/8', '10.0.0.0/8,127.0.0.0/30',
	'::1, fe80::/10 , 127.0.0.1/32', '0.0.0.0/0')
{
	set_to('pooler_addresses', $list);
	$n++;
	is(via("pooled-$n"), '127.0.0.1|label|127.0.0.1|1',
		"pooler_addresses = '$list': behind a pooler");
}
foreach my $list ('', '10.0.0.0/8', '::1', '127.0.0.2', '128.0.0.0/1')
{
	set_to('pooler_addresses', $list);
	$n++;
	is(via("other-$n"), '|label|127.0.0.1|1',
		"pooler_addresses = '$list': not behind a pooler");
}

# a local socket is never a pooler's address
set_to('pooler_addresses', '0.0.0.0/0, ::/0');
is(sql(q{SELECT via FROM pgpool_stats.instances WHERE connections > 0}),
	'', 'a local connection has no address');

# What is reported through a pooler is of an instance behind it.
is(sql(q{
		SELECT pgpool_stats.report('behind', '{"open": 3}', 'web-1:1');
		SELECT connections, source, via FROM pgpool_stats.instances
		WHERE pool = 'behind'},
		connstr => $tcp),
	"t\n0|report|127.0.0.1", 'a report through a pooler');
set_to('pooler_addresses', '');
is(sql(q{
		SELECT pgpool_stats.report('not-behind', '{"open": 3}', 'web-1:1');
		SELECT connections, source, via FROM pgpool_stats.instances
		WHERE pool = 'not-behind'},
		connstr => $tcp),
	"t\n0|report|", 'one that comes directly');

# What is wrong is rejected, and the server goes on with what it had.
set_to('pooler_addresses', '127.0.0.1');
foreach my $bad (
	'nonsense', '127.0.0.1, 300.0.0.1',
	'127.0.0.1/33', '127.0.0.1,,', 'localhost', '::1/129')
{
	my $offset = -s $node->logfile;
	$node->append_conf('postgresql.conf',
		"pgpool_stats.pooler_addresses = '$bad'");
	$node->reload;
	$node->wait_for_log(
		qr/LOG:  invalid value for parameter "pgpool_stats.pooler_addresses": "\Q$bad\E"/,
		$offset);
	is(sql('SHOW pgpool_stats.pooler_addresses'),
		'127.0.0.1', "bad value '$bad': a LOG line, and the old one stays");
}
$n++;
is(via("still-$n"), '127.0.0.1|label|127.0.0.1|1', 'the old one works on');

$node->append_conf('postgresql.conf',
		"pgpool_stats.pooler_addresses = ''");
$node->reload;

#
# track
#
my $labelled =
  $node->connstr('postgres') . " options='-c pgpool_stats.pool=tracked'";
my $plain = $node->connstr('postgres');
foreach my $case ([ 'all', 1, 1 ], [ 'labelled', 0, 1 ], [ 'none', 0, 0 ],
	[ 'all', 1, 1 ])
{
	my ($track, $of_plain, $of_labelled) = @$case;

	set_to('track', $track);

	# each in turn: another session of the same pool would count, too
	foreach my $kind ([ 'unlabelled', $plain, $of_plain ],
		[ 'labelled', $labelled, $of_labelled ])
	{
		my ($name, $connstr, $expected) = @$kind;

		wait_for(q{SELECT count(*) = 1 FROM pg_stat_activity
			  WHERE backend_type = 'client backend'});
		is(sql(q{
				SELECT count(*) FROM pgpool_stats.instances, pg_stat_activity
				WHERE pid = pg_backend_pid() AND connections > 0 AND
					pool = CASE current_setting('pgpool_stats.pool')
						WHEN '' THEN '#_settings.pl'
						ELSE current_setting('pgpool_stats.pool') END},
				connstr => $connstr),
			$expected, "track = $track: a connection that is $name");
	}
	is(sql(qq{
			SELECT pgpool_stats.report('reported', '{"open": 1}', '$track')}),
		't', "track = $track: reports are taken");
}

# off without a restart, as docs/install.md has it
sql('CREATE ROLE plain LOGIN');
my $stays = session('stays');
set_to('pool_limits', 'limited: 1');
my $held = session('limited', as => 'plain');
my $one_more = sub {
	local $ENV{PGOPTIONS} = labels('limited');
	return (psql('SELECT 1', as => 'plain'))[0];
};
isnt($one_more->(), 0, 'a pool limit refuses');
set_to('track', 'none');
is($one_more->(), 0, 'track = none: it does not');
$stays->query_safe('SELECT 1') foreach 1 .. 3;
is(sql(q{SELECT pool, sum(connections) FROM pgpool_stats.pools WHERE pool IN ('stays', 'limited') GROUP BY pool ORDER BY pool}),
	"limited|1\nstays|1", 'track = none: who was there stays');
$stays->query_safe("SET application_name = 'another'");
$stays->query_safe('SELECT 1');
is(sql(q{SELECT sum(connections) FROM pgpool_stats.pools WHERE pool = 'stays'}), '0', 'until its name changes');
$_->quit foreach $stays, $held;
set_to('pool_limits', '');
set_to('track', 'all');

my $offset = -s $node->logfile;
$node->append_conf('postgresql.conf',
		"pgpool_stats.track = 'some'");
$node->reload;
$node->wait_for_log(
	qr/LOG:  invalid value for parameter "pgpool_stats.track": "some"/,
	$offset);
is(sql('SHOW pgpool_stats.track'), 'all', 'a bad value of track is rejected');
$node->append_conf('postgresql.conf',
		"pgpool_stats.track = 'all'");

#
# What needs a restart says so
#
$offset = -s $node->logfile;
$node->append_conf('postgresql.conf', 'pgpool_stats.max_pools = 600');
$node->reload;
$node->wait_for_log(
	qr/LOG:  parameter "pgpool_stats.max_pools" cannot be changed without restarting the server/,
	$offset);
is(sql('SHOW pgpool_stats.max_pools'), '512', 'max_pools needs a restart');
$node->restart;
is(sql('SHOW pgpool_stats.max_pools'), '600', 'after which it is as set');

#
# The collector heeds a reload
#
set_to('sample_interval', '1min');
my $pass = sql('SELECT last_pass FROM pgpool_stats.info');
set_to('sample_interval', '100ms');
becomes("SELECT last_pass BETWEEN '$pass'::timestamptz + interval '50 ms' AND '$pass'::timestamptz + interval '59 s' FROM pgpool_stats.info", 't',
	'a shorter sample_interval is heeded at once');

$node->stop;
done_testing();
