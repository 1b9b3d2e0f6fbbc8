# Why: each cause made for real, and what its sentence says; where it is shown;
# who may see whom; which cause is shown when several follow each other.
use strict;
use warnings;
use PgpoolStats;
use RawClient;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
max_connections = 60
autovacuum = off
deadlock_timeout = 1h
password_encryption = 'scram-sha-256'
pgpool_stats.alert_rules = 'no_pooling: off; over_committed: off; idle_in_transaction: off; logins_rejected: warning 1 for 5min; connections@server: off; pool_full: off; pool_exhausted: for 0s; callers_waiting: for 0s'
});
use_port($node->port);
my $role = 'a-role-of-a-name-that-is-as-long-as-a-name-may-be-in-postgresql';
my $pool = 'p' x 63;
sql(qq{
CREATE ROLE app LOGIN SUPERUSER;
CREATE ROLE shop LOGIN;
CREATE ROLE secret LOGIN PASSWORD 'right';
CREATE ROLE small LOGIN CONNECTION LIMIT 3;
CREATE ROLE "$role" LOGIN;
CREATE TABLE t (a int);
CREATE TABLE u (a int);
GRANT ALL ON t, u TO PUBLIC;
});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all secret scram-sha-256\nlocal all all trust\nhost all app 127.0.0.1/32 trust\n");
$node->reload;

# What is said of a pool, without figures that nobody knows
sub why
{
	my ($pool, $columns) = @_;

	$columns //= 'cause, culprit';
	return q{SELECT regexp_replace(regexp_replace(regexp_replace(message, '(for|in) \d+ (s|min)\M', '\1 N s', 'g'),
		'query -?\d+', 'query N', 'g'), '[\d.]+, on \d+ core', 'X, on N core'), } . "$columns FROM pgpool_stats.alerts WHERE pool = '$pool'";
}

# Sessions of a pool run statements, one each.
sub run
{
	my ($pool, @statements) = @_;
	my @sessions = sessions(scalar @statements, $pool, pool_size => scalar @statements, as => 'shop');

	$sessions[$_]->query_until(qr/sent/, "\\echo sent\n$statements[$_];\n") foreach 0 .. $#statements;
	return @sessions;
}

sub full
{
	my ($pool, $n) = @_;

	return "$pool on postgres: 1 of 1 instance full ($n/$n) for N s";
}

sub pid_of { return $_[0]->query_safe('SELECT pg_backend_pid()') }

# It begins now, and is looked at in the end: it has to last for 10 s.
my @nested = run('nested', 'BEGIN', 'BEGIN');
report('nested', '{"max_size": 2, "checked_out": 2, "waiting": 2}', as => 'shop');
my @queue = run('queue', 'BEGIN', 'BEGIN');
report('queue', '{"max_size": 2, "checked_out": 2, "waiting": 3}', as => 'shop');

#
# what connections do
#
my $loop = 'DO $$ BEGIN LOOP NULL; END LOOP; END $$';
my @busy = run('busy', $loop, $loop);
becomes(why('busy'), full('busy', 2) . ': 2 on a CPU or waiting for one (of all pools X, on N cores) in query N, the oldest statement for N s|cpu|busy i',
	'cpu: how busy the cores are, and with what');
like(sql(q{SELECT hint FROM pgpool_stats.alerts WHERE pool = 'busy'}), qr/^See top_queries/, 'the hint follows from it');
my $id = sql(qq{SELECT max(query_id) FROM pg_stat_activity WHERE query ~ '^DO' AND query_id IS NOT NULL});
becomes(qq{SELECT active_time > 100, idle_in_xact_time, share > 0.5, waits, sampled_since < now() FROM pgpool_stats.top_queries WHERE pool = 'busy' AND queryid = $id},
	't|0|t|cpu|t', 'top_queries has it by its id');
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'busy'});

my @slow = map { client('slow', options => ' -c pgpool_stats.pool_size=2') } 1 .. 2;
put($_->{socket}, "SELECT repeat('x', 1000) FROM pg_class a, pg_class b, pg_class c\0", 'Q') foreach @slow;
becomes(why('slow'), full('slow', 2) . ': 2 wait for their clients to read in query N, the oldest statement for N s|client|slow i', 'a client that does not read');
my @stuck = map { client('stuck', options => ' -c pgpool_stats.pool_size=2') } 1 .. 2;
put($_->{socket}, "COPY t FROM STDIN\0", 'Q') foreach @stuck;
becomes(why('stuck'), full('stuck', 2) . ': 2 wait for their clients to send in query N, the oldest statement for N s|client|stuck i', 'one that does not send');
hang_up($_) foreach @slow, @stuck;

# two that wait for each other: nobody is to blame
my @cycle = map { session('cycle', pool_size => 2, as => 'shop') } 1 .. 2;
$cycle[0]->query_safe("BEGIN;\nLOCK TABLE t;");
$cycle[1]->query_safe("BEGIN;\nLOCK TABLE u;");
$cycle[0]->query_until(qr/sent/, "\\echo sent\nLOCK TABLE u;\n");
$cycle[1]->query_until(qr/sent/, "\\echo sent\nLOCK TABLE t;\n");
becomes(why('cycle'), full('cycle', 2) . ': 2 wait for locks|lock|', 'a cycle has no culprit');
next_pass() foreach 1 .. 3;
is(sql(why('cycle')), full('cycle', 2) . ': 2 wait for locks|lock|', 'and never gets one');
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'cycle'});

#
# what is lent, and does nothing here
#
my @held = used(4, 'held', as => 'shop');
report('held', '{"max_size": 4, "open": 4, "checked_out": 4}', as => 'shop');
becomes(why('held'), full('held', 4) . ': all lent but idle on the server, the longest for N s|lent but idle|held i', 'lent but idle');
report('held', '{"max_size": 4, "open": 4, "checked_out": 3, "waiting": 1}', as => 'shop');
becomes(why('held', 'cause') . " AND rule = 'callers_waiting'", 'held on postgres: 1 caller waiting, at 1 of 1 instance: all lent but idle on the server|lent but idle',
	'which of them are lent is not known');
$_->quit foreach splice @held, 1;
wait_for(q{SELECT connections = 1 FROM pgpool_stats.pools WHERE pool = 'held'});
report('held', '{"max_size": 4, "open": 4, "checked_out": 4}', as => 'shop') foreach 1 .. 2;
becomes(q{SELECT message ~ ': 3 of 4 lent to connections that are not here \+ 1 lent but idle', cause FROM pgpool_stats.alerts WHERE pool = 'held' AND rule = 'pool_exhausted'},
	't|ghosts', 'lent to connections that are not here');
$held[0]->quit;

#
# what keeps a pool from more connections
#
sub knock_as
{
	my ($role, $pool, $password) = @_;

	local $ENV{PGPASSWORD} = $password;
	local $ENV{PGOPTIONS} = labels($pool);
	return (psql('SELECT 1', as => $role))[0];
}

# What was rejected longer ago does not hold anybody up: it is again and again.
sub becomes_while_knocking
{
	my ($query, $expected, $name, @knock) = @_;
	my ($said, $tries) = ('', 0);

	while ($said ne $expected && $tries++ < 100)
	{
		knock_as(@knock);
		next_pass();
		$said = sql($query);
	}
	return is($said, $expected, $name);
}

is(knock_as('secret', 'rotated', 'right'), 0, 'a login');
{
	local $ENV{PGPASSWORD} = 'right';
	report('rotated', '{"max_size": 4, "open": 0, "checked_out": 0, "waiting": 3}', as => 'secret');
}
becomes_while_knocking(q{SELECT regexp_replace(message, '\d+ logins? rejected in \d+ \w+', 'N rejected'), cause, culprit FROM pgpool_stats.alerts WHERE pool = 'rotated' AND rule = 'callers_waiting'},
	'rotated on postgres: 3 callers waiting, at 1 of 1 instance: N rejected, the last by authentication|not connected|', 'a changed password',
	'secret', 'rotated', 'wrong');
is(sql(q{SELECT cause FROM pgpool_stats.alerts WHERE pool = 'rotated' AND rule = 'logins_rejected'}), 'not connected', 'also of logins_rejected');
is(sql(q{SELECT status, why FROM pgpool_stats.overview WHERE pool = 'rotated'}) =~ /^critical .*\|login$/, 1, 'overview says it in short, and shows no better status than what fires');

report('surge', '{"max_size": 4, "checked_out": 0, "waiting": 1}', as => 'small');
my @deploy = used(2, 'deploy', as => 'small');
$deploy[0]->query_safe('BEGIN');
my $other = session('other', as => 'small');
isnt(knock_as('small', 'surge', ''), 0, 'the role is full');
becomes(q{SELECT message, cause, culprit FROM pgpool_stats.alerts WHERE rule = 'connections'},
	'role small: 3 of 3 usable connections in use: deploy 2 (1 idle, 1 idle in transaction), other 1 (1 idle)|role full|deploy', 'who holds a limit, and what they do with it');
is(sql(q{SELECT message, cause, culprit FROM pgpool_stats.alerts WHERE rule = 'connections'}, as => 'shop'),
	"role small: 3 of 3 usable connections in use: others 3|role full|another role's connections", 'others see how many');
becomes(q{SELECT regexp_replace(message, '\d+ \w+:', 'N:'), cause FROM pgpool_stats.alerts WHERE rule = 'refused'},
	'role small: 1 connection rejected in the last N: deploy 2 (1 idle, 1 idle in transaction), other 1 (1 idle)|role full', 'also when one was rejected');
becomes_while_knocking(q{SELECT message ~ ': \d+ connections? rejected in \d+ \w+, the limit of role small is held by deploy 2 \(1 idle, 1 idle in transaction\), other 1 \(1 idle\)', cause, culprit FROM pgpool_stats.alerts WHERE pool = 'surge'},
	't|role full|role small', 'a pool whose connections are rejected by a limit', 'small', 'surge', '');
$_->quit foreach @deploy, $other;

set_to('alert_rules', 'no_pooling: off; over_committed: off; idle_in_transaction: off; pool_full: off; pool_exhausted: for 0s; connections@server: warning 1');
becomes(q{SELECT message ~ '^server: \d+ of 57 usable connections in use: (nested|queue) 2 \(2 idle in transaction\), (nested|queue) 2 \(2 idle in transaction\)', cause FROM pgpool_stats.alerts WHERE rule = 'connections'},
	't|server full', 'who holds the server');
like(sql(q{SELECT why FROM pgpool_stats.overview WHERE pool = '(server)'}), qr/^full$/, 'overview says it');

#
# a cause, and the one after it
#
my @shop = sessions(4, 'shop', pool_size => 4, as => 'shop');
$_->query_safe('BEGIN') foreach @shop;
becomes(why('shop', 'cause'), full('shop', 4) . ': all idle in transaction after query N, the oldest for N s, the application holds them|idle in transaction', 'one cause');
my $holder = session('migrate', instance => 'mig-1:77', as => 'app');
my $pid = pid_of($holder);
$holder->query_safe("BEGIN;\nLOCK TABLE t");
$_->query_until(qr/sent/, "\\echo sent\nSELECT * FROM t;\n") foreach @shop;
waits(4, 'relation');
next_pass() foreach 1 .. 2;
is(sql(q{SELECT cause FROM pgpool_stats.alerts WHERE pool = 'shop'}), 'idle in transaction', 'another one does not take over at once');
becomes(q{SELECT message ~ 'idle in transaction after query .*, until \d+ s ago$' FROM pgpool_stats.alerts WHERE pool = 'shop'}, 't', 'what is over is said to be over');
becomes(why('shop', 'cause, culprit, culprit_pid'), full('shop', 4) . ": 4 wait for a lock of migrate mig-1:77 (pid $pid), idle in transaction for N s|lock|migrate mig-1:77|$pid",
	'it does when it has led for 10 s');

# where it is shown
is(sql(q{SELECT why FROM pgpool_stats.overview WHERE pool = 'shop'}), 'lock 4', 'overview');
is(sql(q{SELECT cause FROM pgpool_stats.pools WHERE pool = 'shop'}), 'lock', 'pools');
is(sql(q{SELECT cause FROM pgpool_stats.instances WHERE pool = 'shop'}), 'lock', 'instances');
is(sql(q{SELECT cause, culprit FROM pgpool_stats.load WHERE pool = 'shop'}), 'lock|migrate mig-1:77', 'load');
is(sql(q{SELECT cause, culprit FROM pgpool_stats.load WHERE pool = 'shop'}, as => 'shop'), "lock|another role's connection", 'load, for its role');
becomes(q{SELECT cause FROM pgpool_stats.history WHERE pool = 'shop' AND bucket = '10 min' ORDER BY bucket_start DESC LIMIT 1}, 'lock', 'history has the last one');
is(sql(q{SELECT value FROM pgpool_stats.metrics WHERE name = 'pgpool_stats_alert_cause' AND labels = '{"rule": "pool_exhausted", "pool": "shop", "datname": "postgres", "usename": "shop", "cause": "lock"}'}), '1', 'metrics');
$holder->query_safe('COMMIT');
becomes(q{SELECT waits, idle_in_xact_time > 0 FROM pgpool_stats.top_queries WHERE pool = 'migrate' ORDER BY share DESC LIMIT 1}, 'idle in transaction|t', 'idle time counts for the statement before');
is(sql(q{SELECT count(*) FROM pgpool_stats.top_queries WHERE pool = 'migrate'}, as => 'shop'), '0', 'not for other roles');
$_->quit foreach @shop;

# names as long as they may be
my $long = session('q' x 63, instance => 'r' x 63, as => $role);
$long->query_safe("BEGIN;\nSELECT * FROM t;");
$holder->query_until(qr/sent/, "\\echo sent\nBEGIN;\nLOCK TABLE t;\n");
waits(1, 'relation');
@shop = sessions(2, $pool, pool_size => 2, instance => 'u' x 63, as => 'shop');
$_->query_until(qr/sent/, "\\echo sent\nSELECT * FROM t;\n") foreach @shop;
my $sentence = 'p' x 23 . '~ on postgres: 1 of 1 instance full \(2/2\) for \d+ s: 2 wait for a lock of q{23}~ ~r{23} \(pid \d+\), idle in transaction for \d+ s; in between migrate mig-1:77 \(pid \d+\) asks for AccessExclusiveLock';
becomes("SELECT message ~ '^$sentence\$', octet_length(message) <= 512 FROM pgpool_stats.alerts WHERE pool = '$pool'", 't|t', 'long names are shortened');
$_->quit foreach $long, $holder, @shop;

#
# those that began first
#
becomes(why('nested') . " AND rule = 'pool_exhausted'", full('nested', 2) . ', 2 callers waiting: all idle in transaction after query N, the oldest for N s, while callers wait: they may wait for each other|nested|nested i', 'who holds a connection may wait for another one');
is(sql(why('queue', 'cause') . " AND rule = 'pool_exhausted'"), full('queue', 2) . ', 3 callers waiting: all idle in transaction after query N, the oldest for N s, the application holds them|idle in transaction', 'not when more wait than hold');
$_->quit foreach @nested, @queue;

set_to('track_queries', 'off');
my @untracked = run('untracked', 'SELECT pg_sleep(3600)');
wait_for(q{SELECT in_xact = 1 FROM pgpool_stats.pools WHERE pool = 'untracked'});
next_pass() foreach 1 .. 3;
is(sql(q{SELECT count(*) FROM pgpool_stats.top_queries WHERE pool = 'untracked'}), '0', 'no queries are kept when it is off');
is(sql(q{SET compute_query_id = off; SELECT notes FROM pgpool_stats.info}), '', 'which is no blind spot');
set_to('track_queries', 'on');
like(sql(q{SET compute_query_id = off; SELECT notes FROM pgpool_stats.info}), qr/no query ids are computed/, 'but no ids are');
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'untracked'});
eval { $_->quit } foreach @untracked, @busy, @cycle;

$node->stop;
done_testing();
