"""Load: what looking at connections in a transaction costs the collector."""

import subprocess
import time

from common import LOG, Server, cpu_seconds, limit, psql, script, table

CLIENTS = 1000
SECONDS = 20


def switches(pid):
    """How often a process has waited for something."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("voluntary_ctxt_switches"))


def collector(interval):
    """CPU of the collector, as a part of a core, and its waits a second, with
    such a pgpool_stats.load_interval"""
    psql(f"ALTER SYSTEM SET pgpool_stats.load_interval = '{interval}'")
    psql("SELECT pg_reload_conf()")
    pid = int(psql("SELECT collector_pid FROM pgpool_stats.info"))
    time.sleep(3)
    t0, c0, s0 = time.monotonic(), cpu_seconds(pid), switches(pid)
    time.sleep(SECONDS)
    t1, c1, s1 = time.monotonic(), cpu_seconds(pid), switches(pid)
    return (c1 - c0) / (t1 - t0), (s1 - s0) / (t1 - t0)


def holders(sql):
    """As many sessions, which do this and stay"""
    path = script("holders", f"SELECT pg_backend_pid();\n{sql}\n\\sleep 100000 s\n")
    with open(LOG, "a", encoding="utf-8") as log:
        # pylint: disable=consider-using-with
        process = subprocess.Popen(
            ["pgbench", "-n", "-f", path, "-c", str(CLIENTS), "-j", "1", "-t", "1",
             "postgres"], stdout=log, stderr=log)
    while int(psql("SELECT count(*) FROM pgpool_stats.connections "
                   "WHERE application_name = 'pgbench' AND xacts > 0 AND state <> 'active'")) < CLIENTS:
        time.sleep(0.5)
    return process


def load():
    rows = []
    found = {}
    with Server("pgpool_stats", "max_connections=1100", "pgpool_stats.save_interval=3600"):
        for what, sql in (("nobody is in a transaction", ""),
                          ("all are in a transaction", "BEGIN; SELECT 1;")):
            process = holders(sql)
            try:
                for interval in ("0", "100ms"):
                    found[what, interval] = collector(interval)
            finally:
                process.terminate()
                process.wait()
            while psql("SELECT count(*) FROM pg_stat_activity "
                       "WHERE application_name = 'pgbench'") != "0":
                time.sleep(0.5)
            for interval in ("0", "100ms"):
                cpu, waits = found[what, interval]
                rows.append((f"{what}, load_interval = {interval}", f"{100 * cpu:.2f} %",
                             f"{waits:.1f}"))
        psql("ALTER SYSTEM RESET pgpool_stats.load_interval")
    table(f"The collector with {CLIENTS:,} connections, a pass a second, {SECONDS} s each",
          ("", "of a core", "waits a second"), rows)
    idle, busy = "nobody is in a transaction", "all are in a transaction"
    limit("% of a core for samples at 10 Hz, 1,000 connections",
          100 * (found[busy, "100ms"][0] - found[busy, "0"][0]), 0.2)
    limit("more waits a second for samples while nobody is in a transaction",
          found[idle, "100ms"][1] - found[idle, "0"][1], 0.2)


load()
