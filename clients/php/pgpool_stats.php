<?php
/*
 * Tells a PostgreSQL server with pgpool_stats of the connections of PHP.
 *
 *   require 'pgpool_stats.php';
 *   $conn = pg_pconnect(PgpoolStats\labelled('user=app', 'orders'));
 *   $pdo = new PDO(PgpoolStats\labelled('pgsql:user=app', 'orders'), null, null, [PDO::ATTR_PERSISTENT => true]);
 *
 * labelled() adds the label "orders" and host:pid of the process to the options of
 * a connection string.  A worker process has one connection for each string, so
 * that the server counts what there is: a report is not needed.
 *
 * report() sends what php-fpm says of its workers, of which each can hold a
 * connection: call it in a page that cron or a monitoring agent asks for, in each
 * FPM pool.  It has a short connection of its own, labelled "reports", with 5 s to
 * connect, raises nothing, and says nothing where the server lacks the extension.
 * max_children is not in fpm_get_status(): give it.
 *
 *   PgpoolStats\report('user=app', 'orders', ['pm.max_children' => 20] + fpm_get_status());
 *
 * PHP has no timer between requests, so that neither tries out whether the server
 * takes the label: a PgBouncer that is not prepared for it rejects the connection.
 * Behind one use ALTER ROLE ... SET pgpool_stats.pool.  The environment variable
 * PGPOOL_STATS_INSTANCE is in place of host:pid.
 */

namespace PgpoolStats;

function labelled(string $conninfo, string $pool): string
{
    $instance = getenv('PGPOOL_STATS_INSTANCE') ?: gethostname() . ':' . getmypid();
    return more($conninfo, '-c pgpool_stats.pool=' . escape($pool) . ' -c pgpool_stats.instance=' . escape($instance));
}

function report(string $conninfo, string $pool, array $status): bool
{
    $instance = getenv('PGPOOL_STATS_INSTANCE') ?: gethostname() . ':' . ($status['pool'] ?? 'php');
    try {
        $conn = @pg_connect(more($conninfo, '-c pgpool_stats.pool=reports') . " connect_timeout=5"
            . " tcp_user_timeout=5000 application_name='watch " . addcslashes($pool, "\\'") . "'", PGSQL_CONNECT_FORCE_NEW);
        if (!$conn) {
            return false;
        }
        $there = @pg_query($conn, "SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL");
        $good = $there && pg_fetch_result($there, 0, 0) === 't'
            && @pg_query_params($conn, 'SELECT pgpool_stats.report($1, $2, $3)', [$pool, json_encode($status), $instance]);
        pg_close($conn);
        return (bool) $good;
    } catch (\Throwable $error) {
        return false;
    }
}

/* Add to the options that stand in a connection string, or a DSN of PDO. */
function more(string $conninfo, string $options): string
{
    $options = addcslashes($options, "\\'");
    if (preg_match("/\\boptions\\s*=\\s*'((?:[^'\\\\]|\\\\.)*)'/", $conninfo, $there, PREG_OFFSET_CAPTURE)) {
        [$value, $begin] = $there[1];
        return substr_replace($conninfo, "$value $options", $begin, strlen($value));
    }
    return $conninfo . (strncmp($conninfo, 'pgsql:', 6) === 0 ? ';' : ' ') . "options='$options'";
}

function escape(string $value): string
{
    return preg_replace('/[\\\\\\s]/', '\\\\$0', $value);
}
