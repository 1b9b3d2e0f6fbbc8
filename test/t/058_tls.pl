# Sessions under TLS: who uses it, and how they end.
use strict;
use warnings;
use PgpoolStats;

my $node = start_node(q{
listen_addresses = '127.0.0.1'
autovacuum = off
});
my $data = $node->data_dir;
system('openssl', 'req', '-new', '-x509', '-nodes', '-days', '2', '-subj', '/CN=localhost',
	'-keyout', "$data/server.key", '-out', "$data/server.crt") == 0
  or plan skip_all => 'no openssl';
chmod 0600, "$data/server.key";
$node->append_conf('postgresql.conf', 'ssl = on');
$node->restart;

# A session of a pool over TCP
sub over
{
	my ($pool, $sslmode) = @_;

	local $ENV{PGOPTIONS} = labels($pool);
	my $session = background(extra_params =>
		  [ '-d', "dbname=postgres host=127.0.0.1 sslmode=$sslmode" ]);
	$session->query_safe('SELECT 1');
	return $session;
}

sub ends
{
	my ($pool) = @_;

	wait_for(qq{SELECT connections = 0 FROM pgpool_stats.sessions WHERE pool = '$pool'});
	return sql(qq{SELECT reason, sqlstate, in_xact, count FROM pgpool_stats.disconnects WHERE pool = '$pool'});
}

my @mixed = (over('mixed', 'require'), over('mixed', 'require'), over('mixed', 'disable'));
is(sql(q{SELECT connections, tls_connections FROM pgpool_stats.sessions WHERE pool = 'mixed'}), '3|2', 'who uses TLS');
$_->quit foreach @mixed;
is(ends('mixed'), 'client_closed||f|3', 'closed in order');

foreach my $in_xact (0, 1)
{
	my $pool = "killed$in_xact";
	my $psql = over($pool, 'require');

	$psql->query_safe('BEGIN') if $in_xact;
	$psql->{run}->signal('KILL');
	eval { $psql->{run}->finish };
	like(ends($pool), $in_xact ? qr/^connection_lost\|08006\|t\|1$/ : qr/^connection_lost\|(?:08006)?\|f\|1$/,
		'kill -9 of the client is no reset' . ($in_xact ? ', in a transaction' : ''));
}

my $psql = over('terminated', 'require');
sql(q{SELECT pg_terminate_backend(pid) FROM pgpool_stats.connections WHERE pool = 'terminated'});
is(ends('terminated'), 'terminated|57P01|f|1', 'terminated');
eval { $psql->quit };

$node->stop;
done_testing();
