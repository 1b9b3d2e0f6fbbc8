# What a pool claims against what the server has, and what notes say of it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
listen_addresses = '127.0.0.1'
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgpool_stats; CREATE ROLE app LOGIN');

sub one
{
	return $node->safe_psql('postgres', $_[0]);
}

# a session of a labelled pool that has run something
sub session
{
	my ($label, $where) = @_;
	my $s = $node->background_psql('postgres',
		extra_params => [ '-d', 'dbname=postgres ' . ($where || 'host=' . $node->host)
			  . " options='$label'" ]);

	$s->query_safe('SELECT 1');
	return $s;
}

sub label
{
	my ($pool, $instance, $more) = @_;

	return "-c pgpool_stats.pool=$pool -c pgpool_stats.instance=$instance " . ($more || '');
}

sub instance
{
	my ($pool, $columns) = @_;

	return one("SELECT $columns FROM pgpool_stats.instances WHERE pool = '$pool'");
}

sub report
{
	my ($pool, $stats, $instance) = @_;

	one("SELECT pgpool_stats.report('$pool', '$stats', '$instance')");
}

# there, but not claimed
my @sessions = map { session(label('shop', 'h:1')) } 1 .. 3;
is(instance('shop', 'connections, unclaimed'), '3|', 'nothing is unclaimed before a report');
report('shop', '{"open": 1, "checked_out": 0, "max_size": 9}', 'h:1');
is(instance('shop', 'unclaimed, notes'), '2|', 'two of three are not claimed');
is(one(q{SELECT unclaimed FROM pgpool_stats.pools WHERE pool = 'shop'}), '2', 'nor of the pool');

# who only reports is not the pool's
my $reporter = $node->background_psql('postgres',
	extra_params => [ '-d', 'dbname=postgres host=' . $node->host . " options='" . label('shop', 'h:1') . "'" ]);
$reporter->query_safe(q{SELECT pgpool_stats.report('shop', '{"open": 3, "checked_out": 0}', 'h:1')}) for 1 .. 3;
is(instance('shop', 'connections, unclaimed, notes'), '4|0|', 'a connection that only reports is not unclaimed');

# claimed, but not there
report('shop', '{"open": 9, "checked_out": 0}', 'h:1');
is(instance('shop', 'unclaimed, notes'), '0|claims 5 connections that are not here', 'ghosts');

# more than it may have
report('shop', '{"open": 3, "checked_out": 0, "max_size": 2}', 'h:1');
is(instance('shop', 'notes'), 'holds 3 connections, its maximum is 2', 'over capacity');
$_->quit foreach @sessions, $reporter;

# all transactions of the instance's own cap: exhaustion as the server sees it
my $s = session(label('tiny', 'h:1', '-c pgpool_stats.pool_size=1'));
is(instance('tiny', 'exhausted_count > 0, peak_in_xact, status'), 't|1|ok', 'a cap of one, reached by each transaction');
$s->query_safe('BEGIN');
is(instance('tiny', 'status, checked_out, in_xact, idle_in_xact'), 'exhausted|1|1|1', 'and now');
$s->query_safe('COMMIT');
$s->quit;

# one process, one connection, two pids of the same host
$s = $node->background_psql('postgres');
$s->query_safe(q{SELECT pgpool_stats.report('forked', '{"open": 1, "host": "a", "pid": 1}')});
is(instance('forked', 'notes'), '', 'one process on its connection');
$s->query_safe(q{SELECT pgpool_stats.report('forked', '{"open": 1, "host": "a", "pid": 2}')});
like(one(q{SELECT notes FROM pgpool_stats.instances WHERE pool = 'forked' AND instance = 'a:2'}),
	qr/shares a connection with another process/, 'a fork shares it');
$s->quit;

# the instance's name tells the process as well
$s = $node->background_psql('postgres');
$s->query_safe(qq{SELECT pgpool_stats.report('named', '{"open": 1}', 'web:$_')}) foreach 1 .. 2;
like(one(q{SELECT notes FROM pgpool_stats.instances WHERE pool = 'named' AND instance = 'web:2'}),
	qr/shares a connection with another process/, 'a fork, by the names of the instances');
$s->quit;

# a pooler brings several hosts along
$s = $node->background_psql('postgres');
$s->query_safe(qq{SELECT pgpool_stats.report('pooled', '{"open": 1, "host": "$_->[0]", "pid": $_->[1]}')})
  foreach [ 'a', 1 ], [ 'b', 1 ], [ 'a', 2 ];
is(one(q{SELECT count(notes) FROM pgpool_stats.instances WHERE pool = 'pooled'}), '0', 'several hosts: a pooler, no fork');
is(one(q{SELECT count(*) FROM pgpool_stats.connections WHERE multiplexed}), '1', 'its connection is multiplexed');
$s->quit;

# one call for several processes is no fork
$s = $node->background_psql('postgres');
$s->query_safe(q{SELECT pgpool_stats.report('agent', '[{"open": 1, "host": "a", "pid": 1}, {"open": 1, "host": "a", "pid": 2}]')});
is(one(q{SELECT count(notes) FROM pgpool_stats.instances WHERE pool = 'agent'}), '0', 'an agent reports for several');
$s->quit;

# connections made for every request
$node->psql('postgres', 'SELECT 1',
	extra_params => [ '-d', 'dbname=postgres host=' . $node->host . " options='" . label('php', 'h:1') . "'" ])
  foreach 1 .. 25;
$node->poll_query_until('postgres', q{SELECT disconnects = 25 FROM pgpool_stats.instances WHERE pool = 'php'});
like(instance('php', 'connects, xacts, notes'),
	qr/^25\|25\|hardly pools: about 1 transactions a connection, which lasts 0\.\d s$/, 'a connection for every request');

# connections made for every report are none of the pool's
$node->psql('postgres', q{SELECT pgpool_stats.report('timer', '{"open": 1}', 'h:1')},
	extra_params => [ '-d', 'dbname=postgres host=' . $node->host . " options='" . label('timer', 'h:1') . "'" ])
  foreach 1 .. 25;
$node->poll_query_until('postgres', q{SELECT disconnects = 25 FROM pgpool_stats.instances WHERE pool = 'timer'});
is(instance('timer', 'connects, notes'), '25|', 'a connection for every report');

# what a listed pooler hands on raises no alarm
one(q{ALTER SYSTEM SET pgpool_stats.pooler_addresses = '127.0.0.0/8'});
one('SELECT pg_reload_conf()');
$node->poll_query_until('postgres', q{SHOW pgpool_stats.pooler_addresses}, '127.0.0.0/8');
@sessions = map { session(label('behind', 'h:1'), 'host=127.0.0.1 user=app') } 1 .. 2;
$sessions[0]->query_safe(q{SELECT pgpool_stats.report('behind', '{"open": 50, "checked_out": 0, "max_size": 1}', 'h:1')});
is(instance('behind', 'connections, via, unclaimed, notes'), '2|127.0.0.1||', 'behind a pooler nothing is compared');
is(one(q{SELECT committed FROM pgpool_stats.budget WHERE name = 'app'}), '2', 'what is committed is what is here');
$sessions[0]->query_safe(qq{SELECT pgpool_stats.report('behind', '{"open": 1, "host": "a", "pid": $_}', 'h:1')}) foreach 1 .. 2;
is(instance('behind', 'notes'), '', 'nor is it a fork');
$_->quit foreach @sessions;

$node->stop;
done_testing();
