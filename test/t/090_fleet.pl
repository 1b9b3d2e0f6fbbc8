# Many servers in one view: primary and standby, a second primary, and all that
# can be wrong with one.

use strict;
use warnings;
use IO::Socket::INET;
use PgpoolStats;

# Of a second server, not the one started last
sub on
{
	my ($server, $query, %params) = @_;

	return $server->safe_psql('postgres', $query, %params);
}

my $primary = start_node("cluster_name = 'primary'\nmax_connections = 100", name => 'primary', streaming => 1);
sql(q{
	CREATE ROLE orders LOGIN;
	CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
	CREATE ROLE plain LOGIN;
});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "cluster_name = 'standby'");
$standby->start;

my $without = PostgreSQL::Test::Cluster->new('without');
$without->init;
$without->start;
on($without, 'CREATE ROLE monitor LOGIN IN ROLE pg_monitor');

my $second = start_node("cluster_name = 'second'", name => 'second');
sql(q{
	CREATE ROLE orders LOGIN CONNECTION LIMIT 10;
	CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
});
my $strict = PostgreSQL::Test::Cluster->new('strict');
$strict->init;
write_file($strict->data_dir . '/pg_hba.conf', "local all all scram-sha-256\n");
$strict->start;

# of the fleet: a server that need not have pgpool_stats
my $fleet = PostgreSQL::Test::Cluster->new('fleet');
$fleet->init(allows_streaming => 1);
write_file($fleet->basedir . '/services',
	sprintf "[second]\nhost=%s\nport=%d\ndbname=postgres\nuser=monitor\n", $second->host, $second->port);
{
	local $ENV{PGSERVICEFILE} = $fleet->basedir . '/services';
	$fleet->start;
}
on($fleet, q{
	CREATE EXTENSION pgpool_stats_fleet CASCADE;
	CREATE ROLE reader LOGIN IN ROLE pg_monitor;
	CREATE ROLE plain LOGIN;
});

sub add
{
	my ($name, $server, %how) = @_;
	my $conninfo = join ' ', map { "$_=" . ($how{$_} // '') } sort keys %how;

	$conninfo = sprintf 'host=%s port=%d dbname=postgres user=monitor', $server->host, $server->port
	  if defined $server;
	return on($fleet, "SELECT pgpool_stats_fleet.add_server('$name', '$conninfo')");
}
add('db1', $primary);
add('db1-standby', $standby);
add('db2', $second);
add('managed', $without);
add('locked', $strict);
# nobody listens
add('dead', undef, host => $strict->host, port => 1, dbname => 'postgres');

#
# Who answers
#
is(on($fleet, q{SELECT name, reachable, mode, error ~ CASE name
			WHEN 'dead' THEN 'No such file'
			WHEN 'locked' THEN 'no password supplied' WHEN 'managed' THEN 'pgpool_stats is not loaded' END
		FROM pgpool_stats_fleet.servers}), <<'END' =~ s/\n\z//r, 'who answers, and as what');
db1|t|extension|
db1-standby|t|extension|
db2|t|extension|
dead|f||t
locked|f||t
managed|t|activity|t
END

#
# The views: of every server what it says
#
sub connect_to
{
	my ($server, $labels) = @_;

	local $ENV{PGOPTIONS} = $labels;
	return $server->background_psql('postgres', extra_params => [ '-U', 'orders' ]);
}

# Of the fleet, always newly asked
sub fleet
{
	my ($query) = @_;

	return on($fleet, "SET pgpool_stats_fleet.max_age = '0'; $query");
}

$_->query_safe('SELECT 1') foreach my @clients = (
	connect_to($primary, labels('orders', instance => 'a:1', pool_size => 2)),
	connect_to($primary, labels('orders', instance => 'a:1', pool_size => 2)),
	connect_to($second, labels('orders', instance => 'a:1', pool_size => 3)),
	connect_to($primary, labels('alone', instance => 'a:1', pool_size => 1)));
is(fleet(q{SELECT server, connections, max_size FROM pgpool_stats_fleet.pools
		WHERE pool = 'orders' AND usename = 'orders'}),
	"db1|2|2\ndb2|1|3", 'a pool on two servers has two rows');
is(fleet(q{SELECT server, inst, conns, used, ltrim(wait) FROM pgpool_stats_fleet.overview WHERE pool = 'orders'}),
	"(all)|1|3|0/5|-\ndb1|1|2|[.....] 0/2|-\ndb2|1|1|[.....] 0/3|-",
	'and one total; the process at both is one');
is(fleet(q{SELECT server, conns FROM pgpool_stats_fleet.overview WHERE pool = 'alone'}),
	'db1|1', 'of one server there is no total');
is(fleet(q{SELECT string_agg(server, ' ' ORDER BY server) FROM pgpool_stats_fleet.overview
		WHERE pool = '(server)' AND status = 'unreachable'}),
	'dead locked', 'who does not answer stands in the overview');
is(fleet(q{SELECT server, usable, used > 0 FROM pgpool_stats_fleet.budget WHERE scope = 'server'}),
	"db1|97|t\ndb1-standby|97|t\ndb2|97|t\nmanaged|97|f",
	'budgets, of the server without pgpool_stats, too');
is(fleet(q{SELECT server, conn_limit, used FROM pgpool_stats_fleet.budget WHERE scope = 'role' AND name = 'orders' AND conn_limit > 0}),
	'db2|10|1', 'limits of roles');

# the same columns as on one server
foreach my $view (qw(overview pools budget alerts incidents load))
{
	my $columns = q{
		SELECT string_agg(format('%s %s', column_name, data_type), ', ' ORDER BY ordinal_position)
		FROM information_schema.columns WHERE column_name <> 'server' AND table_name = };

	is(on($fleet, "$columns '$view' AND table_schema = 'pgpool_stats_fleet'"),
		on($second, "$columns '$view' AND table_schema = 'pgpool_stats'"), "columns of $view");
	fleet("SELECT * FROM pgpool_stats_fleet.$view");
}
is(on($fleet, q{
		SELECT count(*) FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid
		WHERE relnamespace = 'pgpool_stats_fleet'::regnamespace AND relkind = 'v' AND attnum > 0
			AND coalesce(length(col_description(c.oid, attnum)), 99) > 60}),
	'0', 'all columns have a comment');

# without pgpool_stats: by application_name
my $app = do
{
	local $ENV{PGAPPNAME} = 'web-17';
	$without->background_psql('postgres');
};
$app->query_safe('BEGIN');
is(fleet(q{SELECT server, pool, source, connections, in_xact, idle_in_xact, status IS NULL, checked_out IS NULL
		FROM pgpool_stats_fleet.pools WHERE server = 'managed'}),
	'managed|web-#|activity|1|1|1|t|t', 'pools of pg_stat_activity: what is not known is null');
is(fleet(q{SELECT conns, used, status FROM pgpool_stats_fleet.overview WHERE pool = 'web-#'}),
	'1|1/?|', 'in the overview, too');

#
# A plan
#
my $plan = q{[{"servers": ["db1", "db2", "managed", "dead"], "role": "orders", "database": "postgres", "pool_size": 8, "instances": 2}]};
is(on($fleet, "SELECT server, scope, requested, fits, note IS NOT NULL
		FROM pgpool_stats_fleet.check_plan('$plan') ORDER BY 1, 2"),
	"db1|server|16|t|f\ndb2|role|16|f|f\ndb2|server|16|t|f\ndead||||t\nmanaged||||t",
	'a plan over servers');
my (undef, undef, $error) = $fleet->psql('postgres', q{SELECT pgpool_stats_fleet.check_plan('[{"pool_size": 1}]')});
like($error, qr/must have "servers", "role" and "database"/, 'a plan without servers');

#
# Local clients without a label: a server knows only that they are its own
#
{
	local $ENV{PGAPPNAME} = 'shell';
	push @clients, connect_to($primary, ''), connect_to($second, '');
	$_->query_safe('SELECT 1') foreach @clients[ -2, -1 ];
}
is(fleet(q{SELECT server, inst, conns FROM pgpool_stats_fleet.overview WHERE pool = 'shell'}),
	"(all)|2|2\ndb1|1|1\ndb2|1|1", 'local clients of two servers are two');

#
# What is asked how often
#
my $cached = q{SET pgpool_stats_fleet.max_age = '1h'; SELECT answered_in FROM pgpool_stats_fleet.servers WHERE name = 'db1'};
is(on($fleet, $cached), on($fleet, $cached), 'another session takes the same answer');
my $asked = q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgpool_stats_fleet'};
my $reader = $fleet->background_psql('postgres', extra_params => [ '-U', 'reader' ], on_error_stop => 0);
$reader->query_safe(q{SET pgpool_stats_fleet.max_age = '0'});
$reader->query_safe('SELECT * FROM pgpool_stats_fleet.overview') foreach 1 .. 3;
is(on($second, $asked), '1', 'a session has one connection to a server');
is($reader->query_safe(q{SELECT name FROM pgpool_stats_fleet.servers WHERE error ~ 'No such file'}),
	'dead', 'who failed is left out, and why it failed is still said');
on($second, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgpool_stats_fleet'});
is($reader->query_safe(q{SELECT reachable FROM pgpool_stats_fleet.servers WHERE name = 'db2'}),
	't', 'a connection that broke is made anew');
is($reader->query_safe(q{BEGIN READ ONLY; SELECT count(*) > 0 FROM pgpool_stats_fleet.pools; COMMIT}),
	't', 'in a read-only transaction');
is($reader->query_safe(q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) > 0 FROM pgpool_stats_fleet.pools; COMMIT}),
	't', 'in a repeatable one');
# whoever keeps his transaction open does not hold up others
$reader->query_safe('BEGIN; SELECT count(*) FROM pgpool_stats_fleet.alerts');
fleet('SELECT count(*) FROM pgpool_stats_fleet.alerts');
pass('nobody waits for another reader');
$reader->query_safe('COMMIT');

#
# Who may
#
sub refused
{
	my ($query, $expected, $name, $role) = @_;
	my (undef, undef, $error) = $fleet->psql('postgres', $query, extra_params => [ '-U', $role // 'postgres' ]);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like($error, $expected, $name);
}
refused('SELECT * FROM pgpool_stats_fleet.overview', qr/permission denied/, 'nothing for everybody', 'plain');
refused('SELECT * FROM pgpool_stats_fleet.server_list', qr/permission denied/, 'where they are is not told', 'reader');
refused(q{SELECT pgpool_stats_fleet.add_server('x', 'host=y')}, qr/permission denied/, 'a reader adds no server', 'reader');
foreach my $conninfo ('host=x password=y', 'host=x PassWord = y', 'host=x sslpassword=y')
{
	refused("SELECT pgpool_stats_fleet.add_server('x', '$conninfo')", qr/password must not stand/, "refused: $conninfo");
}
refused(q{SELECT pgpool_stats_fleet.add_server('x', 'postgresql://a:b@c/d')}, qr/password must not stand/, 'in a URI');
refused(q{SELECT pgpool_stats_fleet.add_server('x', 'nowhere')}, qr/invalid connection string/, 'no connection string');
refused(q{SELECT pgpool_stats_fleet.add_server('(all)', 'host=x')}, qr/invalid name/, 'a name of ours');

#
# One who accepts and never answers.  From PostgreSQL 16 on dblink has no timeout for that:
# whoever cancels the statement ends it, and is not held up again.
#
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "listen: $!";
add('silent', undef, host => '127.0.0.1', port => $silent->sockport, dbname => 'postgres', sslmode => 'disable');
if ($fleet->pg_version >= 16)
{
	$reader->query_safe(q{SET statement_timeout = '5s'});
	$reader->query('SELECT FROM pgpool_stats_fleet.servers');
	like($reader->{stderr}, qr/canceling statement due to statement timeout/, 'held up by one who never answers');
	$reader->{stderr} = '';
	$reader->query_safe(q{RESET statement_timeout});
}
is($reader->query_safe(q{SELECT string_agg(name, ' ' ORDER BY name) FILTER (WHERE reachable),
			string_agg(error, '') FILTER (WHERE name = 'silent') ~ '(timeout expired|no answer before the last attempt to connect was cancelled)$'
		FROM pgpool_stats_fleet.servers}),
	'db1 db1-standby db2 managed|t', 'who never answers is said to');
is(on($fleet, q{SELECT pgpool_stats_fleet.remove_server('silent'), pgpool_stats_fleet.remove_server('nobody')}),
	't|f', 'remove a server');

# three that hang once connected are waited for side by side: one after the other
# would take three timeouts, however fast the machine is
my ($said, $expected) = ('', "db1 db2 managed|t|t");
$reader->query_safe(q{SET pgpool_stats_fleet.timeout = '2s'; SET pgpool_stats_fleet.leave_out = '0'});
for (1 .. 20)
{
	$reader->query_safe('SELECT FROM pgpool_stats_fleet.servers');
	my @hanging = map { split /\n/, on($_, q{SELECT pid FROM pg_stat_activity WHERE application_name = 'pgpool_stats_fleet'}) } $primary, $second, $without;
	die 'not three connections' if @hanging != 3;
	kill 'STOP', @hanging;
	$said = $reader->query_safe(q{
		SELECT string_agg(name, ' ' ORDER BY name) FILTER (WHERE error = 'no answer within 2 s'),
			bool_or(name = 'db1-standby' AND reachable),
			clock_timestamp() < statement_timestamp() + interval '4 s'
		FROM pgpool_stats_fleet.servers});
	kill 'CONT', @hanging;
	last if $said eq $expected;
}
is($said, $expected, 'three that hang cost one timeout');

#
# A server by a service file, and by a user mapping, whose password nobody sees
#
on($fleet, sprintf q{
	CREATE SERVER second FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host '%s', port '%d', dbname 'postgres');
	CREATE USER MAPPING FOR CURRENT_USER SERVER second OPTIONS (user 'monitor', password 'a secret');
	SELECT pgpool_stats_fleet.add_server('by-service', 'service=second'), pgpool_stats_fleet.add_server('by-mapping', 'second')},
	$second->host, $second->port);
is(fleet(q{SELECT name, reachable, mode, error FROM pgpool_stats_fleet.servers WHERE name ~ '^by-' ORDER BY name}),
	"by-mapping|t|extension|\nby-service|t|extension|", 'a service file and a user mapping');
is(on($fleet, q{SELECT count(*) FROM pgpool_stats_fleet.server_list l WHERE l::text ~ 'secret'}), '0', 'no secret in the list');
is(on($fleet, q{SELECT count(*) FROM pgpool_stats_fleet.servers s WHERE s::text ~ 'secret'}), '0', 'and none in the view');
is(on($fleet, q{SELECT pgpool_stats_fleet.remove_server('by-service'), pgpool_stats_fleet.remove_server('by-mapping')}), 't|t', 'both removed');

#
# What others made where names are looked up is never called: there by the role
# that asks, here by the one that created the extension
#
on($fleet, q{
	GRANT CREATE ON SCHEMA public TO plain;
	SET ROLE plain;
	CREATE FUNCTION public.array_fill(text, int[]) RETURNS text[]
		LANGUAGE plpgsql AS 'BEGIN RAISE ''called as %'', current_user; END'});
on($second, q{
	GRANT CREATE ON SCHEMA public TO orders;
	SET ROLE orders;
	CREATE FUNCTION public.jsonb_build_object(text, jsonb, text, jsonb) RETURNS jsonb
		LANGUAGE plpgsql AS 'BEGIN RAISE ''called as %'', current_user; END'});
is(fleet(q{SET pgpool_stats_fleet.leave_out = '0';
		SELECT name, reachable, error FROM pgpool_stats_fleet.servers WHERE name = 'db2'}), 'db2|t|', 'no function of a stranger here');
is(fleet(q{SET pgpool_stats_fleet.leave_out = '0';
		SELECT server, conns FROM pgpool_stats_fleet.overview WHERE pool = 'orders' AND server = 'db2'}), 'db2|1', 'and none there');

#
# A switchover while a pool is connected
#
$primary->stop('immediate');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'not promoted';
$_->query_safe('SELECT 1') foreach my @moved = map { connect_to($standby, labels('orders', instance => 'a:1', pool_size => 2)) } 1 .. 2;
is(fleet(q{SET pgpool_stats_fleet.leave_out = '0';
		SELECT server, inst, conns FROM pgpool_stats_fleet.overview WHERE pool = 'orders'}),
	"(all)|1|3\ndb1-standby|1|2\ndb2|1|1", 'after a switchover nothing is counted twice');
is(fleet(q{SELECT status FROM pgpool_stats_fleet.overview WHERE pool = '(server)' AND server = 'db1'}),
	'unreachable', 'the old primary is seen to be gone');

$_->quit foreach $reader, $app, @moved, $clients[2];
done_testing();
