# There are fewer histories than pools: who has one, who gives way, and that
# one role does not cost another one its history.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
pgpool_stats.history_pools = 8
pgpool_stats.track = labelled
});
sql('CREATE ROLE flood LOGIN; CREATE ROLE victim LOGIN');

# Pools of a role, a report of an instance of each
sub reports
{
	my ($role, $name, $from, $to, $stats) = @_;

	sql(join("\n",
			map { "SELECT pgpool_stats.report('$name$_', '" . ($stats // '{"pool_size": 4, "max_overflow": 0, "open": 4, "checked_out": 2, "checkouts": 7}') . "', 'i');" }
			  ($from .. $to)), as => $role);
	next_pass();
	return;
}

# The pools of a role that have history
sub have
{
	my ($role) = @_;

	return sql(qq{
		SELECT string_agg(DISTINCT pool, ' ' ORDER BY pool)
		FROM pgpool_stats.history WHERE usename = '$role'});
}

# What is known of the victim's past, but for what grows with time
sub past
{
	return sql(q{
		SELECT pool, bucket, sum(checkouts), max(max_checked_out), min(bucket_start)
		FROM pgpool_stats.history WHERE usename = 'victim' AND bucket = '10 min'
		GROUP BY 1, 2 ORDER BY 1, 2});
}

sub notes
{
	return sql('SELECT notes FROM pgpool_stats.info');
}

reports('victim', 'v', 1, 2);
is(have('victim'), 'v1 v2', 'a pool that is live has history');
unlike(notes(), qr/history/, 'nothing is left out');
my $past = past();
my $last_hour = q{SELECT pool, last_hour ~ '\d' FROM pgpool_stats.pools WHERE usename = 'victim' ORDER BY 1};
is(sql($last_hour), "v1|t\nv2|t", 'and last_hour');

# one role may have half of them
reports('flood', 'f', 1, 20);
is(have('flood'), 'f1 f2 f3 f4', 'who floods has his share');
is(past(), $past, 'the history of the other role is as before');
is(sql($last_hour), "v1|t\nv2|t", 'and last_hour');
like(notes(), qr/\b16 pools have no history, 0 gave theirs up: raise pgpool_stats.history_pools$/,
	'info says what is left out');
is(sql("SELECT DISTINCT advice FROM pgpool_stats.sizing WHERE pool = 'f5'"),
	'no history is kept of it: see pgpool_stats.history_pools', 'and so does sizing');
is(sql("SELECT last_hour FROM pgpool_stats.pools WHERE pool = 'f5'"), '-' x 10,
	'a pool without history shows none');

# ... although there is room
reports('victim', 'v', 3, 4);
is(have('victim'), 'v1 v2 v3 v4', 'others find room');
$past = past();

# a pool that is gone gives way to another one of its role
sql("SELECT pgpool_stats.forget('f2', 'i')", as => 'flood');
reports('flood', 'g', 1, 30);
is(have('flood'), 'f1 f3 f4 f5', 'what is gone gives way to one of the same role');
is(past(), $past, 'the history of the other role is as before');
like(notes(), qr/\d+ pools have no history, 1 gave theirs up/, 'which is counted');

# what is gone keeps its history while its role has its share left
sql("SELECT pgpool_stats.forget('v1', 'i')", as => 'victim');
reports('flood', 'h', 1, 30);
is(have('victim'), 'v1 v2 v3 v4', 'a pool that is gone is not crowded out by another role');

# a role whose share is left takes from the one that has most
sql('CREATE ROLE third LOGIN');
reports('third', 't', 1, 1);
is(have('third'), 't1', 'a role without any takes that of a pool that is gone');
is(have('victim'), 'v2 v3 v4', 'of a role that has most');
reports('third', 't', 2, 2);
is(have('third'), 't1', 'but never that of a live one');
is(have('victim') . ' ' . have('flood'), 'v2 v3 v4 f1 f3 f4 f5', 'of whatever role');

# a pool that gets its history late has not done all it ever did just then
sql("SELECT pgpool_stats.forget('v2', 'i')", as => 'victim');
next_pass();
is(have('third'), 't1 t2', 'it comes late');
is(sql("SELECT max(checkouts) FROM pgpool_stats.history WHERE pool = 't2'"), '0',
	'and what was counted before is not of now');
sql(q{SELECT pgpool_stats.report('t2', '{"pool_size": 4, "max_overflow": 0, "open": 4, "checked_out": 2, "checkouts": 10}', 'i')}, as => 'third');
next_pass();
is(sql("SELECT sum(checkouts) FROM pgpool_stats.history WHERE pool = 't2' AND bucket = '10 min'"), '3',
	'only what comes');

# over a restart, with fewer
$past = past();
$node->restart;
next_pass();
is(have('victim') . ' ' . have('flood') . ' ' . have('third'), 'v3 v4 f1 f3 f4 f5 t1 t2',
	'all have theirs after a restart');
is(past(), $past, 'as it was');
$node->append_conf('postgresql.conf', 'pgpool_stats.history_pools = 4');
$node->restart;
next_pass();
is(sql("SELECT count(DISTINCT pool) FROM pgpool_stats.history"), '4', 'a lower setting is heeded');

$node->stop;
done_testing();
