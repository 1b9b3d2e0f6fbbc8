# pool_limits where nothing is as usual: names of all kinds, roles and databases
# that change, a setting that changes all the time, a session that ends between
# join and commit, a real PgBouncer.
use strict;
use warnings;
use utf8;
use PgpoolStats;
use Poolers;

# its callback is called behind ours, which was registered later: it holds up
# whoever has joined and has not committed
my $late = module('late', q{
#include "postgres.h"
#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/wait_event.h"
PG_MODULE_MAGIC;

static void
hold_up(XactEvent event, void *arg)
{
	while (event == XACT_EVENT_PRE_COMMIT && MyProcPort != NULL &&
		   strcmp(application_name, "held up") == 0)
	{
		CHECK_FOR_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

void
_PG_init(void)
{
	RegisterXactCallback(hold_up, NULL);
}
});

my $node = start_node(qq{
shared_preload_libraries = '$late, pgpool_stats'
max_connections = 60
max_wal_senders = 2
wal_level = replica
autovacuum = off
listen_addresses = '127.0.0.1'
});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 trust\n");
$node->reload;
sql(q{
CREATE ROLE app LOGIN;
CREATE ROLE "Rôle; of ""many"": *" LOGIN;
CREATE DATABASE shop;
});

# What somebody hears; the pool may have any name
sub heard
{
	my ($pool, %how) = @_;

	$pool =~ s/([\\ ])/\\$1/g;
	utf8::encode($pool);
	local $ENV{PGOPTIONS} = "-c pgpool_stats.pool=$pool -c pgpool_stats.instance=i";
	return (psql('SELECT 1', as => $how{as} // 'app', on => $how{on}))[2];
}

# One that stays, in such a pool
sub stays
{
	my ($pool, @how) = @_;

	$pool =~ s/([\\ ])/\\$1/g;
	utf8::encode($pool);
	local $ENV{PGOPTIONS} = "-c pgpool_stats.pool=$pool -c pgpool_stats.instance=i";
	my $session = background(as => 'app', @how);
	$session->query_safe('SELECT 1');
	return $session;
}

# Settings as bytes, with quotes doubled
sub limits_are
{
	my ($value) = @_;

	$value =~ s/'/''/g;
	utf8::encode($value);
	sql("ALTER SYSTEM SET pgpool_stats.pool_limits = '$value'");
	my $before = sql('SELECT pg_conf_load_time()');
	$node->reload;
	wait_for("SELECT pg_conf_load_time() > '$before'");
	return;
}

# names: what the entry says is what it means.  Of pools' names what is not
# printable ASCII is kept as "?".
foreach my $case (
	[ q{it's}, q{it's} ],
	[ q{"quoted"}, q{"quoted"} ],
	[ 'with space', '  with space  ' ],
	[ 'back\\slash', 'back\\slash' ],
	[ 'bücher', 'bücher' ],
	[ 'bücher', 'b??cher' ],
	[ '本棚', '本棚' ],
	[ '本棚', '??????' ],
	[ 'host:8080', 'host:8080' ],
	[ 'a;b', 'a?b' ],
	[ '*', '\\*' ],
	[ '*', '?' ],
	[ '100%s%n', '100%s%n' ],
	[ 'a/b', 'a?b' ],
	[ 'role/x', 'role?x' ],
	[ 'server', 'serve?' ],
	[ 'p' x 80, ('p' x 60) . '*' ])
{
	my ($pool, $entry) = @$case;

	# no escapes are known: such an entry means another pool
	my $means = $entry ne '\\*';

	limits_are("$entry: 1");
	my $first = stays($pool);
	my $name = "pool $pool, entry $entry";
	utf8::encode($name);
	if ($means)
	{
		like(heard($pool), qr/^psql: error: .*FATAL:  too many connections for pool "/, "$name: refused");
	}
	else
	{
		is(heard($pool), '', "$name: not meant");
	}
	$first->quit;
	wait_for(q{SELECT coalesce(sum(connections), 0) = 0 FROM pgpool_stats.limits});
}

# a list that is very long, and of which nothing can be understood
limits_are(join '; ', map { "x$_: 1" } 1 .. 5_000);
is(heard('x7'), '', '5,000 entries');
is(sql(q{SELECT count(*) FROM pgpool_stats.limits}), 5_000, 'all are there');
limits_are(';;; : ; :::; ' . ('x' x 5000) . '; a: 99999999999999999999; b: 5 5; c: 1e3; d: warn; e: warn 1 2; /: 1');
is(heard('d'), '', 'nonsense limits nobody');
is(sql(q{SELECT count(*) FROM pgpool_stats.limits WHERE error IS NOT NULL}), 8, 'and is said');

# a role of odd name, and one that is renamed: the name of now counts
limits_are(q{role/R?le? of "many"? *: 1; role/before: 1});
my $odd = 'Rôle; of "many": *';
utf8::encode($odd);
my $first = stays('a', as => $odd);
like(heard('a', as => $odd), qr/too many connections for pool "a"/, 'a role of odd name');
$first->quit;
sql('CREATE ROLE before LOGIN');
$first = stays('b', as => 'before');
like(heard('b', as => 'before'), qr/too many/, 'before it is renamed');
sql('ALTER ROLE before RENAME TO afterwards');
is(heard('b', as => 'afterwards'), '', 'renamed, it is not meant any more');
limits_are('role/afterwards: 1');
like(heard('b', as => 'afterwards'), qr/too many/, 'by its new name it is; who was there before counts');
is(sql(q{SELECT usename, connections FROM pgpool_stats.limits}), 'afterwards|1', 'as the view has it');
$first->quit;

# a database that is dropped and made again is another one
limits_are('database/shop: 1');
$first = stays('c', on => 'shop');
like(heard('c', on => 'shop'), qr/too many/, 'in a database');
$first->quit;
wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'shop'});
sql('DROP DATABASE shop');
is(sql(q{SELECT DISTINCT coalesce(connections, 0) FROM pgpool_stats.limits}), '0', 'dropped: the view can be read');
sql('CREATE DATABASE shop');
is(heard('c', on => 'shop'), '', 'made again: nobody is there');

# a label by ALTER ROLE in that database, and one that SET takes away
limits_are('*: 1');
sql(q{ALTER ROLE app IN DATABASE shop SET pgpool_stats.pool = 'd'});
$first = background(as => 'app', on => 'shop');
$first->query_safe('SELECT 1');
like((psql('SELECT 1', as => 'app', on => 'shop'))[2], qr/too many connections for pool "d"/, 'a label of a role in a database');
$first->query_safe(q{SET pgpool_stats.pool = 'e'});
$first->query_safe('SELECT 1');
is((psql('SELECT 1', as => 'app', on => 'shop'))[2], '', 'who goes to another pool by SET makes room');
$first->quit;

# replication is never refused
sql('CREATE ROLE copies LOGIN REPLICATION');
limits_are('*: 0');
like(heard('any', as => 'copies'), qr/too many connections/, 'a role that may replicate is refused like others');
foreach my $kind ('true', 'database')
{
	local $ENV{PGOPTIONS} = labels('any');
	is((psql('IDENTIFY_SYSTEM', as => 'copies', replication => $kind))[0], 0, "but not when it does: replication=$kind");
}

# SIGTERM between join and commit: it counts while it is there, then no more
limits_are('held: 1');
my $held;
{
	local $ENV{PGAPPNAME} = 'held up';
	local $ENV{PGOPTIONS} = labels('held');
	$held = IPC::Run::start([ 'psql', '-X', '-d', $node->connstr('postgres'), '-U', 'app', '-c', 'SELECT 1' ],
		'<', \undef, '>', \my $out, '2>', \my $err);
}
my $pid_of_held = q{SELECT pid FROM pg_stat_activity WHERE application_name = 'held up' AND wait_event = 'Extension'};
wait_for("SELECT count(*) = 1 FROM ($pid_of_held) p");
like(heard('held'), qr/too many connections for pool "held"/, 'who has joined counts before the commit');
sql("SELECT pg_terminate_backend(pid) FROM ($pid_of_held) p");
$held->finish;
wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'held up'});
is(heard('held'), '', 'who ended there does not count');
is(sql(q{SELECT connects, disconnects, connections FROM pgpool_stats.pools WHERE pool = 'held'}), '2|2|0', 'it connected and disconnected');

# a setting that changes all the time: no connection is lost, though one before it may not have ended
my $pgbench;
{
	local $ENV{PGOPTIONS} = labels('many');
	$pgbench = pgbench("SELECT 1;\n", $node->connstr('postgres') . ' user=app', '-C', '-c', 4, '-t', 50);
}
limits_are($_) foreach (q{}, 'many: 100', 'many', '*: warn 1', ('x: 1; ' x 500) . 'many: 100') x 4;
ok($pgbench->finish, 'pgbench lost no connection while the setting changed');
is(sql(q{SELECT connects FROM pgpool_stats.pools WHERE pool = 'many'}), 201, 'and each was counted');

# a real PgBouncer: its connections are not limited, and the view says so
SKIP:
{
	my $pgbouncer = Poolers::find('pgbouncer', 'PGBOUNCER');
	skip('there is no PgBouncer', 3) unless $pgbouncer;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $home = $node->basedir;

	limits_are('pooled: 1');
	set_to('pooler_addresses', '127.0.0.1');
	sql(q{ALTER ROLE app SET pgpool_stats.pool = 'pooled'});
	write_file("$home/users", qq{"app" ""\n});
	write_file("$home/pgbouncer.ini", qq{
[databases]
postgres = host=127.0.0.1 port=@{[$node->port]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $home/users
pool_mode = transaction
default_pool_size = 3
});
	my $bouncer = Poolers->start('pgbouncer', $port, $pgbouncer, '-q', "$home/pgbouncer.ini");
	my @clients = map { background(extra_params => [ '-d', "host=127.0.0.1 port=$port dbname=postgres user=app" ]) } 1 .. 3;
	is($_->query_safe('BEGIN; SELECT 1'), 1, 'through PgBouncer nobody is refused') foreach @clients;
	is(sql(q{SELECT pool, connections, notes FROM pgpool_stats.limits}), 'pooled|0|no effect on 3 behind a pooler', 'the view says so');
	$first = background(as => 'app');
	$first->query_safe('SELECT 1');
	like((psql('SELECT 1', as => 'app'))[2], qr/too many connections for pool "pooled"/, 'beside it they are');
	$_->quit foreach $first, @clients;
	$bouncer->stop;
}

unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal/, 'the server is well');
$node->stop;
done_testing();
