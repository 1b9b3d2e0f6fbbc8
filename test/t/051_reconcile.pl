# What a pool claims against what the server has, and what notes say of it.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
});
sql('CREATE ROLE app LOGIN');

# there, but not claimed
my @sessions = used(3, 'shop');
is(figures('shop', 'connections, unclaimed'), '3|', 'nothing is unclaimed before a report');
report('shop', '{"open": 1, "checked_out": 0, "max_size": 9}');
is(figures('shop', 'unclaimed, notes'), '2|', 'two of three are not claimed');
is(sql(q{SELECT unclaimed FROM pgpool_stats.pools WHERE pool = 'shop'}), '2', 'nor of the pool');

# who only reports is not the pool's
my $reporter = session('shop');
$reporter->query_safe(q{SELECT pgpool_stats.report('shop', '{"open": 3, "checked_out": 0}', 'i')}) for 1 .. 3;
is(figures('shop', 'connections, unclaimed, notes'), '4|0|', 'a connection that only reports is not unclaimed');

# claimed, but not there: idle ones the pool will find out about, see 067_verdicts.pl for those lent out
report('shop', '{"open": 9, "checked_out": 0}') foreach 1 .. 2;
is(figures('shop', 'unclaimed, notes'), '0|', 'more than is here');

# more than it may have
report('shop', '{"open": 3, "checked_out": 0, "max_size": 2}');
is(figures('shop', 'notes'), 'holds 3 connections, its maximum is 2', 'over capacity');
$_->quit foreach @sessions, $reporter;

# all transactions of the instance's own cap: exhaustion as the server sees it
my ($s) = used(1, 'tiny', pool_size => 1);
is(figures('tiny', 'exhausted_count > 0, peak_in_xact, status'), 't|1|ok', 'a cap of one, reached by each transaction');
$s->query_safe('BEGIN');
is(figures('tiny', 'status, checked_out, in_xact, idle_in_xact'), 'full|1|1|1', 'and now');
$s->query_safe('COMMIT');
$s->quit;

# one process, one connection, two pids of the same host
$s = background();
$s->query_safe(q{SELECT pgpool_stats.report('forked', '{"open": 1, "host": "a", "pid": 1}')});
unlike(figures('forked', 'notes'), qr/shares a connection/, 'one process on its connection');
$s->query_safe(q{SELECT pgpool_stats.report('forked', '{"open": 1, "host": "a", "pid": 2}')});
like(sql(q{SELECT notes FROM pgpool_stats.instances WHERE pool = 'forked' AND instance = 'a:2'}),
	qr/shares a connection with another process/, 'a fork shares it');
$s->quit;

# the instance's name identifies the process as well
$s = background();
$s->query_safe(qq{SELECT pgpool_stats.report('named', '{"open": 1}', 'web:$_')}) foreach 1 .. 2;
like(sql(q{SELECT notes FROM pgpool_stats.instances WHERE pool = 'named' AND instance = 'web:2'}),
	qr/shares a connection with another process/, 'a fork, by the names of the instances');
$s->quit;

# a pooler brings several hosts along
$s = background();
$s->query_safe(qq{SELECT pgpool_stats.report('pooled', '{"open": 1, "host": "$_->[0]", "pid": $_->[1]}')})
  foreach [ 'a', 1 ], [ 'b', 1 ], [ 'a', 2 ];
is(sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'pooled' AND notes ~ 'shares'}), '0', 'several hosts: a pooler, no fork');
$s->quit;

# one call for several processes is no fork
$s = background();
$s->query_safe(q{SELECT pgpool_stats.report('agent', '[{"open": 1, "host": "a", "pid": 1}, {"open": 1, "host": "a", "pid": 2}]')});
is(sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'agent' AND notes ~ 'shares'}), '0', 'an agent reports for several');
$s->quit;

# connections made for every request
{
	local $ENV{PGOPTIONS} = labels('php');
	sql('SELECT 1') foreach 1 .. 25;
}
wait_for(q{SELECT disconnects = 25 FROM pgpool_stats.instances WHERE pool = 'php'});
like(figures('php', 'connects, xacts, notes'),
	qr/^25\|25\|hardly pools: its connections were closed after 1\.0 transactions and \d+\.\d s on average$/, 'a connection for every request');

# connections made for every report are none of the pool's
{
	local $ENV{PGOPTIONS} = labels('timer');
	sql(q{SELECT pgpool_stats.report('timer', '{"open": 1, "checked_out": 0}', 'i')}) foreach 1 .. 25;
}
wait_for(q{SELECT disconnects = 25 FROM pgpool_stats.instances WHERE pool = 'timer'});
is(figures('timer', 'connects, notes'), '25|no maximum told', 'a connection for every report');

# what a listed pooler hands on raises no alarm
set_to('pooler_addresses', '127.0.0.0/8');
{
	local $ENV{PGOPTIONS} = labels('behind');
	@sessions = map { background(as => 'app', extra_params => [ '-d', 'dbname=postgres host=127.0.0.1' ]) } 1 .. 2;
}
$_->query_safe('SELECT 1') foreach @sessions;
$sessions[0]->query_safe(q{SELECT pgpool_stats.report('behind', '{"open": 50, "checked_out": 0, "max_size": 1}', 'i')});
is(figures('behind', 'connections, via, unclaimed, notes'), '2|127.0.0.1||', 'behind a pooler nothing is compared');
is(sql(q{SELECT committed FROM pgpool_stats.budget WHERE name = 'app'}), '2', 'what is committed is what is here');
$sessions[0]->query_safe(qq{SELECT pgpool_stats.report('behind', '{"open": 1, "checked_out": 0, "host": "a", "pid": $_}', 'i')}) foreach 1 .. 2;
is(figures('behind', 'notes'), '', 'nor is it a fork');
$_->quit foreach @sessions;

$node->stop;
done_testing();
