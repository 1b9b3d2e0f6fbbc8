# 100,000 mutations of the documents of all pool libraries, strict and not,
# in a build with sanitizers: no crash, nothing slow, no error but those that
# report() promises, and no pool that is ok although it does not tell what is
# lent, and nothing says so.

use strict;
use warnings;
use PgpoolStats;
use Sanitized;

my $seed = $ENV{FUZZ_SEED} || 20260101;
my $count = $ENV{FUZZ_COUNT} || 100_000;

my $node = start_sanitized(q{
log_min_messages = fatal
log_statement = none
log_min_error_statement = panic
});

my $dir = PostgreSQL::Test::Utils::tempdir();
my $documents = "$dir/documents";
my @files = sort grep { !/errors/ } glob('sql/*.sql test/dialects/*');
system("$^X test/fuzz/mutate.pl $seed $count @files >$documents") == 0
  or BAIL_OUT('cannot make documents');

sql(qq{
	CREATE UNLOGGED TABLE document (n serial, json text);
	CREATE UNLOGGED TABLE result (n int, strict bool, state text, message text, ms float8);
	CREATE UNLOGGED TABLE silent (n int, instance text, dialect text);
	COPY document (json) FROM '$documents' (FORMAT csv);
});
sql(q{
	CREATE PROCEDURE fuzz() LANGUAGE plpgsql AS $$
	DECLARE
		d record;
		is_strict bool;
		started timestamptz;
		stats jsonb;
	BEGIN
		FOR d IN SELECT * FROM document ORDER BY n LOOP
			BEGIN
				stats := d.json;
			EXCEPTION WHEN OTHERS THEN
				INSERT INTO result VALUES (d.n, NULL, 'no JSON', sqlerrm, 0);
				CONTINUE;
			END;
			FOREACH is_strict IN ARRAY '{f,t}'::bool[] LOOP
				PERFORM set_config('pgpool_stats.strict_reports', is_strict::text, true);
				started := clock_timestamp();
				BEGIN
					PERFORM pgpool_stats.report('fuzz', stats, (d.n % 7)::text);
					INSERT INTO result VALUES (d.n, is_strict, 'ok', NULL,
						extract(epoch FROM clock_timestamp() - started) * 1000);
				EXCEPTION WHEN OTHERS THEN
					INSERT INTO result VALUES (d.n, is_strict, sqlstate, sqlerrm,
						extract(epoch FROM clock_timestamp() - started) * 1000);
				END;
			END LOOP;
			-- before any row is reported again
			IF d.n % 7 = 0 THEN
				INSERT INTO silent SELECT d.n, instance, dialect FROM pgpool_stats.instances
				WHERE pool = 'fuzz' AND checked_out IS NULL AND NOT EXISTS (
					SELECT FROM regexp_split_to_table(notes, '; ') AS note
					WHERE note NOT LIKE 'no connection here has had its label%');
			END IF;
		END LOOP;
	END $$;
});

my ($rc, $out, $err) = $node->psql('postgres', 'CALL fuzz()', timeout => 1800);
is($rc, 0, 'the server survives') or diag($err, slurp_file($node->logfile));

my $figures = sql(q{
	SELECT format('%s reports, strict %s: %s taken, %s raised, slowest %s ms, mean %s us', count(*), strict,
		count(*) FILTER (WHERE state = 'ok'), count(*) FILTER (WHERE state <> 'ok'),
		round(max(ms)::numeric, 1), round(avg(ms)::numeric * 1000, 1))
	FROM result WHERE strict IS NOT NULL GROUP BY strict ORDER BY strict});
note($figures);
note(sql(q{
	SELECT strict, state, count(*), (SELECT count(DISTINCT dialect) FROM pgpool_stats.instances)
	FROM result GROUP BY 1, 2 ORDER BY 1, 2}));

cmp_ok(sql('SELECT count(*) FROM result WHERE strict IS NOT NULL'),
	'>=', 2 * $count * 0.98, 'all documents were reported, strict and not');
is(sql(q{SELECT DISTINCT state, message FROM result
	WHERE strict IS NOT NULL AND state <> 'ok' AND state !~ '^(22|54)'}),
	'', 'errors are of class 22 and 54');
is(sql(q{SELECT DISTINCT state, message FROM result
	WHERE NOT strict AND state <> 'ok'
	AND message NOT IN ('pool statistics have no key that is known',
		'pool statistics are a text that is not known',
		'pool statistics must be a JSON object, an array of objects, or a text')
	AND message !~ '^pool statistics have (\d+ rows|an unknown dialect: )'}),
	'', 'not strict, only what is no statistics raises');
is(sql(q{SELECT count(*) FROM result s JOIN result l USING (n)
	WHERE s.strict AND NOT l.strict AND s.state = 'ok' AND l.state <> 'ok'}),
	'0', 'strict takes nothing that is not taken otherwise');
is(sql('SELECT n, instance, dialect FROM silent LIMIT 5'),
	'', 'whoever does not tell what is lent has a note of it');
is(sql('SELECT n, ms FROM result WHERE ms > 2000'),
	'', 'nothing is slow');

# whatever was reported can be read
sql('SELECT count(*) FROM pgpool_stats.' . $_)
  foreach qw(instances pools overview budget);
stop_sanitized();

done_testing();
