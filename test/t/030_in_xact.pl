# Whatever a transaction ends with, it is counted as often as a DBA would, and
# nobody is left "in a transaction".  What protocols and utilities do to it is in
# 030_in_xact_protocol.pl, what a case is in XactCases.pm.
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
use XactCases;

start_cases();
sql(q{
	CREATE TABLE deferred (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);
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

end_cases();
