# What pool_limits does for whom: entries and targets, what the refused client
# hears, who is never refused, labels of every origin, and where it is counted.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 40
autovacuum = off
log_min_messages = warning
listen_addresses = '127.0.0.1'
pgpool_stats.alert_rules = 'connections: off'
pgpool_stats.pool_limits = 'orders: 2; role/batch: 1; database/shop: warn 1; nobody: 0; nightly-*/postgres: 2; nightly-free: warn 9'
});
my $tcp = 'host=127.0.0.1 dbname=postgres port=' . $node->port;

sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE other LOGIN;
CREATE ROLE batch LOGIN;
CREATE ROLE su LOGIN SUPERUSER;
CREATE ROLE by_role LOGIN;
ALTER ROLE by_role SET pgpool_stats.pool = 'orders';
CREATE ROLE keeper LOGIN;
CREATE DATABASE shop;
CREATE DATABASE labelled;
ALTER DATABASE labelled SET pgpool_stats.pool = 'orders';
});
sql($node->config_data('--version') =~ / 15/ ? 'GRANT pg_signal_backend TO keeper' : 'GRANT pg_use_reserved_connections TO keeper');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust\n");
$node->reload;

# What somebody hears: nothing, if he is let in
sub heard
{
	my ($pool, %how) = @_;
	my $connstr = delete $how{connstr};
	my $role = delete $how{as} // 'app';
	my @where = $connstr ? (connstr => undef, extra_params => [ '-d', $connstr ]) : (as => $role, on => delete $how{on});

	local $ENV{PGOPTIONS} = defined $pool ? labels($pool, %how) : '';
	return (psql('SELECT 1', @where))[2];
}

sub limits
{
	my ($where, $columns) = @_;

	$columns ||= 'entry, usename, datname, max_connections, action, connections, notes';
	return sql("SELECT $columns FROM pgpool_stats.limits WHERE $where ORDER BY pool, usename, datname");
}

# the message
my @orders = (session('orders', as => 'app', instance => 'web-1:11'), session('orders', as => 'app', instance => 'web-2:22'));
$_->query_safe('SELECT 1') foreach @orders;
$orders[0]->query_safe('BEGIN');
like(heard('orders', instance => 'web-3:33'),
	qr/^psql: error: .*FATAL:  too many connections for pool "orders"\nDETAIL:  It may have 2: web-[12]:\d+ has 1 \(1 idle[^)]*\), web-[12]:\d+ has 1 \(1 idle[^)]*\)\.\nHINT:  Close some of its connections/,
	'the client hears the limit, and who holds the connections');
like(heard('orders'), qr/web-1:11 has 1 \(1 idle in transaction\)/, 'and what they do');
unlike(heard('orders'), qr/pool_limits\.$/m, 'not the entry');
like(slurp_file($node->logfile), qr/DETAIL:  It may have 2: .*This is entry "orders: 2" of pgpool_stats.pool_limits\./, 'the log has the entry');

# where it is counted: three were rejected
is(sql(q{SELECT reason, usable, pool, usename, datname, sqlstate, sum(count) FROM pgpool_stats.rejections GROUP BY 1, 2, 3, 4, 5, 6}),
	'pool|2|orders|app|postgres|53300|3', 'rejections');
is(sql(q{SELECT rejected, connections FROM pgpool_stats.pools WHERE pool = 'orders'}), '3|2', 'pools.rejected');
is(sql(q{SELECT scope, name, conn_limit, usable, used, headroom, binding, status, rejected, peak_used FROM pgpool_stats.budget WHERE scope = 'pool'}),
	'pool|orders|2|2|2|0|pool|full|3|2', 'budget has the pool');
is(sql(q{SELECT sum(rejected) FROM pgpool_stats.budget WHERE scope <> 'pool'}), '0', 'neither server, role nor database rejected it');
is(sql(q{SELECT count(*) FROM pgpool_stats.instances WHERE instance = 'web-3:33'}), '0', 'a refused connection leaves no instance');
is(sql(q{SELECT sum(connects), sum(disconnects) FROM pgpool_stats.pools WHERE pool = 'orders'}), '2|0', 'nor is it one that connected');
is(limits(q{pool = 'orders'}), 'orders: 2|app|postgres|2|refuse|2|', 'limits');
is(limits(q{pool = 'orders'}, 'rejected'), '3', 'with what was rejected');
becomes(q{SELECT message FROM pgpool_stats.alerts WHERE rule = 'pool_limit' AND state = 'firing'},
	'orders on postgres: 2 connections, pool_limits allows 2 and refuses more', 'alert pool_limit');
becomes(q{SELECT severity || ' ' || pool || ' ' || usename || ': ' || split_part(message, ' (', 1)
	FROM pgpool_stats.alerts WHERE rule = 'refused'},
	'critical orders app: orders on postgres: 3 connections rejected in the last 5 min: orders 2', 'alert refused is about the pool, and says who is in it');
is(sql(q{SELECT sum(value) FROM pgpool_stats.metrics WHERE name = 'pgpool_stats_rejected_total' AND labels->>'reason' = 'pool'}), '3', 'metrics');

# each pool, database and role by itself
is(heard('orders', as => 'other'), '', 'the same pool of another role');
is(heard('orders', on => 'shop'), '', 'and in another database');

# who is never refused
is(heard('orders', as => 'su'), '', 'a superuser');
is(heard('nobody', as => 'su'), '', 'not even where nobody may');
is(heard('nobody', as => 'keeper'), '', 'nor who must get in when others do not');
like(heard('nobody'), qr/too many connections for pool "nobody"\nDETAIL:  It may have 0\.\n/, 'a pool that may have none');
is(sql(q{SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'nobody' AND usename = 'app'}), '0', 'there is no such pool then');
is(limits(q{usename = 'su' AND pool = 'nobody'}, 'notes'), 'its role is never refused', 'the view says so');

# a role's pools, each
my $batch = session('one', as => 'batch');
$batch->query_safe('SELECT 1');
like(heard('one', as => 'batch'), qr/too many connections for pool "one"/, 'role/batch: a pool of it');
is(heard('two', as => 'batch'), '', 'another one has its own number');

# warn
my @shop = map { local $ENV{PGOPTIONS} = labels('some'); background(as => 'app', on => 'shop') } 1 .. 2;
$_->query_safe('SELECT 1') foreach @shop;
is(limits(q{pool = 'some'}), 'database/shop: warn 1|app|shop|1|warn|2|', 'warn refuses nobody');
becomes(q{SELECT message FROM pgpool_stats.alerts WHERE rule = 'pool_limit' AND pool = 'some'},
	'some on shop: 2 connections, pool_limits warns from 1 on', 'but raises an alert');

# globs, and the last entry that means a pool wins
my @nightly = used(2, 'nightly-a', as => 'app');
like(heard('nightly-a'), qr/too many connections for pool "nightly-a"/, 'a glob');
my @free = used(3, 'nightly-free', as => 'app');
is(limits(q{pool ~ '^nightly'}, 'pool, entry, connections'), "nightly-a|nightly-*/postgres: 2|2\nnightly-free|nightly-free: warn 9|3", 'the last one wins');
$_->quit foreach @nightly, @free, @shop, $batch;

# labels of other origins: by role and database it refuses, by SET it only warns
my @by_role = map { background(as => 'by_role') } 1 .. 2;
$_->query_safe('SELECT 1') foreach @by_role;
like(heard(undef, as => 'by_role'), qr/too many connections for pool "orders"/, 'a label of ALTER ROLE');
is(sql(q{SELECT rejected FROM pgpool_stats.pools WHERE pool = 'orders' AND usename = 'by_role'}), '1', 'counted once');
my @by_database = map { background(as => 'app', on => 'labelled') } 1 .. 2;
$_->query_safe('SELECT 1') foreach @by_database;
like(heard(undef, on => 'labelled'), qr/too many connections for pool "orders"/, 'a label of ALTER DATABASE');
my $later = background(as => 'app');
$later->query_safe(q{SET pgpool_stats.pool = 'orders'});
$later->query_safe('SELECT 1');
is(limits(q{pool = 'orders' AND usename = 'app' AND datname = 'postgres'}),
	'orders: 2|app|postgres|2|refuse|3|1 came by SET, which is not refused', 'a label that comes later is not refused, and counts');
$orders[0]->quit;
wait_for(q{SELECT sum(connections) = 2 FROM pgpool_stats.pools WHERE pool = 'orders' AND usename = 'app' AND datname = 'postgres'});
like(heard('orders'), qr/too many connections for pool "orders"/, 'it takes the place of one that connects');
$_->quit foreach @by_role, @by_database, $later, $orders[1];
wait_for(q{SELECT sum(connections) = 0 FROM pgpool_stats.pools WHERE pool = 'orders'});

# who only reports does not count
my @watch;
{
	local $ENV{PGAPPNAME} = 'watch orders';
	set_to('pool_limits', 'reports: 1; orders: 2; planned: 2; bad; x: lots; server: 3; : 4; y: warn; z: -1');
	@watch = map { session('reports', as => 'app', instance => "w$_") } 1 .. 3;
	$_->query_safe('SELECT 1') foreach @watch;
}
is(limits(q{pool = 'reports'}), 'reports: 1|app|postgres|1|refuse|0|', 'reporters are not counted');
my $report = session('reports', as => 'app');
$report->query_safe('SELECT 1');
like(heard('reports'), qr/too many connections for pool "reports"/, 'others of that pool are');
$_->quit foreach @watch, $report;

# entries that mean nothing
is(limits('error IS NOT NULL', 'entry, error, action') =~ s/\n/; /gr,
	'bad|expected target: number, or target: warn number|; x: lots|expected a number, or warn and a number|; server: 3|expected pool[/database], role/name or database/name|; : 4|nothing stands before ":"|; y: warn|expected a number, or warn and a number|; z: -1|expected a number from 0 to 262143|',
	'the view says what is wrong');
next_pass();
my @logged = slurp_file($node->logfile) =~ /LOG:  entry "(.*)" of pgpool_stats.pool_limits has no effect/g;
is("@logged", 'bad x: lots server: 3 : 4 y: warn z: -1', 'the log, too, once');
is(sql('SELECT pool, usename FROM pgpool_stats.limits', as => 'other'), 'orders|other', 'a role sees those of its own pools');
is((psql('SHOW pgpool_stats.pool_limits', as => 'other'))[0], 3, 'the setting itself is for superusers');

# what the server leaves it is less
set_to('pool_limits', 'wide: 90; orders: 2; planned: 2');
my $wide = session('wide', as => 'app');
$wide->query_safe('SELECT 1');
is(sql(q{SELECT usable, binding, headroom = (SELECT headroom FROM pgpool_stats.budget WHERE scope = 'server')
		FROM pgpool_stats.budget WHERE scope = 'pool' AND name = 'wide'}), '90|server|t', 'budget: headroom is the least of all that bind it');
$wide->quit;

# behind a pooler it has no effect
set_to('pooler_addresses', '127.0.0.1');
my $label = "user=app options='" . labels('orders') . "'";
my @pooled = map { background(connstr => undef, extra_params => [ '-d', "$tcp $label" ]) } 1 .. 3;
$_->query_safe('SELECT 1') foreach @pooled;
is(limits(q{pool = 'orders' AND usename = 'app' AND datname = 'postgres'}),
	'orders: 2|app|postgres|2|refuse|0|no effect on 3 behind a pooler', 'behind a pooler: not refused, and the view says so');
@orders = used(2, 'orders', as => 'app');
like(heard('orders'), qr/too many connections/, 'those that connect themselves are');
$_->quit foreach @orders, @pooled;
wait_for(q{SELECT sum(connections) = 0 FROM pgpool_stats.pools WHERE pool = 'orders'});

# a plan meets it, too
is(sql(q{SELECT scope, name, usable, requested, remaining, fits FROM pgpool_stats.check_plan('{"pool": "planned", "role": "app", "pool_size": 3}') WHERE scope = 'pool'}),
	'pool|planned|2|3|-1|f', 'check_plan');
like((psql(q{SELECT pgpool_stats.assert_plan('{"pool": "planned", "role": "app", "pool_size": 3}')}))[2],
	qr/1 limit would be exceeded\nDETAIL:  pool planned: usable 2, committed 0, this plan 3, remaining -1/, 'assert_plan');
is(sql(q{SELECT scope, usable, fits FROM pgpool_stats.check_budget(2, replaces => 'orders', role => 'app') WHERE scope = 'pool'}), 'pool|2|t', 'check_budget');
is(sql(q{SELECT committed > 0 FROM pgpool_stats.check_plan('{"pool": "orders", "role": "app", "pool_size": 3}') WHERE scope = 'pool'}), 't', 'what the pool has already is committed');
is(sql(q{SELECT count(*) FROM pgpool_stats.check_plan('{"pool": "planned", "role": "su", "pool_size": 3}') WHERE scope = 'pool'}), '0', 'not for superusers');
is(sql(q{SELECT count(*) FROM pgpool_stats.check_plan('{"pool": "planned", "role": "app", "pool_size": 3}') WHERE scope = 'pool'}, as => 'other'), '0', 'nor told to other roles');

$node->stop;
done_testing();
