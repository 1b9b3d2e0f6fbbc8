"""Poolers: what polling many of them costs."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import time

from common import (DATA, W, Server, cpu_seconds, limit, psql, reset_settings, script,
                    table, ticks)

POOLERS = 50
DEAD = 10               # of these
NAMES = 5               # further ones, that do not resolve


def start_poolers(processes):
    """Real poolers, each with two clients and one server connection."""
    home = os.path.join(W, "poolers")
    os.makedirs(home)
    with open(home + "/users", "w", encoding="utf-8") as f:
        f.write('"postgres" ""\n')
    work = script("work", "\\sleep 100 ms\nSELECT pg_sleep(0.01);\n")
    for port in range(7001, 7001 + POOLERS):
        with open(f"{home}/{port}.ini", "w", encoding="utf-8") as f:
            f.write(f"""
[databases]
bench = host={DATA} dbname=postgres pool_size=1
[pgbouncer]
unix_socket_dir = {home}
listen_port = {port}
auth_type = trust
auth_file = {home}/users
stats_users = postgres
pool_mode = transaction
""")
        processes.append(subprocess.Popen(
            ["/usr/sbin/pgbouncer", "-q", f"{home}/{port}.ini"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        while not os.path.exists(f"{home}/.s.PGSQL.{port}"):
            time.sleep(0.01)
        processes.append(subprocess.Popen(
            ["pgbench", "-n", "-c", "2", "-T", "1000", "-f", work,
             f"host={home} port={port} dbname=bench"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    return [f"host={home} port={port} dbname=pgbouncer"
            for port in range(7001, 7001 + POOLERS)]


def measure(what, seconds):
    pid = int(psql("SELECT pid FROM pg_stat_activity "
                   "WHERE backend_type = 'pgpool_stats poller'"))
    ages, oldest, times = [], [], []
    t0, c0, k0 = time.monotonic(), cpu_seconds(pid), ticks(pid)
    while time.monotonic() < t0 + seconds:
        age, old, took = psql(
            "SELECT (SELECT extract(epoch FROM clock_timestamp() - last_pass) FROM pgpool_stats.info), "
            "extract(epoch FROM max(clock_timestamp() - last_poll)), "
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY poll_time) "
            "FROM pgpool_stats.poolers WHERE reachable").split("|")
        ages.append(float(age))
        oldest.append(float(old))
        times.append(float(took))
        time.sleep(0.5)
    t1, c1, k1 = time.monotonic(), cpu_seconds(pid), ticks(pid)
    table(f"{what}, every second, for {seconds} s", ("", ""),
          [("CPU of the poller, of one core (scheduler's clock)",
            f"{100 * (c1 - c0) / (t1 - t0):.2f} %"),
           ("CPU of the poller, of one core (utime + stime)",
            f"{100 * (k1 - k0) / (t1 - t0):.2f} %"),
           ("time of a poll, median", f"{statistics.median(times):.1f} ms"),
           ("oldest poll seen", f"{max(oldest):.2f} s"),
           ("oldest pass of the collector seen (every 0.1 s)",
            f"{max(ages):.2f} s")])
    limit(f"% of a core that the poller takes for {what}",
          100 * (c1 - c0) / (t1 - t0), 5)


def wait_for(query, expected):
    for _ in range(300):
        if psql(query) == expected:
            return
        time.sleep(0.2)
    sys.exit(f"not {expected}: " + psql("TABLE pgpool_stats.poolers LIMIT 5"))


def set_poolers(poolers):
    psql("ALTER SYSTEM SET pgpool_stats.poolers = '" + "; ".join(poolers) + "'")
    psql("SELECT pg_reload_conf()")


def poller():
    seconds = int(os.environ.get("BENCH_SECONDS", "60"))
    processes = []
    # a name server that never answers
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf, \
         Server("pgpool_stats", "pgpool_stats.poll_interval=1s",
                "pgpool_stats.sample_interval=100ms"):
        deaf.bind(("127.0.0.1", 0))
        try:
            poolers = start_poolers(processes)
            set_poolers(poolers)
            wait_for("SELECT (SELECT count(*) FILTER (WHERE reachable) FROM pgpool_stats.poolers), "
                     "(SELECT count(*) FROM pgpool_stats.instances WHERE source = 'pooler' AND open = 1)",
                     f"{POOLERS}|{POOLERS}")
            measure(f"{POOLERS} poolers", seconds)

            # half of the dead ones are gone, the others never answer
            for number, process in enumerate(processes[0:2 * DEAD:2]):
                process.send_signal(signal.SIGKILL if number % 2 else signal.SIGSTOP)
            psql(f"ALTER SYSTEM SET pgpool_stats.name_servers = '127.0.0.1:{deaf.getsockname()[1]}'")
            set_poolers(poolers + [f"host=unknown{n}.test dbname=pgbouncer" for n in range(NAMES)])
            wait_for("SELECT count(*) FILTER (WHERE reachable), "
                     "count(*) FILTER (WHERE error ~ 'name server') FROM pgpool_stats.poolers",
                     f"{POOLERS - DEAD}|{NAMES}")
            measure(f"{POOLERS} poolers, {DEAD} of them dead, and {NAMES} names that nobody resolves", seconds)
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait()
    reset_settings()


poller()
