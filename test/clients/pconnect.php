<?php
// PHP's persistent connections: one for each worker process and connection
// string, counted by the server.  A process reports what it knows with our own keys.

$failures = 0;

function check(string $name, bool $good, $detail = ''): void
{
    global $failures;
    $failures += $good ? 0 : 1;
    echo $good ? "ok - $name\n" : "not ok - $name: $detail\n";
}

function equal(string $name, $got, $expected): void
{
    check($name, $got === $expected, 'got ' . json_encode($got) . ', expected ' . json_encode($expected));
}

function until(string $what, callable $condition): void
{
    for ($i = 0; $i < 15000; $i++) {
        if ($condition()) {
            return;
        }
        usleep(20000);
    }
    check("waited for $what", false);
}

$me = gethostname() . ':' . getmypid();
$conninfo = "user=app options='-c pgpool_stats.pool_size=1'";

require __DIR__ . '/../../clients/php/pgpool_stats.php';
// docs: begin php
$labelled = PgpoolStats\labelled($conninfo, 'php');
// docs: end
$conn = pg_pconnect($labelled);

$reporter = pg_connect("user=app options='-c pgpool_stats.pool=reporter"
    . " -c pgpool_stats.instance=reporter -c pgpool_stats.strict_reports=on'", PGSQL_CONNECT_FORCE_NEW);

function row(string $pool): ?array
{
    global $reporter, $me;
    $result = pg_query_params($reporter, 'SELECT to_jsonb(i) FROM pgpool_stats.instances i'
        . ' WHERE pool = $1 AND instance = $2', [$pool, $me]);
    $text = pg_num_rows($result) ? pg_fetch_result($result, 0, 0) : null;
    return $text === null ? null : json_decode($text, true);
}

function connections(string $step, string $pool, int $expected): void
{
    $count = fn () => row($pool)['connections'] ?? 0;
    until("$step: $expected connections", fn () => $count() === $expected);
    equal("$step: the server counts the connections", $count(), $expected);
}

connections('first request', 'php', 1);
$pid = pg_get_pid($conn);
equal('the size is the label\'s', row('php')['pool_size'], 1);

// the next request of this worker gets the same connection; RESET ALL comes
// first, and a label of the connection string stays
pg_query($conn, "SET pgpool_stats.app_version = 'lost'");
$conn = pg_pconnect($labelled);
equal('next request: the same connection', pg_get_pid($conn), $pid);
equal('RESET ALL: a SET is lost', pg_fetch_result(pg_query($conn, 'SHOW pgpool_stats.app_version'), 0, 0), '');
equal('RESET ALL: the label stays', pg_fetch_result(pg_query($conn, 'SHOW pgpool_stats.pool'), 0, 0), 'php');
connections('next request', 'php', 1);
pg_close($conn);
connections('pg_close() of a persistent one closes nothing', 'php', 1);

// another connection string is another connection
$second = pg_pconnect($labelled . ' connect_timeout=9');
check('another string: another connection', pg_get_pid($second) !== $pid);
connections('two strings', 'php', 2);

// php-fpm's own words, as fpm_get_status() has them; the command line has no FPM
$status = json_decode('{"pool":"www","process manager":"dynamic","start time":1787043628,"start since":12842,'
    . '"accepted conn":1,"listen queue":0,"max listen queue":0,"listen queue len":0,"idle processes":3,'
    . '"active processes":1,"total processes":4,"max active processes":1,"max children reached":0,"slow requests":0}',
    true);
$strict = "user=app options='-c pgpool_stats.pool=reports -c pgpool_stats.strict_reports=on'";
check('reported', PgpoolStats\report($strict, 'php-fpm', ['pm.max_children' => 5] + $status));
$result = pg_query_params($reporter, 'SELECT dialect, checked_out, waiting, max_size FROM pgpool_stats.instances'
    . ' WHERE pool = $1 AND instance = $2', ['php-fpm', gethostname() . ':www']);
equal('php-fpm', pg_fetch_row($result), ['php_fpm', '1', '0', '5']);
check('without the extension: no report', !PgpoolStats\report("$strict dbname=postgres", 'php-fpm', $status));
check('without a server: no report', !PgpoolStats\report('host=127.0.0.1 port=1', 'php-fpm', $status));

// PDO's persistent connections: rolled back, not reset
$pdo = new PDO(PgpoolStats\labelled('pgsql:user=app', 'pdo'), null, null,
    [PDO::ATTR_PERSISTENT => true]);
connections('PDO', 'pdo', 1);
$first = $pdo->query('SELECT pg_backend_pid()')->fetchColumn();
$pdo = null;
$pdo = new PDO(PgpoolStats\labelled('pgsql:user=app', 'pdo'), null, null,
    [PDO::ATTR_PERSISTENT => true]);
equal('PDO: the same connection', $pdo->query('SELECT pg_backend_pid()')->fetchColumn(), $first);
equal('PDO: the label stays', $pdo->query('SHOW pgpool_stats.pool')->fetchColumn(), 'pdo');

exit($failures ? 1 : 0);
