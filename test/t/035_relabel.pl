# Labels that change: the connection moves, and so does what it is doing.
# Whatever 100 sessions do and however they die, each is in exactly one row.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_connections = 150
restart_after_crash = on
pgpool_stats.save_interval = 1s
});
sql(q{
	CREATE ROLE app LOGIN;
	GRANT pg_read_all_stats TO app;
	CREATE TABLE t (a int);
	GRANT ALL ON t TO app;
	CREATE FUNCTION relabels(pool text) RETURNS void LANGUAGE sql
		SET pgpool_stats.pool = 'in-function' AS
		$$ SELECT set_config('pgpool_stats.instance', 'by-function', false) $$;
});

# A session of the application without a label
sub unlabelled
{
	local $ENV{PGAPPNAME} = $_[0];
	return background(as => 'app');
}

# pool/instance: connections in_xact xacts connects disconnects, of those of
# the application that have anything
sub rows
{
	return sql(q{
		SELECT string_agg(format('%s/%s:%s %s %s %s %s', pool, instance,
			connections, in_xact, xacts, connects, disconnects), ', '
			ORDER BY pool, instance)
		FROM pgpool_stats.instances
		WHERE usename = 'app' AND
			(connections > 0 OR xacts > 0 OR connects > 0)});
}

# Start again with an empty registry, as far as one can see.
sub start_again
{
	my @sessions = @_;

	$_->quit foreach @sessions;
	wait_for(q{SELECT coalesce(sum(connections), 0) = 0
		  FROM pgpool_stats.instances WHERE usename = 'app'});
	sql('SELECT pgpool_stats.reset()');
	is(rows(), '', 'nothing is left');
	return;
}

# Do a step; then the rows are these.
sub step
{
	my ($session, $sql, $expected, $name) = @_;

	$session->query($sql);
	is(rows(), $expected, $name // $sql);
	return;
}

my $s = session('a', as => 'app');
is(rows(), 'a/i:1 0 0 1 0', 'a connection');
step($s, "SET pgpool_stats.pool = 'b'", 'a/i:0 0 0 1 0, b/i:1 0 0 0 0');
step($s, 'SELECT 1',                    'a/i:0 0 0 1 0, b/i:1 0 1 0 0');
step($s, "SET pgpool_stats.instance = 'j'",
	'a/i:0 0 0 1 0, b/i:0 0 1 0 0, b/j:1 0 0 0 0');
step($s, 'SELECT 1', 'a/i:0 0 0 1 0, b/i:0 0 1 0 0, b/j:1 0 1 0 0');
step($s, "SELECT set_config('pgpool_stats.instance', 'k', false)",
	'a/i:0 0 0 1 0, b/i:0 0 1 0 0, b/j:0 0 2 0 0, b/k:1 0 0 0 0');
step($s, 'RESET pgpool_stats.instance',
	'a/i:0 0 0 1 0, b/i:1 0 1 0 0, b/j:0 0 2 0 0');
step($s, 'RESET ALL',
	'a/i:1 0 0 1 0, b/i:0 0 1 0 0, b/j:0 0 2 0 0',
	'RESET ALL: what the connection string said');
start_again($s);

$s = session('a', as => 'app');
step($s, "SET pgpool_stats.pool = 'b'", 'a/i:0 0 0 1 0, b/i:1 0 0 0 0');
step($s, 'DISCARD ALL', 'a/i:1 0 0 1 0', 'DISCARD ALL');
step($s, 'SELECT 1',    'a/i:1 0 1 1 0', 'and on it goes');
step($s, 'SELECT relabels(\'x\')',
	'a/by-function:1 0 0 0 0, a/i:0 0 1 1 0, in-function/i:0 0 1 0 0',
	'the last statement was that of the function');
start_again($s);

# both at once, in one string: nothing in between
$s = session('a', as => 'app');
step(
	$s,
	"SET pgpool_stats.pool = 'b'\\; SET pgpool_stats.instance = 'j';",
	'a/i:0 0 0 1 0, b/j:1 0 0 0 0', 'two settings in one string');
step($s, 'SELECT 1', 'a/i:0 0 0 1 0, b/j:1 0 1 0 0');
step(
	$s,
	"SET pgpool_stats.pool = 'a'\\; SET pgpool_stats.instance = 'i'\\; SELECT 1;",
	'a/i:1 0 1 1 0, b/j:0 0 1 0 0', 'and the statement, too');
start_again($s);

#
# In a transaction: it belongs to the label in force at its last statement
#
$s = session('a', as => 'app');
step($s, 'BEGIN', 'a/i:1 1 0 1 0');
step($s, "SET LOCAL pgpool_stats.pool = 'b'", 'a/i:1 1 0 1 0',
	'SET LOCAL: from the next statement on');
step($s, 'SELECT 1', 'a/i:0 0 0 1 0, b/i:1 1 0 0 0');
step($s, 'COMMIT',   'a/i:1 0 0 1 0, b/i:0 0 1 0 0');
step($s, "BEGIN;\nSET LOCAL pgpool_stats.pool = 'b';\nCOMMIT",
	'a/i:1 0 0 1 0, b/i:0 0 2 0 0', 'nothing but SET LOCAL');
step($s, "BEGIN;\nSET LOCAL pgpool_stats.pool = 'b';\nSELECT 1;\nROLLBACK",
	'a/i:1 0 0 1 0, b/i:0 0 3 0 0', 'SET LOCAL and ROLLBACK');
step($s,
	"BEGIN;\nSET LOCAL pgpool_stats.pool = 'b';\nSELECT 1;\nSELECT 1 / 0;\nROLLBACK",
	'a/i:1 0 0 1 0, b/i:0 0 4 0 0', 'SET LOCAL in a block that fails');
step($s,
	"BEGIN;\nSET LOCAL pgpool_stats.pool = 'b';\nSELECT 1;\nSELECT 1 / 0;\nCOMMIT AND CHAIN;\nCOMMIT",
	'a/i:1 0 1 1 0, b/i:0 0 5 0 0', 'and in one that goes on as a chain');
step($s,
	"BEGIN\\; SET LOCAL pgpool_stats.pool = 'b'\\; SELECT 1\\; COMMIT;",
	'a/i:1 0 1 1 0, b/i:0 0 6 0 0', 'all in one string');
start_again($s);

$s = session('a', as => 'app');
step($s, "BEGIN;\nSET pgpool_stats.pool = 'b';\nSELECT 1;",
	'a/i:0 0 0 1 0, b/i:1 1 0 0 0', 'SET in a block');
step($s, 'ROLLBACK', 'a/i:1 0 0 1 0, b/i:0 0 1 0 0',
	'rolled back, the label is what it was');
step($s, "BEGIN;\nSET pgpool_stats.pool = 'b';\nROLLBACK;",
	'a/i:1 0 0 1 0, b/i:0 0 2 0 0', 'SET and ROLLBACK');
step($s,
	"BEGIN;\nSAVEPOINT p;\nSET pgpool_stats.pool = 'c';\nSELECT 1;\nROLLBACK TO p;\nSELECT 1;\nCOMMIT;",
	'a/i:1 0 1 1 0, b/i:0 0 2 0 0', 'SET and ROLLBACK TO');
step($s, "BEGIN;\nSET pgpool_stats.pool = 'b';\nCOMMIT;",
	'a/i:0 0 1 1 0, b/i:1 0 3 0 0', 'SET and COMMIT');
step($s, "BEGIN;\nSELECT 1;\nSET pgpool_stats.pool = 'c';",
	'a/i:0 0 1 1 0, b/i:1 1 3 0 0');
$s->quit;
wait_for(q{SELECT sum(connections) = 0 FROM pgpool_stats.instances
	  WHERE usename = 'app'});
is(rows(), 'a/i:0 0 1 1 0, b/i:0 0 4 0 1', 'an exit in a transaction');
start_again();

#
# Without a label: application_name
#
$s = unlabelled('first 17');
is(rows(), 'first #/[local]:1 0 0 1 0', 'discovered');
step($s, "SET application_name = 'second'",
	'first #/[local]:0 0 0 1 0, second/[local]:1 0 0 0 0');
step($s, 'SELECT 1', 'first #/[local]:0 0 0 1 0, second/[local]:1 0 1 0 0');
step($s, "SELECT set_config('application_name', 'third', false)",
	'first #/[local]:0 0 0 1 0, second/[local]:0 0 2 0 0, third/[local]:1 0 0 0 0');
step($s, "SET pgpool_stats.pool = 'labelled'",
	'first #/[local]:0 0 0 1 0, labelled/[local]:1 0 0 0 0, second/[local]:0 0 2 0 0');
step($s, "SET application_name = 'fourth';\nSELECT 1",
	'first #/[local]:0 0 0 1 0, labelled/[local]:1 0 1 0 0, second/[local]:0 0 2 0 0',
	'a label comes before the name');
step($s, 'RESET ALL',
	'first #/[local]:1 0 0 1 0, labelled/[local]:0 0 1 0 0, second/[local]:0 0 2 0 0');
step($s, "BEGIN;\nSET application_name = 'second';\nSELECT 1;\nROLLBACK;",
	'first #/[local]:1 0 0 1 0, labelled/[local]:0 0 1 0 0, second/[local]:0 0 3 0 0',
	'a name that is rolled back');
step($s, 'SET application_name = \'\';',
	'app/[local]:1 0 0 0 0, first #/[local]:0 0 0 1 0, labelled/[local]:0 0 1 0 0, second/[local]:0 0 3 0 0',
	'without a name: the role');
start_again($s);

#
# 100 sessions connect, relabel, run and die
#
sub all_in_one_row
{
	my ($name, $real) = @_;

	# when those that exit are gone
	becomes(q{
			SELECT (SELECT sum(connections) FROM pgpool_stats.instances) =
				(SELECT count(*) FROM pg_stat_activity
				 WHERE backend_type = 'client backend' AND
					state IS DISTINCT FROM 'starting')}, 't',
	"$name: each connection is in one row");
	is(sql(q{
			SELECT sum(connections), sum(in_xact) FROM pgpool_stats.instances
			WHERE usename = 'app'}),
		$real, "$name: connections and transactions are the real ones");
	is(sql(q{
			SELECT (SELECT (sum(connections), sum(in_xact), sum(xacts),
					sum(connects), sum(disconnects))::text
				FROM pgpool_stats.instances WHERE usename = 'app') =
				(SELECT (sum(connections), sum(in_xact), sum(xacts),
					sum(connects), sum(disconnects))::text
				FROM pgpool_stats.pools WHERE usename = 'app')}),
		't', "$name: pools say the same");
	is(sql(q{
			SELECT sum(connects - disconnects - connections)
			FROM pgpool_stats.instances WHERE usename = 'app'}),
		'0', "$name: connects - disconnects = connections");
	return;
}

# One statement of pgbench is in a session of its own (-C).  Those that are
# terminated end their pgbench, so there are many.
my $script = q{
\set p random(1, 5)
\set i random(1, 5)
\set how random(1, 6)
SET pgpool_stats.pool = 'p:p';
SET pgpool_stats.instance = 'i:i';
\if :how = 1
SELECT 1;
\elif :how = 2
BEGIN;
SET LOCAL pgpool_stats.pool = 'local:p';
SELECT count(*) FROM pg_class;
COMMIT;
\elif :how = 3
BEGIN;
SET pgpool_stats.instance = 'never';
SELECT 1;
ROLLBACK AND CHAIN;
SELECT 2;
END;
\elif :how = 4
SET application_name = 'relabelled';
DISCARD ALL;
SELECT 1;
\elif :how = 5
BEGIN;
SELECT pg_sleep(0.002);
\else
SELECT pg_sleep(0.001);
\endif
};
my @load = map {
	pgbench($script, undef, '-U', 'app', '-C', '-c', '10', '-T', '6')
} (1 .. 10);
my $terminated = sql(q{
	CREATE FUNCTION terminate_some(OUT n int) LANGUAGE plpgsql AS $$
	DECLARE
		stop timestamptz := clock_timestamp() + interval '4 s';
	BEGIN
		n := 0;
		WHILE clock_timestamp() < stop OR n <= 10 LOOP
			PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE usename = 'app' ORDER BY random() LIMIT 1;
			PERFORM pg_stat_clear_snapshot();
			n := n + 1;
			PERFORM pg_sleep(0.05);
		END LOOP;
	END $$;
	SELECT terminate_some();
});
cmp_ok($terminated, '>', 10, 'some were terminated');
# clients that are killed, and those that come to their end
$_->kill_kill foreach @load[ 0 .. 4 ];
eval { $_->finish } foreach @load[ 5 .. 9 ];
all_in_one_row('all ended', '0|0');

# all peaks start with what is there: nothing
sql('SELECT pgpool_stats.reset()');
is(sql(q{
		SELECT max(peak_in_xact), max(exhausted_count)
		FROM pgpool_stats.instances WHERE usename = 'app'}),
	'0|0', 'and no event is left behind');

# some that stay, in all states
my @stay = map { session('stay', instance => "s-$_", as => 'app') } (1 .. 20);
foreach my $i (0 .. 19)
{
	$stay[$i]->query("SET pgpool_stats.pool = 'moved'") if $i % 2;
	$stay[$i]->query('BEGIN') if $i % 5 == 0;
	$stay[$i]->query("BEGIN;\nSELECT 1 / 0;") if $i % 5 == 1;
	$stay[$i]->query("SELECT 1;") if $i % 5 == 2;
}
all_in_one_row('20 stay', '20|8');
is(sql(q{
		SELECT pool, connections, in_xact, idle_in_xact, connects,
			disconnects
		FROM pgpool_stats.pools
		WHERE pool IN ('stay', 'moved') ORDER BY pool}),
	"moved|10|4|4|0|0\nstay|10|4|4|20|0", 'half of them moved');
sql(q{
	SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
	WHERE usename = 'app' AND state LIKE 'idle in transaction%'
	ORDER BY pid LIMIT 4});
$stay[-1]->{run}->kill_kill;
wait_for(q{SELECT count(*) = 15 FROM pg_stat_activity WHERE usename = 'app'});
all_in_one_row('some died', '15|4');

# kill -9 is a crash of the server, and nobody is left of before
kill_hard(sql(q{SELECT pid FROM pg_stat_activity
	  WHERE usename = 'app' AND state LIKE 'idle in transaction%' LIMIT 1}));
foreach (@stay)
{
	eval { $_->quit };
}
is(sql(q{
		SELECT sum(connections) = (SELECT count(*) FROM pg_stat_activity
								   WHERE backend_type = 'client backend'),
			sum(connections) FILTER (WHERE usename = 'app'),
			sum(in_xact) FILTER (WHERE usename = 'app')
		FROM pgpool_stats.instances}),
	't|0|0', 'after kill -9 each connection is in one row');
sql('SELECT pgpool_stats.reset()');
is(sql(q{
		SELECT coalesce(max(peak_in_xact), 0)
		FROM pgpool_stats.instances WHERE usename = 'app'}),
	'0', 'and no transaction is left behind');
$s = session('stay', instance => 's-1', as => 'app');
step($s, 'SELECT 1', 'stay/s-1:1 0 1 1 0', 'and it goes on');
$s->quit;

$node->stop;
unlike(slurp_file($node->logfile),
	qr/PANIC|signal 11|signal 6|TRAP/, 'nothing crashed by itself');
done_testing();
