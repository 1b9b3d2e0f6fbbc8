# Names that nobody should have, and that somebody has: ours, and those that a
# database in another encoding cannot read.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node("log_min_messages = warning\n");
sql(q{
	CREATE ROLE app LOGIN;
	CREATE ROLE "(server)" LOGIN;
	CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
});

#
# "(server)" and "(other)" are ours, however somebody calls himself
#
sql(q{SELECT pgpool_stats.report('(server)', '{"pool_size": 1}', 'i'), pgpool_stats.report('(other)', '{"pool_size": 1}', 'i')}, as => 'app');
session('(other)', as => 'app')->quit;
foreach my $called ('app (not accounted)', 'app [1 of 2 busy](other)', '(server) ')
{
	my ($role, $application) = split / /, $called, 2;

	local $ENV{PGAPPNAME} = $application;
	sql('SELECT 1', as => $role);
}
is(sql(q{SELECT usename, string_agg(pool, ' ' ORDER BY pool) FROM pgpool_stats.pools WHERE pool ~ '\)$' GROUP BY 1 ORDER BY 1}),
	"(server)|?server)\napp|?not accounted) ?other) ?server)", 'they become others');
is(sql(q{SELECT count(*), count(usename) FROM pgpool_stats.usage WHERE pool ~ '^\('}, as => 'monitor'), '2|0', 'what stands in parentheses is what it says');
is(sql(q{SELECT overflowed_instances, notes FROM pgpool_stats.info}), '0|', 'and nobody takes the registry to be full');
like(sql('SELECT pgpool_stats.report_html()', as => 'monitor'), qr/^<!DOCTYPE.*html>$/s, 'a page has one row of the server');
is(sql(q{SELECT pgpool_stats.forget('(server)', 'i')}, as => 'app'), 't', 'who named it finds it');

#
# A label by ALTER ROLE is cut and cleaned as every label is, also of whom it
# never reached
#
sql(q{CREATE ROLE late LOGIN CONNECTION LIMIT 1; ALTER ROLE late SET pgpool_stats.pool = '(bücher)'});
my $only = background(as => 'late');
isnt(psql('SELECT 1', as => 'late'), 0, 'rejected');
is(sql(q{SELECT pool, rejected FROM pgpool_stats.pools WHERE usename = 'late'}), '?b??cher)|1', 'counted for the pool');
is(sql(q{SELECT pool FROM pgpool_stats.rejections WHERE usename = 'late'}), '?b??cher)', 'under its name');
$only->quit;

#
# Names in another encoding: core shows them as they are, and no client that
# wants text can read them.
#
sql(q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
sql(q{CREATE DATABASE utf TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'});
sql(q{SET client_encoding = 'UTF8'; CREATE ROLE "käse" LOGIN CONNECTION LIMIT 0; CREATE DATABASE "döner" TEMPLATE template0}, on => 'latin');
sql('CREATE EXTENSION pgpool_stats', on => 'utf');
my $odd = sql(q{SELECT datname FROM pg_database WHERE datname ~ 'ner$'}, on => 'latin');
my $there = session('there', on => $odd);
foreach my $column ('pools.datname', 'sessions.datname', 'budget.name', 'overview.database')
{
	my ($view, $name) = split /\./, $column;

	is(sql(qq{SELECT DISTINCT $name FROM pgpool_stats.$view WHERE $name ~ '^d.*ner'}, on => 'utf'), 'd?ner', "$column can be read");
}
$there->quit;
is(sql(q{SELECT name FROM pgpool_stats.budget WHERE name ~ 'se$'}, on => 'utf'), 'k?se', 'so can a role');
is(sql(q{SELECT DISTINCT labels ->> 'datname' FROM pgpool_stats.metrics WHERE labels ->> 'datname' ~ 'ner$'}, on => 'utf'), 'd?ner', 'so can metrics');

# a name that is cut is cut between characters
sql('CREATE DATABASE "kassenübersicht"');
$there = session('long', on => 'kassenübersicht');
is(sql(q{SELECT database FROM pgpool_stats.overview WHERE pool = 'long'}), 'kassen~', 'a long name in the overview');
$there->quit;

done_testing();
