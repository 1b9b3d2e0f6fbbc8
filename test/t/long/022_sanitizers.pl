# Everything at once, in an installation with sanitizers: connections that come,
# go, are relabelled, rejected and terminated; reports, readers of all that can
# be read, resets, reloads, collector and poller; with so little room that
# everything gives way to something else.

use strict;
use warnings;
use IO::Socket::UNIX;
use PgpoolStats;
use Poolers;
use Sanitized;

my $rounds = $ENV{FUZZ_ROUNDS} || 200;

my $node = start_sanitized(q{
max_connections = 60
max_prepared_transactions = 10
log_min_messages = fatal
log_min_error_statement = panic
pgpool_stats.max_pools = 16
pgpool_stats.max_discovered_pools = 4
pgpool_stats.max_instances = 16
pgpool_stats.max_rejections = 16
pgpool_stats.expire_after = 1s
pgpool_stats.leak_after = 1s
pgpool_stats.save_interval = 1s
pgpool_stats.poll_interval = 1s
pgpool_stats.strict_reports = off
});
sql(q{
	CREATE ROLE app LOGIN;
	CREATE ROLE shut LOGIN CONNECTION LIMIT 0;
	CREATE ROLE few LOGIN CONNECTION LIMIT 3;
	CREATE DATABASE other CONNECTION LIMIT 2;
	CREATE TABLE t (a int);
	CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 3 LOOP
			INSERT INTO t VALUES (i);
			COMMIT;
		END LOOP;
	END $$;
	CREATE TABLE documents (n serial, json text);
	CREATE FUNCTION try(statement text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		IF sqlstate LIKE 'XX%' OR sqlstate = '57P01' THEN
			RAISE;
		END IF;
	END $$;
});

# a report of each library, as the tests of dialects have them
my @documents = map { grep { /^[{\[]/ } split /\n/, slurp_file($_) } glob('test/dialects/*');
cmp_ok(scalar @documents, '>', 100, 'there are documents to report');
s/'/''/g foreach @documents;
sql('INSERT INTO documents (json) VALUES ' . join ', ', map { "('$_')" } @documents);

# all that can be read, in one statement for each
my $read = sql(q{
	SELECT string_agg(format('SELECT count(v) FROM pgpool_stats.%I v;', relname), E'\n' ORDER BY relname)
	FROM pg_class WHERE relkind = 'v' AND relnamespace = 'pgpool_stats'::regnamespace})
  . "\nSELECT length(pgpool_stats.openmetrics(true));"
  . "\nSELECT count(v) FROM pgpool_stats.check_status() v;"
  . "\nSELECT count(v) FROM pgpool_stats.check_budget(5, 2, 3) v;";

my %scripts = (
	reports => [ 3, q{
\set n random(1, 1000)
\set i random(1, 40)
SELECT try(format('SELECT pgpool_stats.report(%L, %L, %L)', 'p' || :i, json, 'i' || :i)) FROM documents
	WHERE n = 1 + :n % (SELECT count(*) FROM documents);
} ],
	labels => [ 3, q{
\set i random(1, 40)
SET pgpool_stats.pool = 'p:i';
BEGIN;
SELECT 1;
SET LOCAL pgpool_stats.instance = 'a';
SAVEPOINT s;
INSERT INTO t VALUES (1);
SET pgpool_stats.pool_size = :i;
ROLLBACK TO s;
COMMIT AND CHAIN;
SELECT 1;
ROLLBACK AND CHAIN;
SET application_name = 'p:i';
LISTEN a;
COMMIT;
CALL commits();
BEGIN;
PREPARE TRANSACTION 'x:client_id';
COMMIT PREPARED 'x:client_id';
UNLISTEN *;
RESET ALL;
DISCARD ALL;
} ],
	connects => [ 4, q{
\set i random(1, 40)
SET application_name = 'p:i';
SELECT 1;
}, '-C' ],
	readers => [ 2, $read ],
	resets => [ 1, q{
\set i random(1, 40)
SELECT try(format('SELECT pgpool_stats.forget(%L)', 'p' || :i));
SELECT try(format('SELECT pgpool_stats.forget(%L, %L)', 'p' || :i, 'i' || :i));
SELECT try(format('SELECT pgpool_stats.reset(%L)', 'p' || :i));
SELECT try(format('SELECT pgpool_stats.silence(%L, %L)', '*', 'p' || :i));
SELECT try(format('SELECT pgpool_stats.unsilence(%s)', :i));
SELECT pgpool_stats.reset();
SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
	WHERE query LIKE 'SELECT pg_sleep%' LIMIT 1) a;
} ],
	reloads => [ 1, q{
\set i random(1, 10)
SELECT try(format('SELECT set_config(%L, %L, false)', 'pgpool_stats.pool_size', :i));
SELECT pg_reload_conf();
} ]);

sub start_pooler
{
	my $program = Poolers::find('pgbouncer', 'PGBOUNCER');
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $home = $node->basedir;
	my $dead = 'host=127.0.0.1 port=1 dbname=pgbouncer';

	set_poolers($dead);
	return unless $program;
	write_file("$home/users", qq{"app" ""\n});
	write_file("$home/pgbouncer.ini", '
[databases]
postgres = host=' . $node->host . ' port=' . $node->port . qq{ pool_size=2
[pgbouncer]
listen_addr = 127.0.0.1
unix_socket_dir =
listen_port = $port
auth_type = trust
auth_file = $home/users
stats_users = app
pool_mode = transaction
});
	my $started = Poolers->start('pgbouncer', $port, $program, "$home/pgbouncer.ini");
	set_poolers("$dead; host=127.0.0.1 port=$port user=app dbname=pgbouncer");
	return ($started, "host=127.0.0.1 port=$port user=app dbname=postgres");
}

# sessions that are ended by others
sub start_sleepers
{
	return map { pgbench("SELECT pg_sleep(3600);\n", undef, '-c', 1, '-t', 1) } 1 .. 4;
}

# The names of strangers, and those of a role and a database that are full
sub knock
{
	my ($n) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $node->host . '/.s.PGSQL.' . $node->port)
	  or die "no socket: $!";
	my $user = (qw(shut few nobody app), "x$n")[ $n % 5 ];
	my $database = (qw(postgres other nowhere))[ $n % 3 ];
	my $packet = pack('N', 196608)
	  . join("\0", user => $user, database => $database,
		application_name => "app\xc3\xbc$n",
		options => "-c pgpool_stats.pool=p$n", '')
	  . "\0";

	# also packets that end early
	$packet = substr($packet, 0, $n % length $packet) if $n % 7 == 0;
	print $socket pack('N', 4 + length $packet), $packet;
	$socket->flush;
	shutdown $socket, 1;
	1 while sysread $socket, my $rest, 8192;
	return;
}

# poolers: a real one if there is one, and one that nobody is at
my ($pooler, $through) = start_pooler();

my @sleepers = start_sleepers();
my %running;
foreach my $name (sort keys %scripts)
{
	my ($clients, $script, @more) = @{ $scripts{$name} };

	local $ENV{PGOPTIONS} = labels($name, pool_size => 2);
	$running{$name} = pgbench($script, undef, '-c', $clients, '-t', $rounds, @more);
}
$running{pooled} = pgbench("BEGIN;\nSELECT 1;\nCOMMIT;\n", $through, '-c', 4, '-t', $rounds)
  if $pooler;
knock($_) foreach 1 .. 5 * $rounds;
foreach my $name (sort keys %running)
{
	my $pgbench = $running{$name};

	ok($pgbench->finish, "$name: all of its transactions have run");
}
$_->kill_kill foreach @sleepers;
cmp_ok(sql('SELECT count(*) FROM pgpool_stats.pools'), '>', 0, 'what is left can be read');

# loaded again, and saved in between
next_pass();
$pooler->stop if $pooler;
restart_sanitized();
cmp_ok(sql('SELECT count(*) FROM pgpool_stats.pools'), '>', 0, 'also after a restart');
stop_sanitized();

done_testing();
