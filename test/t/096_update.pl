# From this release to the next one: test/suite has built one beside ours, with the
# step to it (test/next).  What a database has after the step is what a new one gets.

use strict;
use warnings;
use PgpoolStats;

plan skip_all => 'test/suite builds the next release' if !$ENV{NEXT_PATH};

# All that belongs to an extension: how it is defined, who may use it, what is said
# of it
my $members = q{
	WITH member AS (
		SELECT classid, objid FROM pg_depend
		WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
			AND refobjid IN (SELECT oid FROM pg_extension WHERE extname ~ '^pgpool_stats')
	), fact AS (
		SELECT classid, objid, 0 AS part, coalesce(
			(SELECT pg_get_functiondef(oid) || coalesce(proacl::text, '') FROM pg_proc WHERE oid = objid AND classid = 'pg_proc'::regclass),
			(SELECT relkind::text || coalesce(relacl::text, '') || coalesce(reloptions::text, '') || coalesce(pg_get_viewdef(oid), '')
				FROM pg_class WHERE oid = objid AND classid = 'pg_class'::regclass),
			(SELECT coalesce(nspacl::text, '') FROM pg_namespace WHERE oid = objid AND classid = 'pg_namespace'::regclass),
			'') AS definition
		FROM member
		UNION ALL
		SELECT classid, objid, attnum, format_type(atttypid, atttypmod) || attnotnull || coalesce(attacl::text, '')
		FROM member JOIN pg_attribute ON attrelid = objid AND classid = 'pg_class'::regclass
		WHERE attnum > 0 AND NOT attisdropped
	)
	SELECT * FROM (
		SELECT pg_describe_object(fact.classid, fact.objid, part) AS object, definition, description
		FROM fact
		LEFT JOIN pg_description AS d ON (d.classoid, d.objoid, d.objsubid) = (fact.classid, fact.objid, part)) AS described
	ORDER BY object COLLATE "C"};
my $versions = 'SELECT extname, extversion FROM pg_extension WHERE extname ~ $$^pgpool_stats$$ ORDER BY 1';

my $ours = start_node();
my $version = sql(q{SELECT extversion FROM pg_extension WHERE extname = 'pgpool_stats'});
my $next = $version =~ s/(\d+)$/$1 + 1/er;
sql('CREATE EXTENSION pgpool_stats_fleet CASCADE');
sql('CREATE ROLE app');
sql('CREATE VIEW mine AS SELECT key, tested_with FROM pgpool_stats.dialects');
sql('GRANT SELECT ON mine TO app');
report('shop', '{"checkouts": 5}', instance => 'a:1');
$ours->stop;
$ours->backup_fs_cold('before');

#
# The next library runs with the SQL of this one
#
my $upgraded = PostgreSQL::Test::Cluster->new('upgraded', install_path => $ENV{NEXT_PATH});
$upgraded->init_from_backup($ours, 'before');
$upgraded->start;
is($upgraded->safe_psql('postgres', 'SELECT version FROM pgpool_stats.info'), $next, 'the library is the next one');
is($upgraded->safe_psql('postgres', $versions), "pgpool_stats|$version\npgpool_stats_fleet|$version", 'SQL is not');
is($upgraded->safe_psql('postgres', q{SELECT checkouts FROM pgpool_stats.pools WHERE pool = 'shop'}),
	5, 'what was counted is still there');
my ($status, undef, $error) = $upgraded->psql('postgres', 'SELECT * FROM mine');
like($error, qr/ERROR: .*the library makes "since" text, SQL declares none\n.*HINT: .*ALTER EXTENSION pgpool_stats UPDATE/s,
	'a view that has changed says what to do');

#
# The step
#
$upgraded->safe_psql('postgres', "ALTER EXTENSION $_ UPDATE") foreach 'pgpool_stats', 'pgpool_stats_fleet';
is($upgraded->safe_psql('postgres', $versions), "pgpool_stats|$next\npgpool_stats_fleet|$next", 'both are the next ones');
is($upgraded->safe_psql('postgres', 'SELECT DISTINCT since FROM pgpool_stats.dialects'), 'the next release', 'there is a new column');
is($upgraded->safe_psql('postgres', 'SET ROLE app; SELECT count(*) > 0 FROM mine'), 't', "a user's view works, and his rights");

$upgraded->safe_psql('postgres', 'CREATE DATABASE fresh');
$upgraded->safe_psql('fresh', 'CREATE EXTENSION pgpool_stats; CREATE EXTENSION pgpool_stats_fleet CASCADE');
my ($updated, $fresh) = map { $upgraded->safe_psql($_, $members) } 'postgres', 'fresh';
cmp_ok(length $fresh, '>', 10000, 'members of a new one are described');
is($updated, $fresh, 'they are the same after the step');

$upgraded->stop;
done_testing();
