# Why, of pools of several instances, beside other alerts, and whatever holds the
# lock: what is said of a pool is about all of it, and of now.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 60
max_prepared_transactions = 2
autovacuum = off
deadlock_timeout = 1h
shared_preload_libraries = 'pgpool_stats, pg_stat_statements'
pgpool_stats.alert_rules = 'no_pooling: off; over_committed: off; pool_full: off; unclaimed: off; idle_in_transaction: critical 1; pool_exhausted: for 0s; callers_waiting: for 0s; leak: off'
pgpool_stats.pool_limits = 'limited: 2'
});
sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE shop LOGIN;
CREATE ROLE shared;
CREATE ROLE small LOGIN CONNECTION LIMIT 3;
CREATE EXTENSION pg_stat_statements;
CREATE DATABASE other;
CREATE TABLE t (a int);
CREATE TABLE rows AS SELECT 1 AS a;
GRANT ALL ON t, rows TO PUBLIC;
});

# The only alert of a rule about a pool, without figures that nobody knows
sub said
{
	my ($pool, $columns, $rule) = @_;

	$columns //= 'cause, culprit';
	$rule //= 'pool_exhausted';
	return q{SELECT regexp_replace(message, '(for|in) \d+ (s|min)\M', '\1 N s', 'g'), } . "$columns FROM pgpool_stats.alerts WHERE pool = '$pool' AND rule = '$rule'";
}

sub pid_of { return $_[0]->query_safe('SELECT pg_backend_pid()') }
sub send_sql { my ($session, $sql) = @_; return $session->query_until(qr/sent/, "\\echo sent\n$sql;\n") }
sub end_of { my ($pool) = @_; return sql("SELECT count(pg_terminate_backend(pid)) FROM pgpool_stats.connections WHERE pool = '$pool'") }

#
# Two of three instances are full: they are counted together.  Its oldest alert,
# a critical one, is about another rule, and it began before.
#
my $migrate = session('migrate', instance => 'mig-1:77', as => 'app');
my $pid = pid_of($migrate);
$migrate->query_safe("BEGIN;\nLOCK TABLE t");
my @many = map { session('many', pool_size => 3, instance => $_, as => 'shop') } qw(a a a b b b c);
$many[$_]->query_safe('BEGIN') foreach 0, 6;
becomes(q{SELECT severity, why FROM pgpool_stats.alerts, pgpool_stats.overview o WHERE o.pool = 'many' AND alerts.pool = 'many'},
	'critical|idle xact', 'what is known as yet');
send_sql($many[$_], 'SELECT * FROM t') foreach 1 .. 5;
waits(5, 'relation');
becomes(said('many', 'cause, culprit, culprit_pid'),
	"many on postgres: 2 of 3 instances full (6/6) for N s: 5 wait for a lock of migrate mig-1:77 (pid $pid), idle in transaction for N s + 1 idle in transaction|lock|migrate mig-1:77|$pid",
	'instances are counted together');
is(sql(q{SELECT status ~ '^exhausted', why FROM pgpool_stats.overview WHERE pool = 'many'}), 't|lock 5', 'why it is exhausted, not what fires beside');
is(sql(q{SELECT cause FROM pgpool_stats.pools WHERE pool = 'many'}), 'lock', 'in pools, too');
report('many', '{"max_size": 3, "open": 3, "checked_out": 3, "waiting": 4}', instance => $_, as => 'shop') foreach qw(a b);
becomes(said('many', 'value', 'callers_waiting'), qq{many on postgres: 8 callers waiting, at 2 of 3 instances: 5 wait for a lock of migrate mig-1:77 (pid $pid), idle in transaction for N s + 1 idle in transaction|4},
	'and so are the callers; the worst one decides');

# who blocks ends in the middle
$migrate->query_safe('COMMIT');
becomes(q{SELECT message ~ 'wait for a lock of migrate .*, until \d+ s ago$' FROM pgpool_stats.alerts WHERE pool = 'many' AND rule = 'callers_waiting'}, 't', 'a blocker that has ended is one of then');
end_of('many');
eval { $_->quit } foreach @many;

#
# What holds a lock
#
sub waiting
{
	my ($what, $culprit, $hint, $session_of, $sql, $for) = @_;
	my $pool = "waits-$what";
	my @waiting = sessions(2, $pool, pool_size => 2, as => 'shop');

	send_sql($_, $sql) foreach @waiting;
	waits(2, $for);
	becomes(said($pool, 'cause'), "$pool on postgres: 1 of 1 instance full (2/2) for N s: 2 wait for a lock of $culprit|lock", $what);
	like(sql("SELECT hint FROM pgpool_stats.alerts WHERE pool = '$pool'"), $hint, "$what: what to do");
	end_of($pool);
	eval { $_->quit } foreach @waiting;
	return;
}

$migrate->query_safe('SELECT pg_advisory_lock(1)');
waiting('advisory', "migrate mig-1:77 (pid $pid), idle for N s", qr/^It holds its lock outside of a transaction/, $migrate,
	'SELECT pg_advisory_lock(1)', 'advisory');
$migrate->query_safe('SELECT pg_advisory_unlock(1)');

$migrate->query_safe("BEGIN;\nSELECT * FROM rows FOR UPDATE");
{
	my @rows = sessions(4, 'rows', pool_size => 4, as => 'shop');

	# the first one waits for the transaction, the others for the row behind it
	send_sql($_, 'SELECT * FROM rows FOR UPDATE') foreach @rows;
	wait_for(q{SELECT count(*) = 4 FROM pg_stat_activity WHERE wait_event IN ('transactionid', 'tuple')});
	becomes(said('rows'), "rows on postgres: 1 of 1 instance full (4/4) for N s: 4 wait for a lock of migrate mig-1:77 (pid $pid), idle in transaction for N s|lock|migrate mig-1:77",
		'a row: nobody in between asks for the table');
	end_of('rows');
	eval { $_->quit } foreach @rows;
}
$migrate->query_safe("INSERT INTO t VALUES (1);\nLOCK TABLE t;\nPREPARE TRANSACTION 'forgotten'");
waiting('prepared', 'a prepared transaction', qr/^See pg_prepared_xacts/, $migrate, 'SELECT * FROM t', 'relation');
$migrate->query_safe("ROLLBACK PREPARED 'forgotten'");
$migrate->quit;

# a pool that waits for itself
my @itself = sessions(3, 'itself', pool_size => 3, as => 'shop');
$pid = pid_of($itself[0]);
$itself[0]->query_safe("BEGIN;\nLOCK TABLE t");
send_sql($itself[$_], 'SELECT * FROM t') foreach 1, 2;
waits(2, 'relation');
becomes(said('itself'), "itself on postgres: 1 of 1 instance full (3/3) for N s: 2 wait for a lock of itself i (pid $pid), idle in transaction for N s + 1 idle in transaction|lock|itself i",
	'a pool that waits for itself');
end_of('itself');
eval { $_->quit } foreach @itself;

# of another database, for what all of them share
my $there = session('there', on => 'other');
$pid = pid_of($there);
$there->query_safe("BEGIN;\nALTER ROLE shared CONNECTION LIMIT 4");
my $here = session('here', pool_size => 1, as => 'postgres');
report('here', '{"max_size": 1, "open": 1, "checked_out": 1, "waiting": 1}');
send_sql($here, 'ALTER ROLE shared CONNECTION LIMIT 2');
waits(1, 'transactionid');
becomes(said('here'), "here on postgres: 1 of 1 instance full (1/1) for N s, 1 caller waiting: 1 waits for a lock of there i (pid $pid), idle in transaction for N s|lock|there i",
	'a pool of one, and a culprit in another database');
$there->query_safe('ROLLBACK');
eval { $_->quit } foreach $there, $here;

#
# A child that uses what its parent opened, and has a connection of its own
#
sub report_of
{
	my ($pool, $open, @instances) = @_;

	report($pool, qq({"pool_size": 3, "open": $open, "checked_out": 0, "waiting": 0}), instance => $_, as => 'shop') foreach @instances;
	next_pass();
	return;
}
my @both = map { session('both', instance => $_, as => 'shop') } 'web-1:1', 'web-1:2';
report_of('both', 2, 'web-1:2') foreach 1 .. 3;
becomes(q{SELECT message, cause, culprit FROM pgpool_stats.alerts WHERE pool = 'both' AND rule = 'fork_sharing'}, '', 'only one claims anything');
foreach (1 .. 3)
{
	report_of('both', 1, 'web-1:1');
	report_of('both', 2, 'web-1:2');
}
becomes(q{SELECT message, cause, culprit FROM pgpool_stats.alerts WHERE pool = 'both' AND rule = 'fork_sharing'},
	'both on postgres: 1 of 2 instances uses the connection of another process: web-1:2 that of web-1:1|fork|both web-1:2 and web-1:1', 'one of its own, and one of its parent');

# the label came when each had a connection already
my @early = map { background(as => 'shop') } 1, 2;
my @late = map { session('late', instance => $_, as => 'shop') } 'web-2:1', 'web-2:2';
report_of('late', 2, 'web-2:1', 'web-2:2') foreach 1 .. 3;
is(sql(q{SELECT count(*) FROM pgpool_stats.alerts WHERE pool = 'late' AND rule = 'fork_sharing'}), '0', 'no fork where connections have no label');
$_->quit foreach @both, @early, @late;

#
# Who ended what is not known, and is said not to be
#
my @ended = sessions(6, 'ended', as => 'shop');
$_->query_safe('BEGIN') foreach @ended;
end_of('ended');
becomes(q{SELECT regexp_replace(message, 'last \d+ \w+', 'last N'), cause, culprit FROM pgpool_stats.alerts WHERE pool = 'ended' AND rule = 'sessions_lost'},
	'ended on postgres: 6 of 6 connections that ended in the last N were lost: terminated, by whom is not known|ended|', 'who ended them is not known');
eval { $_->quit } foreach @ended;

#
# Small limits: the one that was too many came in between
#
my @small = used(2, 'small', as => 'small');
{
	my $third = session('small', as => 'small');
	isnt((psql('SELECT 1', as => 'small'))[0], 0, 'the limit of the role');
	$third->quit;
}
becomes(q{SELECT regexp_replace(message, 'last \d+ \w+', 'last N'), cause, culprit FROM pgpool_stats.alerts WHERE usename = 'small' AND rule = 'refused'},
	'role small: 1 connection rejected in the last N: small 2 (2 idle)|role full|small', 'of three, two are still there');
$_->quit foreach @small;
my @limited = used(2, 'limited', as => 'shop');
{
	local $ENV{PGOPTIONS} = labels('limited');
	isnt((psql('SELECT 1', as => 'shop'))[0], 0, 'the limit of a pool');
}
becomes(q{SELECT regexp_replace(message, 'last \d+ \w+', 'last N'), cause, culprit FROM pgpool_stats.alerts WHERE pool = 'limited' AND rule = 'refused'},
	'limited on postgres: 1 connection rejected in the last N: limited 2 (2 idle)|pool full|limited', 'of a pool, by pool_limits');
report('limited', '{"max_size": 4, "checked_out": 0, "waiting": 1}', as => 'shop');
becomes(said('limited', 'cause, culprit', 'callers_waiting'), 'limited on postgres: 1 caller waiting, at 1 of 1 instance: 1 connection rejected in N s, pool_limits allows no more than limited 2 (2 idle)|pool full|pool_limits',
	'also where callers wait');
$_->quit foreach @limited;

#
# top_queries, by the query of docs/why.md, and after a reset
#
my $worker = session('worker');
$worker->query_safe('SELECT pg_sleep(1)');
my ($join) = slurp_file('docs/why.md') =~ /^```sql\n(SELECT q\.pool, .*?);\n```$/ms;
is(sql("SELECT waits, active_time > 500, calls, query FROM ($join) AS q WHERE pool = 'worker'"),
	'other|t|1|SELECT pg_sleep($1)', 'pg_stat_statements has the text');
$worker->quit;
my $busy = session('busy');
send_sql($busy, 'SELECT pg_sleep(3600)');
becomes(q{SELECT count(*) = 1 FROM pgpool_stats.top_queries WHERE pool = 'busy' AND active_time > 300}, 't', 'what a pool is busy with');
my $reset = sql(q{SELECT pgpool_stats.reset('busy'); SELECT clock_timestamp()});
$reset =~ s/^\s+//;
is(sql(qq{SELECT count(*) FROM pgpool_stats.top_queries WHERE pool = 'busy' AND sampled_since < '$reset'::timestamptz - interval '1 s'}), '0', 'not after a reset');
becomes(qq{SELECT count(*) = 1 FROM pgpool_stats.top_queries WHERE pool = 'busy'}, 't', 'what it is busy with since then');
end_of('busy');
eval { $busy->quit };

$node->stop;
done_testing();
