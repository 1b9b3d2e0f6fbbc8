# terminate() and drain(): who is ended, who is spared and why, who may do it,
# and that it is written down.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 40
autovacuum = off
log_min_messages = warning
pgpool_stats.leak_after = 1s
});

sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE other LOGIN;
CREATE ROLE su LOGIN SUPERUSER;
CREATE ROLE ops LOGIN IN ROLE pg_signal_backend;
CREATE ROLE viewer LOGIN IN ROLE pg_monitor;
});

# Rows of a call, without pids
sub rows
{
	my ($call, %how) = @_;

	return sql("SELECT instance, state, action, reason FROM pgpool_stats.$call ORDER BY instance, action, reason", %how);
}

sub fails
{
	my ($call, %how) = @_;

	return (psql("SELECT * FROM pgpool_stats.$call", %how))[2];
}

sub connections
{
	my ($pool) = @_;

	return sql("SELECT string_agg(instance, ' ' ORDER BY instance) FROM pgpool_stats.connections WHERE pool = '$pool'");
}

# one of each kind, all idle
my %session;
foreach my $instance ('a-idle', 'b-idle', 'c-listens', 'd-locks', 'e-in-xact', 'f-failed')
{
	$session{$instance} = session('orders', as => 'app', instance => $instance);
	$session{$instance}->query_safe('SELECT 1');
}
$session{'c-listens'}->query_safe('LISTEN news');
$session{'d-locks'}->query_safe('SELECT pg_advisory_lock(5)');
$session{'e-in-xact'}->query_safe('BEGIN; SELECT 1');
$session{'f-failed'}->query_safe('BEGIN');
$session{'f-failed'}->query('SELECT 1/0');
my $busy = session('orders', as => 'app', instance => 'g-busy');
$busy->query_until(qr/now/, "\\echo now\nSELECT pg_advisory_lock(5);\n");
waits(1, 'advisory');

# nothing happens in a dry run, which is the default
my $idle = "a-idle|idle|%s|
b-idle|idle|%s|
c-listens|idle|spared|listens
d-locks|idle|spared|holds an advisory lock";
is(rows(q{terminate('orders', idle_for => '0')}), sprintf($idle, ('would terminate') x 2), 'a dry run says what would be');
is(connections('orders'), 'a-idle b-idle c-listens d-locks e-in-xact f-failed g-busy', 'all are still there');
is(rows(q{terminate('orders')}), '', 'none is idle for 10 min');
is(rows(q{terminate('orders', idle_for => '0', instance => 'b-idle')}), 'b-idle|idle|would terminate|', 'of one process');
is(rows(q{terminate('orders', 'idle in transaction', '0')}),
	"e-in-xact|idle in transaction|would terminate|\nf-failed|idle in transaction|would terminate|", 'idle in transaction');
is(rows(q{terminate('orders', idle_for => '0', max_count => 1)}),
	"a-idle|idle|would terminate|\nb-idle|idle|left|max_count is reached\nc-listens|idle|spared|listens\nd-locks|idle|spared|holds an advisory lock",
	'max_count: those that are idle longest');

# wrong arguments
like(fails(q{terminate('orders', 'active')}), qr/invalid state: "active"\n.*Expected "idle", "idle in transaction" or "leaked"/, 'only what is idle');
like(fails(q{terminate('orders', idle_for => '-1 s')}), qr/idle_for must not be negative/, 'negative idle_for');
like(fails(q{terminate('orders', max_count => -1)}), qr/max_count must not be negative/, 'negative max_count');
like(fails(q{terminate('nosuch')}), qr/there is no such pool "nosuch" that you may see/, 'no such pool');
like(fails(q{terminate(NULL)}), qr/pool must not be null/, 'no pool');
like(fails(q{drain('orders', NULL)}), qr/old_version must not be null/, 'no version');
like(fails(q{drain('orders', '')}), qr/old_version must not be empty/, 'an empty version');

# rights
like(fails(q{terminate('orders')}, as => 'other'), qr/there is no such pool "orders" that you may see/, 'an ordinary role does not find the pool of another');
like(fails(q{terminate('orders')}, as => 'viewer'), qr/permission denied to end connections of pool "orders"\n.*privileges of role "app" or of "pg_signal_backend"/, 'who may only see it');
is(rows(q{terminate('orders', idle_for => '0', instance => 'a-idle')}, as => 'app'), 'a-idle|idle|would terminate|', 'the role itself');
is(rows(q{terminate('orders', idle_for => '0', instance => 'a-idle')}, as => 'ops'), 'a-idle|idle|would terminate|', 'pg_signal_backend');
my $su = session('admin', as => 'su');
$su->query_safe('SELECT 1');
like(fails(q{terminate('admin', idle_for => '0', dry_run => false)}, as => 'ops'), qr/permission denied to end connections of pool "admin"\n.*Only superusers/,
	'pg_signal_backend does not end the session of a superuser');
is(connections('admin'), 'i', 'it is still there');

# several pools of one name
my $second = session('orders', as => 'other', instance => 'z');
$second->query_safe('SELECT 1');
like(fails(q{terminate('orders')}), qr/there are 2 pools "orders"\nDETAIL:  usename app, datname postgres; usename other, datname postgres\.\nHINT:  Say which/, 'two pools: an error that lists them');
is(rows(q{terminate('orders', idle_for => '0', usename => 'other', datname => 'postgres')}), 'z|idle|would terminate|', 'unless it is said which');
is(rows(q{terminate('orders', idle_for => '0')}, as => 'other'), 'z|idle|would terminate|', 'or only one may be seen');

# for real
is(rows(q{terminate('orders', idle_for => '0', dry_run => false, usename => 'app')}, as => 'ops'), sprintf($idle, ('terminated') x 2), 'ended');
becomes(q{SELECT string_agg(instance, ' ' ORDER BY instance) FROM pgpool_stats.connections WHERE pool = 'orders' AND usename = 'app'},
	'c-listens d-locks e-in-xact f-failed g-busy', 'those are gone, and no others');
my @logged = slurp_file($node->logfile) =~ /LOG:  (pgpool_stats terminate: .*)/g;
is(scalar @logged, 2, 'one line in the log for each');
like($logged[0], qr/ended connection of pool "orders" on database "postgres": pid \d+, instance "a-idle", idle for \d+ s, by role "ops"/, 'it says whose, which, and by whom');
becomes(q{SELECT rule || ': ' || message || ' ' || worst || ' ' || severity FROM pgpool_stats.incidents WHERE rule = 'terminate' AND ended IS NOT NULL},
	'terminate: orders on postgres: 2 connections ended by role ops 2 ok', 'and it is an incident');
is(sql(q{SELECT count(*) FROM pgpool_stats.incidents WHERE rule = 'terminate'}, as => 'other'), '0', 'of that pool, for those who may see it');
is(rows(q{terminate('orders', 'idle in transaction', '0', dry_run => false, max_count => 1)}, as => 'app'),
	"e-in-xact|idle in transaction|terminated|\nf-failed|idle in transaction|left|max_count is reached", 'as the role itself');
is(sql(q{SELECT count(*) FROM pgpool_stats.disconnects WHERE pool = 'orders' AND usename = 'app' AND reason = 'terminated'}) > 0, 1, 'as core terminates them');

# the session that asks is none of them
my $mine = session('mine', as => 'app');
is($mine->query_safe(q{SELECT count(*) FROM pgpool_stats.terminate('mine', idle_for => '0', dry_run => false)}), '0', 'not the session that asks');

# who serves several pools in turn
my $shared = session('shared', as => 'app');
$shared->query_safe(q{SET pgpool_stats.pool = 'elsewhere'});
$shared->query_safe('SELECT 1');
$shared->query_safe(q{SET pgpool_stats.pool = 'shared'});
$shared->query_safe('SELECT 1');
is(rows(q{terminate('shared', idle_for => '0', dry_run => false)}), 'i|idle|spared|several pools use it, one after the other', 'a connection that a pooler hands on');

# leaked: never more than at_least, the longest idle first
my @pool = map { session('leaky', as => 'app') } 1 .. 4;
$_->query_safe('SELECT 1') foreach @pool;
report('leaky', '{"checked_out": 3, "checked_in": 1, "max_size": 4}', as => 'app');
becomes(q{SELECT at_least || ' of ' || candidates FROM pgpool_stats.leaks WHERE pool = 'leaky'}, '3 of 4', 'three of four have leaked');
is(sql(q{SELECT action, reason, count(*) FROM pgpool_stats.terminate('leaky', 'leaked', '0', dry_run => false) GROUP BY 1, 2 ORDER BY 1}),
	"left|only 3 of 4 have leaked|1\nterminated||3", 'three of them are ended');
becomes(q{SELECT count(*) FROM pgpool_stats.connections WHERE pool = 'leaky'}, '1', 'one is left');
is(rows(q{terminate('leaky', 'leaked', '0', dry_run => false)}), '', 'it is never ended');

# drain
my %version = ('new' => '2.0', 'old-1' => '1.9', 'old-2' => '1.9', 'older' => '1.90');
my %deployed = map { $_ => session('deployed', as => 'app', instance => $_, app_version => $version{$_}) } keys %version;
$deployed{none} = session('deployed', as => 'app', instance => 'none');
$_->query_safe('SELECT 1') foreach values %deployed;
$deployed{'old-2'}->query_safe('BEGIN');
is(rows(q{drain('deployed', '1.9')}), "old-1|idle|would terminate|\nold-2|idle in transaction|busy|call again", 'drain: those of that very version');
is(rows(q{drain('deployed', '1.9', dry_run => false)}, as => 'app'), "old-1|idle|terminated|\nold-2|idle in transaction|busy|call again", 'the idle ones are ended');
$deployed{'old-2'}->query_safe('COMMIT');
is(rows(q{drain('deployed', '1.9', dry_run => false, instance => 'old-2')}), 'old-2|idle|terminated|', 'the others when they are idle');
becomes(q{SELECT string_agg(instance, ' ' ORDER BY instance) FROM pgpool_stats.connections WHERE pool = 'deployed'}, 'new none older', 'no other version is touched');
is(rows(q{drain('deployed', '1.9')}), '', 'nothing is left to be done');
becomes(q{SELECT count(*) FROM pgpool_stats.incidents WHERE rule = 'drain'}, '2', 'incidents');

# one role's acts leave room for those of others, until the collector takes them
my @many = map { session("many$_", as => 'app') } 1 .. 17;
my $its = session('its', as => 'other');
$_->query_safe('SELECT 1') foreach @many, $its;
set_to('sample_interval', '1min');
wait_for(q{SELECT last_pass < clock_timestamp() - interval '2 s' FROM pgpool_stats.info});
sql("SELECT pgpool_stats.terminate('many$_', idle_for => '0', dry_run => false)", as => 'app') foreach 1 .. 17;
sql(q{SELECT pgpool_stats.terminate('its', idle_for => '0', dry_run => false)}, as => 'other');
set_to('sample_interval', '100ms');
becomes(q{SELECT count(*) FILTER (WHERE usename = 'app'), count(*) FILTER (WHERE usename = 'other')
		FROM pgpool_stats.incidents WHERE pool ~ '^(many|its)'}, '16|1', 'half of the places are for others');
like(sql('SELECT notes FROM pgpool_stats.info'), qr/^1 of terminate\(\) and drain\(\) is in the server log only: /, 'what was left out is noted');

$node->stop;
done_testing();
