# The budget of a small server: what is usable, by whom, and what fits.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 25
superuser_reserved_connections = 3
});
my $reserved_connections = sql('SHOW server_version_num') >= 160000;
sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE small LOGIN CONNECTION LIMIT 2;
CREATE DATABASE broken;
UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken';
});

is(sql(q{SELECT usable, committed, requested, remaining, fits
		  FROM pgpool_stats.check_budget(20, instances => 2, role => 'app')}),
	'22|0|40|-18|f', '2 of 20 do not fit max_connections 25');
is(sql(q{SELECT fits FROM pgpool_stats.check_budget(11, instances => 2, role => 'app')}),
	't', '2 of 11 do, to the last one');

is(sql(q{SELECT conn_limit, usable, headroom, binding, status
		  FROM pgpool_stats.budget WHERE name = 'broken'}),
	'|0|0|database|ok', 'an invalid database has no room');
is(sql(q{SELECT usable, fits FROM pgpool_stats.check_budget(1, role => 'app', database => 'broken')
		  WHERE scope = 'database'}),
	'0|f', 'and nothing fits there');

# a role at its limit is full; what it has left counts for its headroom
my @held;
foreach my $n (1 .. 2)
{
	push @held, background(as => 'small');
	$held[-1]->query_safe('SELECT 1');
	is(sql(q{SELECT used, headroom, binding, status FROM pgpool_stats.budget WHERE name = 'small'}),
		$n == 1 ? '1|1|role|ok' : '2|0|role|full',
		"a role with $n of 2 connections");
}

# a session that authenticates or is idle takes a slot; one that ended gives it back
wait_for(q{SELECT used = 3 AND starting = 0 FROM pgpool_stats.budget WHERE scope = 'server'});
$_->quit foreach @held;
becomes(q{SELECT used = 1 FROM pgpool_stats.budget WHERE scope = 'server'}, 't',
	'sessions that ended give their slots back');

# unlabelled connections of a pool that reports are not counted twice
@held = map { background(as => 'app') } 1 .. 3;
$_->query_safe('SELECT 1') foreach @held;
is(sql(q{SELECT committed FROM pgpool_stats.budget WHERE name = 'app'}),
	'3', 'connections that no pool claims count for themselves');
$held[0]->query_safe(
	q{SELECT pgpool_stats.report('api', '{"pool_size": 5, "max_overflow": 10, "open": 3, "checked_out": 0}', 'web:1')});
is(sql(q{SELECT committed FROM pgpool_stats.budget WHERE name = 'app'}),
	'15', 'claimed by a report, they are part of its maximum');
$_->quit foreach @held;

SKIP:
{
	skip 'reserved_connections are of 16 and newer', 2 unless $reserved_connections;

	$node->append_conf('postgresql.conf', 'reserved_connections = 4');
	$node->restart;
	sql('GRANT pg_use_reserved_connections TO small');
	is(sql(q{SELECT usable, reserved FROM pgpool_stats.budget WHERE scope = 'server'}),
		'18|7', 'reserved_connections are not for everybody');
	is(sql(q{SELECT usable FROM pgpool_stats.check_budget(1, role => 'small') WHERE scope = 'server'}),
		'22', 'but for members of pg_use_reserved_connections');
}

$node->stop;
done_testing();
