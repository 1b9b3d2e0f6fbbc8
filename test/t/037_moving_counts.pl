# Counts move from sessions to instances, from instances to pools, and to
# nothing by reset(), while somebody reads: nothing is seen twice, missed for a
# moment, or comes back, and nobody seems to be busy who is not.

use strict;
use warnings;
use PgpoolStats;

my ($clients, $each) = (8, 300);

my $node = start_node(q{
max_connections = 40
pgpool_stats.max_instances = 16
pgpool_stats.save = off
});
sql(q{
	CREATE ROLE app LOGIN;
	CREATE TABLE wrong (what text);
	CREATE TABLE ended (what text);
	CREATE SEQUENCE begun;
	GRANT ALL ON begun TO app;
});

# A session that does something again and again until so many have ended, and
# writes down what is wrong
sub looks_on
{
	my ($declare, $loop, $until) = @_;
	my $session = background();

	$session->query_until(qr/sent/, qq{\\echo sent
DO \$\$
DECLARE
	looks int := 0;
	$declare
BEGIN
	WHILE (SELECT count(*) FROM ended) < $until LOOP
		$loop
		looks := looks + 1;
	END LOOP;
	IF looks = 0 THEN
		INSERT INTO wrong VALUES ('nobody looked');
	END IF;
END \$\$;
});
	return $session;
}

# Clients of the application, with arguments of pgbench
sub app_runs
{
	my ($script, @arguments) = @_;

	return pgbench($script, $node->connstr('postgres') . ' user=app',
		'-c', $clients, @arguments);
}

# Wait for clients, then for those who look on
sub end
{
	my ($running, @looking) = @_;

	$_->finish or die 'pgbench failed' foreach @$running;
	sql(q{INSERT INTO ended VALUES ('run')});
	$_->quit foreach @looking;
	is(sql('SELECT count(*), min(what) FROM wrong'), '0|', 'nothing was wrong');
	sql('TRUNCATE wrong');
	wait_for(q{SELECT sum(connections) = 0 FROM pgpool_stats.pools
		WHERE usename = 'app'});
	return;
}

#
# Each transaction under another label or on another connection, among more
# instances than there is room for: sums never fall
#
my $sums_rise = q{
	SELECT array[sum(xacts), sum(total_xact_time), sum(connects),
			sum(disconnects)]
		INTO now FROM pgpool_stats.%s WHERE usename = 'app';
	FOR i IN 1 .. 4 LOOP
		IF now[i] < last[i] THEN
			INSERT INTO wrong VALUES (format('%%s after %%s', now, last));
		END IF;
	END LOOP;
	last := now;
};
my @looking = looks_on('last float8[]; now float8[];',
	sprintf($sums_rise, 'pools'), 1);
my $script = q{
\set i random(1, 6)
SET pgpool_stats.pool = 'p:i';
SET pgpool_stats.instance = 'c:client_id-:i';
SELECT 1;
};
end(
	[
		app_runs($script, '-t', 2 * $each),
		app_runs($script, '-C', '-t', $each / 10)
	],
	@looking);

my $xacts = $clients * (2 * $each + $each / 10);
# pgbench connects once more to look at the server
my $connects = $clients * (1 + $each / 10) + 2;
is( sql(q{SELECT sum(xacts), sum(connects), sum(disconnects)
		FROM pgpool_stats.pools WHERE usename = 'app'}),
	"$xacts|$connects|$connects", 'all are counted, and none twice');
cmp_ok(sql('SELECT dropped FROM pgpool_stats.info'),
	'>', 0, 'some instances gave way');

#
# reset() against running sessions: what was counted before does not come back
#
@looking = looks_on(
	'before int8; after int8; counted int8;',
	qq{
		SELECT last_value INTO before FROM begun;
		PERFORM pgpool_stats.reset('r');
		SELECT coalesce(sum(xacts), 0) INTO counted FROM pgpool_stats.pools
			WHERE pool = 'r';
		SELECT last_value INTO after FROM begun;
		IF counted > after - before + $clients THEN
			INSERT INTO wrong VALUES (format('%s of %s to %s', counted,
				before, after));
		END IF;
}, 2);
$script = q{
\set i random(1, 2)
SET pgpool_stats.pool = 'r';
SET pgpool_stats.instance = 'c:client_id-:i';
SELECT nextval('begun');
};
end([ app_runs($script, '-t', 4 * $each) ], @looking);

# afterwards it is exact, also for who has counted before
my @sessions = sessions(3, 'exact', as => 'app');
foreach my $session (@sessions)
{
	$session->query_safe("SELECT 1;\n") foreach 1 .. 3;
}
sql(q{SELECT pgpool_stats.reset('exact')});
is(figures('exact', 'xacts, total_xact_time, xact_time_p50'),
	'0|0|', 'nothing is counted');
$sessions[0]->query_safe("SELECT 2;\n") foreach 1 .. 2;
$sessions[1]->query_safe("SET pgpool_stats.instance = 'j';\nSELECT 2;\n");
$sessions[2]->quit;
is( sql(q{SELECT string_agg(instance || ' ' || xacts, ', ' ORDER BY instance)
		FROM pgpool_stats.instances WHERE pool = 'exact'}),
	'i 2, j 1', 'only what came after, wherever it is counted');
is( sql(q{SELECT string_agg(xacts::text, ',' ORDER BY xacts)
		FROM pgpool_stats.connections WHERE pool = 'exact'}),
	'4,5', 'a session keeps what is its own');
$_->quit foreach @sessions[ 0, 1 ];

#
# One connection each, which goes to and fro between two labels: there is never
# more than one in a transaction, whatever the collector sees
#
$script = q{
\set i random(1, 2)
SET pgpool_stats.pool = 'peak';
SET pgpool_stats.pool_size = 2;
SET pgpool_stats.instance = 'c:client_id-:i';
SELECT 1;
};
end([ app_runs($script, '-t', 4 * $each) ]);
next_pass();
is( sql(q{SELECT max(peak_in_xact), sum(exhausted_count)
		FROM pgpool_stats.instances WHERE pool = 'peak'}),
	'1|0', 'no false peak, and no false exhaustion');

$node->stop;
done_testing();
