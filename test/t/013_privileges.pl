# Who may do what, and who sees what.

use strict;
use warnings;
use PgpoolStats;

my $node = start_node();
sql(q{
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

sub fails
{
	my ($role, $sql, $error, $name) = @_;

	my ($ret, $stdout, $stderr) = psql($sql, as => $role,
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	isnt($ret, 0, "$name: fails");
	like($stderr, $error, "$name: says why");
	return;
}

sub owners
{
	my ($role) = @_;

	return sql(q{SELECT string_agg(usename || ' ' || checkouts, ', ' ORDER BY usename)
		  FROM pgpool_stats.pools WHERE pool = 'orders'}, as => $role);
}

# A role without any grants can report and sees its own rows.
is(sql(q{SELECT pgpool_stats.report('orders', '{"checkouts": 10}', 'i')}, as => 'alice'),
	't', 'a role without any grants can report');
is(owners('alice'), 'alice 10', 'and sees its own rows');
is(sql(q{SELECT pgpool_stats.report('orders', '{"checkouts": 1}', 'i')}, as => 'bob'),
	't', 'another role reports for a pool of the same name');
is(owners('bob'), 'bob 1', 'and sees its own');
is(owners('alice'), 'alice 10', "it did not write the first one's");
foreach my $view ('pools', 'instances')
{
	is(sql("SELECT string_agg(DISTINCT usename, ',') FROM pgpool_stats.$view", as => 'alice'),
		'alice', "$view: nothing of other roles");
}
is(sql(q{SELECT count(*) FROM pgpool_stats.overview WHERE pool = 'orders'}, as => 'alice'),
	'1', 'overview: own pools, folded');
is(sql(q{SELECT string_agg(pool, ',' ORDER BY pool) FROM pgpool_stats.overview
		  WHERE pool <> '(server)' AND pool !~ 'privileges'}, as => 'team'),
	'', 'overview: nothing of other roles');
is(sql('SELECT sees_all FROM pgpool_stats.info', as => 'alice'),
	'f', 'info says that this is not all');

# Members see what the role they are members of sees, if they inherit.
is(sql(q{SELECT pgpool_stats.report('orders', '{"checkouts": 5}', 'i')}, as => 'team'),
	't', 'a group reports');
is(owners('member'), 'team 5', 'a member sees its rows');
is(owners('noinherit'), '', 'not one that does not inherit');
is(sql(q{SET ROLE team;
		  SELECT usename FROM pgpool_stats.pools WHERE pool = 'orders'}, as => 'noinherit'),
	'team', 'unless it sets the role');

# Who reads all
foreach my $role ('stats', 'monitor', 'postgres')
{
	is(owners($role), 'alice 10, bob 1, team 5', "$role sees all rows");
	is(sql('SELECT sees_all FROM pgpool_stats.info', as => $role),
		't', 'and info says so');
}

# The budget is complete for everybody.
foreach my $role ('alice', 'stats')
{
	is(sql(q{
			SELECT count(*) FILTER (WHERE scope = 'server'),
				string_agg(name, ',' ORDER BY name)
					FILTER (WHERE scope = 'role' AND
							name IN ('alice', 'bob', 'team')),
				sum(committed) > 0
			FROM pgpool_stats.budget}, as => $role),
		'1|alice,bob,team|t', "the budget is complete for $role");
}
is(sql(q{SELECT fits FROM pgpool_stats.check_budget(5)}, as => 'alice'),
	't', 'everybody can check a plan');
is(sql(q{SELECT scope FROM pgpool_stats.check_budget(5, role => 'bob')}, as => 'alice'),
	'server', 'for another role, too');
is(sql(q{SELECT pgpool_stats.assert_plan('[{"pool_size": 5}]')}, as => 'alice'),
	'fits', 'and assert it');

# reset
fails('alice', 'SELECT pgpool_stats.reset()',
	qr/ERROR:  42501: permission denied for function reset/, 'reset of all');
fails('alice', q{SELECT pgpool_stats.reset('orders', 'alice')},
	qr/42501/, 'reset of an own pool');
fails('monitor', 'SELECT pgpool_stats.reset()', qr/42501/,
	'reset by pg_monitor');
is(owners('stats'), 'alice 10, bob 1, team 5', 'nothing was reset');
sql(q{SELECT pgpool_stats.reset('orders', 'bob')}, as => 'postgres');
is(owners('stats'), 'alice 10, bob 0, team 5', 'reset of one pool');
sql('GRANT EXECUTE ON FUNCTION pgpool_stats.reset(text, name) TO monitor', as => 'postgres');
sql(q{SELECT pgpool_stats.reset(usename => 'team')}, as => 'monitor');
is(owners('stats'), 'alice 10, bob 0, team 0',
	'reset can be granted, and works by role');

# forget is for the own instance
is(sql(q{SELECT pgpool_stats.forget('orders', 'no-such')}, as => 'bob'),
	'f', 'forget what never was');
is(sql(q{SELECT pgpool_stats.forget('orders', 'i')}, as => 'alice'),
	't', 'forget an own instance');
is(sql(q{SELECT string_agg(usename, ',' ORDER BY usename)
		  FROM pgpool_stats.instances
		  WHERE pool = 'orders' AND source = 'report'}, as => 'stats'),
	'bob,team',
	"others' of the same name stay");

# A report acts on the role that logged in.
sql(q{
	SET ROLE team;
	SELECT pgpool_stats.report('by-set-role', '{"checkouts": 1}', 'i')}, as => 'noinherit');
sql(q{SELECT report_as_owner('by-definer', 2)}, as => 'alice');
sql(q{
	SET SESSION AUTHORIZATION bob;
	SELECT pgpool_stats.report('by-session', '{"checkouts": 3}', 'i')}, as => 'postgres');
is(sql(q{
		SELECT pool, usename, checkouts FROM pgpool_stats.pools
		WHERE pool LIKE 'by-%' ORDER BY 1}, as => 'stats'),
	"by-definer|alice|2\nby-session|postgres|3\nby-set-role|noinherit|1",
	'a report acts on the login role, whatever role is set');

# What is behind the views is not a way around them.
is(sql(q{SELECT string_agg(DISTINCT usename, ',')
		  FROM pgpool_stats.get_pools()}, as => 'alice'),
	'alice', 'nor are the functions behind the views');

# Views are as much as their reader may see, not their owner
sql(q{
	CREATE VIEW public.all_pools AS SELECT * FROM pgpool_stats.pools;
	GRANT SELECT ON public.all_pools TO alice}, as => 'postgres');
is(sql(q{SELECT count(*) FROM public.all_pools WHERE usename <> 'alice'}, as => 'alice'),
	'0', "a view on a view shows its reader's rows");

# Settings
fails(
	'alice',
	'SET pgpool_stats.track = none',
	qr/55P02|cannot be changed now/,
	'a setting of the server');
is(sql(q{SET pgpool_stats.strict_reports = on; SHOW pgpool_stats.strict_reports}, as => 'alice'),
	'on', 'strict_reports is for everybody');

# Who may make schemas has not made ours: what is in it would be called.
sql(q{CREATE DATABASE prepared});
foreach my $extension ('pgpool_stats', 'pgpool_stats_fleet')
{
	foreach my $whose ([ 'Role "alice"', "CREATE SCHEMA $extension AUTHORIZATION alice" ],
		[ 'Role "alice"', "CREATE SCHEMA $extension; GRANT CREATE ON SCHEMA $extension TO alice" ],
		[ 'Everybody', "CREATE SCHEMA $extension; GRANT CREATE ON SCHEMA $extension TO PUBLIC" ])
	{
		my ($who, $made) = @$whose;

		sql($made, on => 'prepared');
		my ($ret, undef, $stderr) = psql("CREATE EXTENSION $extension CASCADE", on => 'prepared');
		isnt($ret, 0, "$extension is not created in a stranger's schema");
		like($stderr, qr/ERROR:  schema "$extension" may have objects of somebody who is no superuser\nDETAIL:  $who may create in it\./, 'and it is said why');
		sql("DROP SCHEMA $extension", on => 'prepared');
	}
	sql("CREATE SCHEMA $extension; GRANT USAGE ON SCHEMA $extension TO alice; CREATE EXTENSION $extension CASCADE", on => 'prepared');
}

$node->stop;
done_testing();
