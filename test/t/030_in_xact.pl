# Whatever a transaction ends with, it is counted as often as a DBA would, and
# nobody is left "in a transaction".
#
# Each case has a pool of its own that is full with one transaction.  The
# count behind peaks and exhaustion is in no column, but shows: reset() starts
# peak_in_xact with it, and a pool whose count is left behind is exhausted
# for ever.  No collector looks in between: this is about events alone.
#
# What counts: a statement outside a block, a block from BEGIN to its end
# whatever the end is, each part between two COMMITs of a procedure, each part
# of a chain, a PREPARE TRANSACTION and later its COMMIT PREPARED, a statement
# that a driver prepares (Parse and Sync are a transaction of their own).
# What does not: what fails before its tables are known and locked, fast-path
# calls outside a block, empty statements, and SET, RESET, SHOW and DISCARD.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
max_prepared_transactions = 10
max_connections = 40
wal_level = minimal
max_wal_senders = 0
pgpool_stats.sample_interval = 60s
});
sql(q{
	CREATE ROLE app LOGIN SUPERUSER;
	CREATE TABLE t (a int);
	CREATE TABLE big AS SELECT generate_series(1, 20000) AS a;
	ANALYZE big;
	CREATE TABLE deferred (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);
	CREATE TABLE indexed AS SELECT generate_series(1, 100) AS a;
	CREATE PROCEDURE commits(n int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			INSERT INTO t VALUES (i);
			COMMIT;
		END LOOP;
	END $$;
	CREATE PROCEDURE ends_both_ways() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 6 LOOP
			INSERT INTO t VALUES (i);
			IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
		END LOOP;
	END $$;
	CREATE PROCEDURE commits_and_fails() LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO t VALUES (1);
		COMMIT;
		INSERT INTO t VALUES (1 / 0);
	END $$;
	CREATE PROCEDURE commits_and_chains() LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO t VALUES (1);
		COMMIT AND CHAIN;
		INSERT INTO t VALUES (2);
		ROLLBACK AND CHAIN;
		INSERT INTO t VALUES (3);
	END $$;
	CREATE FUNCTION catches() RETURNS int LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 5 LOOP
			BEGIN
				PERFORM 1 / 0;
			EXCEPTION WHEN division_by_zero THEN NULL;
			END;
		END LOOP;
		RETURN 1;
	END $$;
});

my $last_pool = 0;
my $pool;

# Statements in a session of the pool, one after the other
sub run_sql
{
	my ($sql, %more) = @_;

	local $ENV{PGOPTIONS} = labels($pool, pool_size => 1) . ($more{options} // '');
	return psql($sql,
		on_error_stop => 0,
		as => 'app',
		extra_params => $more{params});
}

# A session of the pool, and its backend
sub case_session
{
	my $session = session($pool, pool_size => 1, as => 'app');

	return ($session,
		sql(q{SELECT pid FROM pg_stat_activity WHERE usename = 'app'}));
}

sub run_pgbench
{
	local $ENV{PGOPTIONS} = labels($pool, pool_size => 1);
	return pgbench($_[0], undef, '-U', 'app', @_[ 1 .. $#_ ])->finish;
}

# Send what will not return, and wait until it runs or waits.
sub send_sql
{
	my ($session, $pid, $sql, $condition) = @_;

	$session->query_until(qr/sent/, "\\echo sent\n$sql\n");
	wait_for("SELECT $condition FROM pg_stat_activity WHERE pid = $pid");
	return;
}

sub gone
{
	wait_for(qq{
		SELECT sum(connections) = 0 FROM pgpool_stats.pools
		WHERE pool = '$pool'});
	return;
}

# Do something; then so many transactions are counted, and nothing is left.
sub case
{
	my ($name, $xacts, $do) = @_;

	$pool = 'case-' . ++$last_pool;
	$do->();
	gone();
	is(sql("SELECT in_xact, xacts FROM pgpool_stats.instances WHERE pool = '$pool'"),
		"0|$xacts", "$name: $xacts transactions, none left");
	sql("SELECT pgpool_stats.reset('$pool')");
	is(sql("SELECT peak_in_xact, exhausted_count, exhausted_time
			 FROM pgpool_stats.instances WHERE pool = '$pool'"),
		'0|0|0', "$name: events count none, either");
	run_sql('SELECT 1');
	gone();
	is(sql("SELECT xacts, peak_in_xact, exhausted_count,
				exhausted_time > 0 AND exhausted_time <= total_xact_time
			 FROM pgpool_stats.instances WHERE pool = '$pool'"),
		'1|1|1|t', "$name: one more is one more");
	return;
}

# a case that is nothing but statements
sub sql_case
{
	my ($name, $xacts, $sql) = @_;

	case($name, $xacts, sub { run_sql($sql) });
	return;
}

#
# Plain transactions and errors
#
sql_case('statements', 3, "SELECT 1;\nINSERT INTO t VALUES (1);\nTABLE t;");
sql_case('statements in one string', 1, 'SELECT 1\; SELECT 2\; SELECT 3;');
sql_case('a failing string', 1, 'SELECT 1\; SELECT 1 / 0\; SELECT 3;');
sql_case('two blocks in one string',
	2, 'BEGIN\; SELECT 1\; COMMIT\; BEGIN\; SELECT 2\; COMMIT;');
sql_case('a block', 1, "BEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;");
sql_case('an empty block', 1, "BEGIN;\nCOMMIT;");
sql_case('a block rolled back', 1, "BEGIN;\nINSERT INTO t VALUES (1);\nROLLBACK;");
sql_case('BEGIN twice', 1, "BEGIN;\nBEGIN;\nCOMMIT;");
sql_case('a statement fails', 2, "SELECT 1 / 0;\nSELECT 1;");
sql_case('statements that mean nothing',
	1, "SELECT 1 +;\nSELECT 1 FROM nowhere;\n;\n-- nothing\nSELECT 1;");
sql_case('a failed block, rolled back',
	1, "BEGIN;\nSELECT 1 / 0;\nSELECT 1;\nROLLBACK;");
sql_case('a failed block, committed', 1, "BEGIN;\nSELECT 1 / 0;\nCOMMIT;");
sql_case('a failed block with an xid',
	1, "BEGIN;\nINSERT INTO t VALUES (1);\nSELECT 1 / 0;\nROLLBACK;");
sql_case('a block fails with a syntax error',
	2, "BEGIN;\nSELECT 1 +;\nROLLBACK;\nSELECT 1;");
sql_case('a block fails at COMMIT',
	1, "BEGIN;\nINSERT INTO deferred VALUES (1), (1);\nCOMMIT;");
sql_case('a statement fails at its commit',
	2, "INSERT INTO deferred VALUES (1), (1);\nSELECT 1;");
case('the client leaves in a block', 1, sub { run_sql("BEGIN;\nSELECT 1;") });
case('the client leaves in a failed block',
	1, sub { run_sql("BEGIN;\nSELECT 1 / 0;") });

#
# Neither SET nor SHOW is a transaction
#
sql_case('settings', 0,
	"SET work_mem = '1MB';\nSHOW work_mem;\nRESET work_mem;\nRESET ALL;\nDISCARD ALL;\nDISCARD PLANS;\nSET no.such = 1;\nSET nonsense = 1;\nSET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;");
sql_case('settings, then a statement',
	1, 'SET work_mem = \'1MB\'\; SHOW work_mem\; SELECT 1;');
sql_case('settings in a block',
	1, "BEGIN;\nSET LOCAL work_mem = '1MB';\nSHOW work_mem;\nCOMMIT;");
sql_case('set_config()', 1, "SELECT set_config('work_mem', '1MB', false);");
sql_case('labels in a block', 1,
	"BEGIN;\nSET LOCAL pgpool_stats.pool = 'elsewhere';\nSELECT 1;\nCOMMIT;\nSELECT 1;");
is(sql(q{SELECT xacts, in_xact, connections FROM pgpool_stats.pools
		  WHERE pool = 'elsewhere'}),
	'1|0|0', 'the block was that of another pool');
sql_case('SET in a failed block', 1,
	"BEGIN;\nSELECT 1 / 0;\nSET work_mem = '1MB';\nROLLBACK;");

#
# Two-phase commit
#
sql_case('two-phase commit', 4,
	"BEGIN;\nINSERT INTO t VALUES (1);\nPREPARE TRANSACTION 'a';\nCOMMIT PREPARED 'a';\nBEGIN;\nINSERT INTO t VALUES (1);\nPREPARE TRANSACTION 'b';\nROLLBACK PREPARED 'b';");
sql_case('two-phase commit that fails', 2,
	"BEGIN;\nCREATE TEMP TABLE mine (a int);\nPREPARE TRANSACTION 'c';\nSELECT 1;");
sql_case('two-phase commit of a failed block',
	1, "BEGIN;\nSELECT 1 / 0;\nPREPARE TRANSACTION 'd';");
case(
	'prepared in one session, ended in another',
	2,
	sub {
		run_sql(
			"BEGIN;\nINSERT INTO t VALUES (1);\nPREPARE TRANSACTION 'e';");
		run_sql("COMMIT PREPARED 'e';");
	});

#
# Savepoints
#
sql_case('savepoints', 1,
	"BEGIN;\nSAVEPOINT a;\nSELECT 1 / 0;\nROLLBACK TO a;\nINSERT INTO t VALUES (1);\nSAVEPOINT b;\nRELEASE a;\nCOMMIT;");
sql_case('a failed savepoint, rolled back',
	1, "BEGIN;\nSAVEPOINT a;\nSELECT 1 / 0;\nROLLBACK;");
sql_case('a function that catches errors', 1, 'SELECT catches();');

#
# Procedures
#
sql_case('a procedure that commits', 5, 'CALL commits(5);');
sql_case('a procedure that ends both ways', 6, 'CALL ends_both_ways();');
sql_case('a procedure that fails after a commit',
	3, "CALL commits_and_fails();\nSELECT 1;");
sql_case('a procedure that chains', 3, 'CALL commits_and_chains();');
sql_case('a procedure that may not commit',
	1, "BEGIN;\nCALL commits(5);\nROLLBACK;");
sql_case('DO that commits', 2,
	'DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); END $$;');

#
# AND CHAIN
#
sql_case('chains', 3,
	"BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 1;\nROLLBACK AND CHAIN;\nSELECT 1;\nCOMMIT;");
sql_case('an empty chain', 3,
	"BEGIN;\nCOMMIT AND CHAIN;\nCOMMIT AND CHAIN;\nROLLBACK;");
sql_case('a failed chain', 2,
	"BEGIN;\nINSERT INTO deferred VALUES (1), (1);\nCOMMIT AND CHAIN;\nSELECT 1;");
sql_case('a chain after a failed block', 2,
	"BEGIN;\nSELECT 1 / 0;\nROLLBACK AND CHAIN;\nSELECT 1;\nCOMMIT;");
sql_case('COMMIT AND CHAIN of a failed block', 2,
	"BEGIN;\nSELECT 1 / 0;\nCOMMIT AND CHAIN;\nSELECT 1;\nCOMMIT;");
sql_case('a chain of which a part fails', 2,
	"BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 1 / 0;\nROLLBACK;");
sql_case('a chain fails before any hook', 3,
	"BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 1 +;\nROLLBACK;\nSELECT 1;");
sql_case('a chain without a block', 2, "COMMIT AND CHAIN;\nSELECT 1;");
sql_case('the client leaves in a chain', 2, "BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;");
case(
	'terminated in a chain',
	1,							# before it, one was counted and reset
	sub {
		my ($session, $pid) = case_session();
		$session->query("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;");
		is(sql("SELECT in_xact, idle_in_xact, xacts
				 FROM pgpool_stats.instances WHERE pool = '$pool'"),
			'1|1|1', 'the rest of a chain is a transaction');
		sql("SELECT pgpool_stats.reset('$pool')");
		is(sql("SELECT peak_in_xact, exhausted_count
				 FROM pgpool_stats.instances WHERE pool = '$pool'"),
			'1|1', 'for the events, too');
		sql("SELECT pg_terminate_backend($pid, 10000)");
		eval { $session->quit };
	});

#
# FATAL, cancelled, terminated
#
sql_case('terminates itself', 1, 'SELECT pg_terminate_backend(pg_backend_pid());');
sql_case('terminates itself in a block',
	1, "BEGIN;\nSELECT pg_terminate_backend(pg_backend_pid());");
foreach my $case (
	[ 'outside a block', 'SELECT 1;',                       1, 'idle' ],
	[ 'in a block',      "BEGIN;\nINSERT INTO t VALUES (1);", 1, 'idle in transaction' ],
	[
		'in a failed block', "BEGIN;\nSELECT 1 / 0;",
		1, 'idle in transaction (aborted)'
	],
	[
		'with a savepoint', "BEGIN;\nSAVEPOINT a;\nSELECT 1 / 0;",
		1, 'idle in transaction (aborted)'
	])
{
	my ($name, $sql, $xacts, $state) = @$case;

	case(
		"terminated $name",
		$xacts,
		sub {
			my ($session, $pid) = case_session();
			$session->query($sql);
			is(sql("SELECT state FROM pg_stat_activity WHERE pid = $pid"),
				$state, "state $name");
			is(sql("SELECT in_xact, idle_in_xact FROM pgpool_stats.instances
					 WHERE pool = '$pool'"),
				$state eq 'idle' ? '0|0' : '1|1', "in_xact $name");
			sql("SELECT pg_terminate_backend($pid, 10000)");
			eval { $session->quit };
		});
}
foreach my $how ('pg_terminate_backend', 'pg_cancel_backend')
{
	foreach my $block ('', "BEGIN;\n")
	{
		case(
			"$how while it runs" . ($block ? ' in a block' : ''),
			1,
			sub {
				my ($session, $pid) = case_session();
				send_sql($session, $pid, "${block}SELECT pg_sleep(600);",
					"wait_event = 'PgSleep'");
				sql("SELECT $how($pid)");
				eval { $session->quit };
			});
		case(
			"$how while it waits for a row" . ($block ? ' in a block' : ''),
			1,
			sub {
				my $other = background();
				$other->query_safe("BEGIN;\nDELETE FROM indexed");
				my ($session, $pid) = case_session();
				send_sql($session, $pid, "${block}DELETE FROM indexed;",
					"wait_event_type = 'Lock'");
				sql("SELECT $how($pid)");
				$other->query_safe('ROLLBACK');
				$other->quit;
				eval { $session->quit };
			});
		# outside a block nobody had heard of it yet
		case(
			"$how while it waits for a table" . ($block ? ' in a block' : ''),
			$block ? 1 : 0,
			sub {
				my $other = background();
				$other->query_safe("BEGIN;\nLOCK TABLE t");
				my ($session, $pid) = case_session();
				send_sql($session, $pid, "${block}INSERT INTO t VALUES (1);",
					"wait_event_type = 'Lock'");
				is(sql("SELECT in_xact FROM pgpool_stats.instances WHERE pool = '$pool'"),
					'1', 'who waits for a table is in a transaction');
				sql("SELECT $how($pid)");
				$other->query_safe('ROLLBACK');
				$other->quit;
				eval { $session->quit };
			});
	}
}
sql_case('statement_timeout', 2,
	"SET statement_timeout = '10ms';\nSELECT pg_sleep(600);\nSELECT 1;");
sql_case('statement_timeout in a block', 1,
	"SET statement_timeout = '10ms';\nBEGIN;\nSELECT pg_sleep(600);\nROLLBACK;");
case(
	'idle_in_transaction_session_timeout',
	1,
	sub {
		my ($session, $pid) = case_session();
		$session->query(
			"SET idle_in_transaction_session_timeout = '10ms';\nBEGIN;");
		gone();
		eval { $session->quit };
	});
case(
	'the client is killed in a block',
	1,
	sub {
		my ($session, $pid) = case_session();
		$session->query("BEGIN;\nSELECT 1;");
		$session->{run}->kill_kill;
	});

#
# FATAL while the session starts: who does not get in was never here
#
$pool = 'never';
sql('CREATE ROLE limited LOGIN CONNECTION LIMIT 0');
foreach my $params ([ '-U', 'limited' ], [ '-U', 'nobody' ], [ '-d', 'nothing' ])
{
	my ($ret) = run_sql('SELECT 1', params => $params);
	isnt($ret, 0, "no connection with @$params");
}
{
	my ($ret, $stdout, $stderr) = run_sql('SELECT 1',
		options => ' -c session_preload_libraries=no_such_library');
	isnt($ret, 0, 'no connection without a library');
	like($stderr, qr/no_such_library/, 'because of the library');
}
is(sql(q{SELECT coalesce(sum(xacts), 0), coalesce(sum(connections), 0),
			coalesce(sum(in_xact), 0), coalesce(sum(connects - disconnects), 0)
		  FROM pgpool_stats.instances WHERE pool = 'never'}),
	'0|0|0|0', 'nothing is left of a FATAL during start-up');

#
# The extended protocol
#
foreach my $mode ('simple', 'extended', 'prepared')
{
	my $prepares = $mode eq 'prepared';

	case(
		"pgbench -M $mode",
		100 + $prepares,
		sub {
			ok(run_pgbench("\\set a random(1, 20000)\nSELECT a FROM big WHERE a = :a;\n",
					'-M', $mode, '-t', '100'),
				"pgbench -M $mode runs");
		});
	case(
		"blocks of pgbench -M $mode",
		100 + $prepares,
		sub {
			ok(run_pgbench("BEGIN;\nINSERT INTO t VALUES (1);\nSELECT 1;\nCOMMIT;\n",
					'-M', $mode, '-t', '100'),
				"blocks of pgbench -M $mode run");
		});
	case(
		"pgbench -M $mode fails in a block",
		1 + $prepares,
		sub {
			ok(!run_pgbench("BEGIN;\nSELECT 1 / (:client_id * 0);\nCOMMIT;\n", '-M',
					$mode, '-t', '1'),
				"pgbench -M $mode fails");
		});
}
case('connections of pgbench -C',
	20, sub { run_pgbench("SELECT 1;\n", '-C', '-t', '20') });
case(
	'pipelines',
	50,
	sub {
		ok(run_pgbench("\\startpipeline\nSELECT 1;\nINSERT INTO t VALUES (1);\nSELECT 2;\n\\endpipeline\n",
				'-M', 'extended', '-t', '50'),
			'pipelines run');
	});
case(
	'prepared pipelines',
	53,
	sub {
		ok(run_pgbench("\\startpipeline\nSELECT 1;\nINSERT INTO t VALUES (1);\nSELECT 2;\n\\endpipeline\n",
				'-M', 'prepared', '-t', '50'),
			'prepared pipelines run');
	});
case(
	'blocks in pipelines',
	100,
	sub {
		ok(run_pgbench("\\startpipeline\nBEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nROLLBACK;\n\\endpipeline\n",
				'-M', 'extended', '-t', '50'),
			'blocks in pipelines run');
	});
case(
	'a pipeline that fails',
	1,
	sub {
		ok(!run_pgbench("\\startpipeline\nSELECT 1;\nSELECT 1 / (:client_id * 0);\nSELECT 2;\n\\endpipeline\n",
				'-M', 'extended', '-t', '1'),
			'the pipeline fails');
	});
case(
	'a block in a pipeline that fails',
	1,
	sub {
		ok(!run_pgbench("\\startpipeline\nBEGIN;\nSELECT 1 / (:client_id * 0);\nCOMMIT;\n\\endpipeline\n",
				'-M', 'extended', '-t', '1'),
			'the pipeline with a block fails');
	});
sql_case('cached plans', 6,
	"PREPARE p AS SELECT * FROM indexed;\nEXECUTE p;\nEXECUTE p;\nALTER TABLE indexed ADD b int;\nEXECUTE p;\nDEALLOCATE p;");

#
# Large objects by fast-path calls, COPY, cursors, LISTEN, workers
#
my $file = $node->basedir . '/object';
append_to_file($file, 'x' x 20000);
sql_case('fast-path calls', 3,
	"\\lo_import $file\n\\lo_export :LASTOID $file.out\n\\lo_unlink :LASTOID");
sql_case('fast-path calls that fail',
	3, "\\lo_unlink 1\n\\lo_export 1 $file.out\nSELECT 1;");
sql_case('fast-path calls in a block',
	1, "BEGIN;\n\\lo_import $file\n\\lo_unlink :LASTOID\nCOMMIT;");

sql_case('COPY', 3,
	"COPY indexed (a) TO STDOUT;\nCOPY t FROM STDIN;\n1\n2\n\\.\nCOPY (SELECT 1) TO STDOUT;");
sql_case('COPY that fails', 3,
	"COPY t FROM STDIN;\n1\nx\n\\.\nCOPY (SELECT 1 / a FROM generate_series(0, 1) a) TO STDOUT;\nSELECT 1;");
sql_case('COPY in a block',
	1, "BEGIN;\nCOPY t FROM STDIN;\nx\n\\.\nROLLBACK;");
case(
	'the client is killed in a COPY',
	1,
	sub {
		my ($session, $pid) = case_session();
		send_sql($session, $pid, 'COPY t FROM STDIN;', "query LIKE 'COPY%'");
		$session->{run}->kill_kill;
	});

sql_case('cursors over commit', 3,
	"BEGIN;\nDECLARE c CURSOR WITH HOLD FOR SELECT * FROM big;\nFETCH 5 FROM c;\nCOMMIT;\nFETCH 5 FROM c;\nCLOSE c;");
sql_case('a cursor over commit that fails there', 2,
	"BEGIN;\nDECLARE c CURSOR WITH HOLD FOR SELECT 1 / (a - 9) FROM big;\nFETCH 5 FROM c;\nCOMMIT;\nSELECT 1;");
sql_case('a portal per batch', 1,
	"\\set FETCH_COUNT 100\nSELECT * FROM big WHERE a <= 1000;");
case(
	'LISTEN',
	3,
	sub {
		my ($session, $pid) = case_session();
		$session->query_safe("LISTEN channel");
		sql('NOTIFY channel');
		$session->query_safe("NOTIFY channel");
		sql('NOTIFY channel');
		$session->query_safe("UNLISTEN *");
		$session->quit;
	});

my $parallel = sql(q{SELECT name FROM pg_settings
	  WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
sql_case('parallel queries', 3, qq{
	SET $parallel = on;
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SELECT count(*) FROM big;
	SELECT sum(1 / (a - 9)) FROM big;
	EXPLAIN (ANALYZE, COSTS OFF) SELECT count(*) FROM big;
});
sql_case('DISCARD ALL after work', 3, q{
	CREATE TEMP TABLE mine (a int);
	PREPARE p AS SELECT 1;
	LISTEN channel;
	DISCARD ALL;
});

# utilities that run transactions of their own
sql_case('VACUUM', 2, "VACUUM big;\nANALYZE big;");
sql_case('indexes made concurrently', 3,
	"CREATE INDEX CONCURRENTLY i ON indexed (a);\nREINDEX INDEX CONCURRENTLY i;\nDROP INDEX CONCURRENTLY i;");

#
# With many sessions at once
#
case(
	'everything at once',
	2000,
	sub {
		ok(run_pgbench("\\set failing random(0, 3)\nBEGIN;\n\\if :failing = 0\nSAVEPOINT a;\nINSERT INTO t VALUES (1);\nROLLBACK TO a;\n\\endif\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 2;\n\\if :failing = 1\nROLLBACK;\n\\else\nEND;\n\\endif\n",
				'-c', '20', '-j', '2', '-t', '50'),
			'many sessions');
	});

is(sql('SELECT count(*) FROM pgpool_stats.instances
		 WHERE in_xact <> 0 AND source = \'label\''),
	'0', 'nobody is in a transaction');
$node->stop;
unlike(slurp_file($node->logfile),
	qr/PANIC|signal 11|signal 6|TRAP/, 'nothing crashed');
done_testing();
