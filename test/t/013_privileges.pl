
# Who may do what, and who sees what.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.sample_interval = 100ms
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pgpool_stats;
	REVOKE CREATE ON SCHEMA public FROM PUBLIC;
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE stats LOGIN IN ROLE pg_read_all_stats;
	CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
	CREATE ROLE team LOGIN;
	CREATE ROLE member LOGIN IN ROLE team;
	CREATE ROLE noinherit LOGIN NOINHERIT IN ROLE team;
	CREATE FUNCTION report_as_owner(pool text, checkouts int) RETURNS boolean
	LANGUAGE sql SECURITY DEFINER AS $$
		SELECT pgpool_stats.report(pool,
			jsonb_build_object('checkouts', checkouts), 'i')
	$$;
	GRANT bob TO alice;
	REVOKE bob FROM alice;
});

sub query
{
	my ($role, $sql) = @_;

	return $node->safe_psql('postgres', $sql,
		extra_params => [ '-U', $role ]);
}

sub fails
{
	my ($role, $sql, $error, $name) = @_;

	my ($ret, $stdout, $stderr) = $node->psql('postgres', $sql,
		extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	isnt($ret, 0, "$name: fails");
	like($stderr, $error, "$name: says why");
	return;
}

sub owners
{
	my ($role) = @_;

	return query($role,
		q{SELECT string_agg(usename || ' ' || checkouts, ', ' ORDER BY usename)
		  FROM pgpool_stats.pools WHERE pool = 'orders'});
}

# A role without any grants can report and sees its own rows.
is( query(
		'alice',
		q{SELECT pgpool_stats.report('orders', '{"checkouts": 10}', 'i')}),
	't',
	'a role without any grants can report');
is(owners('alice'), 'alice 10', 'and sees its own rows');
is( query(
		'bob', q{SELECT pgpool_stats.report('orders', '{"checkouts": 1}', 'i')}
	),
	't',
	'another role reports for a pool of the same name');
is(owners('bob'), 'bob 1', 'and sees its own');
is(owners('alice'), 'alice 10', "it did not write the first one's");
foreach my $view ('pools', 'instances')
{
	is( query('alice', "SELECT string_agg(DISTINCT usename, ',') FROM pgpool_stats.$view"),
		'alice',
		"$view: nothing of other roles");
}
is( query(
		'alice',
		q{SELECT count(*) FROM pgpool_stats.overview WHERE pool = 'orders'}),
	'1',
	'overview: own pools, folded');
is( query(
		'team',
		q{SELECT string_agg(pool, ',' ORDER BY pool) FROM pgpool_stats.overview
		  WHERE pool <> '(server)' AND pool !~ 'privileges'}),
	'',
	'overview: nothing of other roles');
is(query('alice', 'SELECT sees_all FROM pgpool_stats.info'),
	'f', 'info says that this is not all');

# Members see what the role they are members of sees, if they inherit.
is( query(
		'team', q{SELECT pgpool_stats.report('orders', '{"checkouts": 5}', 'i')}
	),
	't',
	'a group reports');
is(owners('member'), 'team 5', 'a member sees its rows');
is(owners('noinherit'), '', 'not one that does not inherit');
is( query(
		'noinherit',
		q{SET ROLE team;
		  SELECT usename FROM pgpool_stats.pools WHERE pool = 'orders'}),
	'team',
	'unless it sets the role');

# Who reads all
foreach my $role ('stats', 'monitor', 'postgres')
{
	is(owners($role), 'alice 10, bob 1, team 5', "$role sees all rows");
	is(query($role, 'SELECT sees_all FROM pgpool_stats.info'),
		't', 'and info says so');
}

# The budget is complete for everybody.
foreach my $role ('alice', 'stats')
{
	is( query(
			$role, q{
			SELECT count(*) FILTER (WHERE scope = 'server'),
				string_agg(name, ',' ORDER BY name)
					FILTER (WHERE scope = 'role' AND
							name IN ('alice', 'bob', 'team')),
				sum(committed) > 0
			FROM pgpool_stats.budget}),
		'1|alice,bob,team|t',
		"the budget is complete for $role");
}
is( query('alice', q{SELECT fits FROM pgpool_stats.check_budget(5)}),
	't', 'everybody can check a plan');
is( query(
		'alice',
		q{SELECT scope FROM pgpool_stats.check_budget(5, role => 'bob')}),
	'server',
	'for another role, too');
is( query('alice', q{SELECT pgpool_stats.assert_plan('[{"pool_size": 5}]')}),
	'fits', 'and assert it');

# reset
fails('alice', 'SELECT pgpool_stats.reset()',
	qr/ERROR:  42501: permission denied for function reset/, 'reset of all');
fails('alice', q{SELECT pgpool_stats.reset('orders', 'alice')},
	qr/42501/, 'reset of an own pool');
fails('monitor', 'SELECT pgpool_stats.reset()', qr/42501/,
	'reset by pg_monitor');
is(owners('stats'), 'alice 10, bob 1, team 5', 'nothing was reset');
query('postgres', q{SELECT pgpool_stats.reset('orders', 'bob')});
is(owners('stats'), 'alice 10, bob 0, team 5', 'reset of one pool');
query('postgres',
	'GRANT EXECUTE ON FUNCTION pgpool_stats.reset(text, name) TO monitor');
query('monitor', q{SELECT pgpool_stats.reset(usename => 'team')});
is(owners('stats'), 'alice 10, bob 0, team 0',
	'reset can be granted, and works by role');

# forget is for the own instance
is( query('bob', q{SELECT pgpool_stats.forget('orders', 'no-such')}),
	'f', 'forget what never was');
is( query('alice', q{SELECT pgpool_stats.forget('orders', 'i')}),
	't', 'forget an own instance');
is( query(
		'stats',
		q{SELECT string_agg(usename, ',' ORDER BY usename)
		  FROM pgpool_stats.instances
		  WHERE pool = 'orders' AND source = 'report'}),
	'bob,team',
	"others' of the same name stay");

# A report acts on the role that logged in.
query(
	'noinherit', q{
	SET ROLE team;
	SELECT pgpool_stats.report('by-set-role', '{"checkouts": 1}', 'i')});
query('alice', q{SELECT report_as_owner('by-definer', 2)});
query(
	'postgres', q{
	SET SESSION AUTHORIZATION bob;
	SELECT pgpool_stats.report('by-session', '{"checkouts": 3}', 'i')});
is( query(
		'stats', q{
		SELECT pool, usename, checkouts FROM pgpool_stats.pools
		WHERE pool LIKE 'by-%' ORDER BY 1}),
	"by-definer|alice|2\nby-session|postgres|3\nby-set-role|noinherit|1",
	'a report acts on the login role, whatever role is set');

# What is behind the views is not a way around them.
is( query(
		'alice',
		q{SELECT string_agg(DISTINCT usename, ',')
		  FROM pgpool_stats.get_pools()}),
	'alice',
	'nor are the functions behind the views');

# Views are as much as their reader may see, not their owner
query(
	'postgres', q{
	CREATE VIEW public.all_pools AS SELECT * FROM pgpool_stats.pools;
	GRANT SELECT ON public.all_pools TO alice});
is( query('alice', q{SELECT count(*) FROM public.all_pools WHERE usename <> 'alice'}),
	'0', "a view on a view shows its reader's rows");

# Settings
fails(
	'alice',
	'SET pgpool_stats.track = none',
	qr/55P02|cannot be changed now/,
	'a setting of the server');
is( query('alice', q{SET pgpool_stats.strict_reports = on; SHOW pgpool_stats.strict_reports}),
	'on', 'strict_reports is for everybody');

$node->stop;
done_testing();
