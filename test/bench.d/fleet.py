"""Fleet: what asking many servers costs."""

import os
import shutil
import statistics
import time

from common import DATA, W, Server, limit, number, psql, run, table

SERVERS = 100
HOME = os.path.join(W, "fleet")


def directory(i):
    return os.path.join(HOME, str(i))


def start(i):
    """A small server of its own, as it stands for a large one."""
    shutil.copytree(DATA, directory(i), ignore=shutil.ignore_patterns("*.sock*", "postmaster.pid"))
    run("pg_ctl", "-D", directory(i), "-l", directory(i) + "/log", "-w", "-s", "-o",
        f"-c unix_socket_directories={directory(i)} -c shared_buffers=1MB "
        "-c max_connections=20 -c shared_preload_libraries=pgpool_stats "
        "-c pgpool_stats.max_pools=16 -c pgpool_stats.max_instances=16", "start")


def fleet():
    # before ours runs: a copy of a server that is down
    for i in range(SERVERS):
        start(i)
    try:
        with Server("pgpool_stats"):
            psql("CREATE EXTENSION pgpool_stats_fleet CASCADE")
            rows = [ask(n) for n in (3, 30, SERVERS)]
            psql("DROP EXTENSION pgpool_stats_fleet")
            table("Reading `overview` of so many servers, without the cache",
                  ("servers", "first time, connecting, ms", "then, ms",
                   "CPU of the asking session, ms", "CPU on each server, ms",
                   "the same in a minute, every 5 s, ms", "connections on each"),
                  rows)
    finally:
        for i in range(SERVERS):
            run("pg_ctl", "-D", directory(i), "-m", "immediate", "-s", "stop")
        shutil.rmtree(HOME)


def ask(servers):
    """One session that reads it again and again, by its own clock."""
    psql("".join(
        f"SELECT pgpool_stats_fleet.add_server('s{i}', 'host={directory(i)} dbname=postgres user=postgres');"
        for i in range(servers)))
    home = directory(0)
    # the session tells its clock, then the processor time of both ends
    there = run("psql", "-X", "-q", "-A", "-t", "-h", home, "-d", "postgres", "-c",
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgpool_stats_fleet'").strip()
    assert there == "0", there
    read = "SELECT count(*) FROM pgpool_stats_fleet.overview;\n"
    clock = "SELECT 'at ' || extract(epoch FROM clock_timestamp()) || ' ' || bench_cpu();\n"
    remote = (r"\! psql -X -q -A -t -h " + home + " -d postgres -c \"SELECT 'pid ' || pid FROM "
              "pg_stat_activity WHERE application_name = 'pgpool_stats_fleet'\" | "
              "while read word pid; do echo cpu $(cut -d' ' -f1 /proc/$pid/schedstat); done\n")
    rounds = 10
    said = psql("SET pgpool_stats_fleet.max_age = 0;\n" + clock + read + clock + remote
                + (read + clock) * rounds + remote)
    at = [tuple(map(float, line.split()[1:])) for line in said.splitlines() if line.startswith("at ")]
    cpu = [int(line.split()[1]) for line in said.splitlines() if line.startswith("cpu ")]
    there_a_read = (cpu[-1] - cpu[0]) / 1e6 / rounds
    times = [1000 * (b[0] - a[0]) for a, b in zip(at, at[1:])]
    if servers == SERVERS:
        limit(f"overview of {SERVERS} servers once connected, s", statistics.median(times[1:]) / 1000, 2)
    return (str(servers), number(times[0]), number(statistics.median(times[1:])),
            number((at[-1][1] - at[1][1]) / rounds, 1),
            number(there_a_read, 2), number(12 * there_a_read), str(len(cpu) // 2))


if __name__ == "__main__":
    fleet()
