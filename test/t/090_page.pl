# report_html() on a real server: who sees what, names that are markup, and
# for how long it looks back.  What it looks like is test/clients/page.js's.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
pgpool_stats.alert_rules = 'pool_full: warning 50 for 0; pool_exhausted: for 0'
});
my $hostile = q{"><script>alert('1')</script>&amp;};

sql(q{
	CREATE ROLE app LOGIN;
	CREATE ROLE other LOGIN;
	CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
});
sql("SELECT pgpool_stats.report('mine', '{\"max_size\": 4, \"checked_out\": 1}', 'i')", as => 'app');
sql("SELECT pgpool_stats.report('theirs', '{\"max_size\": 4, \"checked_out\": 4, \"waiting\": 9}', 'i')", as => 'other');
(my $literal = $hostile) =~ s/'/''/g;
sql("SELECT pgpool_stats.report('$literal', '{\"max_size\": 4, \"checked_out\": 2}', '<i>')", as => 'app');
sql("SELECT pgpool_stats.report('half', '{\"max_size\": 4, \"checked_out\": 2}', 'i')", as => 'app');
becomes(q{SELECT count(*) > 0 FROM pgpool_stats.incidents WHERE pool = 'theirs' AND ended IS NULL}, 't', 'something fires');

sub page
{
	my ($since, $role) = @_;

	return sql("SELECT pgpool_stats.report_html($since)", as => $role);
}

my $all = page('', 'monitor');
like($all, qr/^<!DOCTYPE html>.*<\/html>$/s, 'a page');
unlike($all, qr/[^\n -~]/, 'in ASCII');
unlike($all, qr/<script|<i>:|alert\('1/, 'no name is markup');
like($all, qr/&#34;&#62;&#60;script&#62;alert\(&#39;1&#39;\)&#60;\/script&#62;&#38;amp;/, 'but text');
like($all, qr/<h1>Client pools of main</, 'of this server');
like($all, qr/read by monitor, who sees all pools/, 'its first line says that he sees all');
like($all, qr/theirs on postgres: .*9 callers waiting/, 'the sentences of the alerts');
foreach (split /\n/, sql(q{SELECT pool, split_part(status, ' ', 1) FROM pgpool_stats.overview WHERE pool IN ('mine', 'half', 'theirs')}))
{
	my ($pool, $word) = split /\|/;

	like($all, qr{>$pool</a> <small>postgres</small></span><span class=at><span class="st \w+">$word<}, "$pool is $word, as overview says");
	like($all, qr{<h3>$pool <small>on postgres as \w+</small> <span class="st \w+">$word<}, "$pool: in its section, too");
}
is(sql(q{SELECT string_agg(pgpool_stats.get_page_age(now() - age, now()), ', ' ORDER BY age)
	FROM unnest('{-5 s,0,0.9 s,8 s,8.7 s,99.9 s,41 min}'::interval[]) AS age}),
	'0 s, 0 s, 0 s, 8 s, 8 s, 99 s, 41 min', 'an age is in whole seconds at least');
ok(index($all, '>theirs</a>') < index($all, '>mine</a>'), 'the worst pool is first');

my $own = page('', 'app');
like($own, qr/read by app, <b>only pools of role app<\/b>/, 'who sees his own pools is told so');
like($own, qr/>mine<\/a>/, 'he sees them');
unlike($own, qr/theirs/, 'and no other');
like($own, qr/ connections are used/, 'the slots are for everybody');

sql('CREATE ROLE nobody LOGIN');
like(page('', 'nobody'), qr/only pools of role nobody/, 'who has no pool has a page');

like(page("'1 min'", 'monitor'), qr/last 1 min.*fires for/s, 'what fires is there, however short the time');
like(page("'1000 years'", 'monitor'), qr/: history is kept for 24 h/, 'more than is kept is cut, and said');
foreach my $since ("'0'", "'-1 day'", 'NULL')
{
	my (undef, undef, $error) = psql("SELECT pgpool_stats.report_html($since)",
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($error, qr/ERROR:  22023: since must be longer than 0/, "not since $since");
}

# names in the encoding of another database
sql(q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
sql('CREATE EXTENSION pgpool_stats', on => 'latin');
is(sql(q{SELECT pgpool_stats.get_page_text(E'a\u00fc<' || chr(8364) || chr(27))}), 'a&#252;&#60;&#8364;?', 'characters of UTF-8');
is(sql(q{SELECT pgpool_stats.get_page_text(chr(252) || 'a')}, on => 'latin'), '?a', 'and of what is not');
like(sql('SELECT pgpool_stats.report_html()', on => 'latin'), qr/^<!DOCTYPE.*html>$/s, 'a page in such a database');

# one outline: what is 0 or unknown is not drawn
is(sql(q{SELECT pgpool_stats.get_page_outline('{4,4,4,2,0,NULL,1,8}', 4, 32)}),
	'M0 32v-32l2 0 1 16 1 0V32M6 32v-8l1-24 1 0V32', 'an outline');
is(sql(q{SELECT pgpool_stats.get_page_outline('{}', 0, 32) || pgpool_stats.get_page_outline('{0,NULL}', 0, 32)}), '', 'of nothing');

# rejections by kind
sql('CREATE ROLE known LOGIN CONNECTION LIMIT 1');
{
	local $ENV{PGOPTIONS} = labels('kinds');
	my $known = background(as => 'known');
	isnt(psql('SELECT 1', as => 'known'), 0, 'rejected by a limit');
	sql('ALTER ROLE known NOLOGIN');
	isnt(psql('SELECT 1', as => 'known'), 0, 'rejected at login') foreach 1 .. 2;
	$known->quit;
}
becomes(q{SELECT sum(rejected) = 1 AND sum(rejected_logins) = 2 FROM pgpool_stats.history WHERE pool = 'kinds' AND bucket = '1 min'}, 't', 'history has them');
my ($kinds) = page('', 'monitor') =~ /(<h3>kinds .*?<\/section>)/s;
like($kinds, qr{<dt>rejected<dd>1 by a limit, 2 at login<}, 'a pool has its rejections by kind');
like($kinds, qr{<figcaption>Connects <b><i class=c8>\d+ made</i>, <i class=c2>1 rejected by a limit</i>, <i class=c1>2 rejected at login</i></b>},
	'so has its chart, in words');
like($kinds, qr{<path class=c1 d="M[^"]+"/><path class=c2 d="M[^"]+"/><path class=c8 d="M}, 'and in colours');

# many pools of which many things are said: each is looked at a few times, not
# once for each of the others
my $many = 60;
sql(qq{SELECT pgpool_stats.report('many' || i, '{"pool_size": 1, "checked_out": 1, "waiting": 1}', 'i') FROM generate_series(1, $many) AS i});
becomes(qq{SELECT count(DISTINCT pool) >= $many FROM pgpool_stats.alerts WHERE pool ~ '^many' AND state = 'firing'}, 't', 'as many alerts');
my (undef, undef, $plans) = psql(q{
	LOAD 'auto_explain';
	SET auto_explain.log_min_duration = 0;
	SET auto_explain.log_analyze = on;
	SET auto_explain.log_timing = off;
	SET auto_explain.log_nested_statements = on;
	SET client_min_messages = log;
	SELECT FROM pgpool_stats.report_html()});
my $looks = 0;
while ($plans =~ /loops=(\d+)\)\n(?:\s+Filter: .*\n)?\s+Rows Removed by (?:Join )?Filter: (\d+)/g)
{
	$looks = $1 * $2 if $1 * $2 > $looks;
}
cmp_ok($looks, '>', 0, 'the plans of a page');
cmp_ok($looks, '<', $many * $many / 2, 'do not compare all with all');

$node->stop;
done_testing();
