# Transactions of the extended protocol, of large objects, COPY, cursors, LISTEN,
# parallel workers and utilities, and of many sessions at once: they are counted
# as 030_in_xact.pl says.

use strict;
use warnings;
use PgpoolStats;
use XactCases;

my $node = start_cases();

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

end_cases();
