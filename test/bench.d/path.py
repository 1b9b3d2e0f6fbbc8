"""Our own path: nanoseconds of it in a transaction, alone and beside another."""

import os
import shutil
import statistics
import subprocess

from common import LOG, W, Server, limit, number, psql, run, table

SRC = os.path.join(W, "src")
BUILT = os.path.join(W, "path")
CHUNK, CHUNKS = 200_000, 200
LABEL = "-c pgpool_stats.pool=path -c pgpool_stats.instance=%s -c pgpool_stats.pool_size=100"


def build():
    """Our library with path.c at the end of the file that it measures."""
    shutil.copytree(SRC, BUILT)
    with open(BUILT + "/src/server/transactions.c", "r+", encoding="utf-8") as to, \
            open(SRC + "/test/bench.d/path.c", encoding="utf-8") as path:
        text = "#define GetCurrentTransactionStopTimestamp bench_clock\n" + to.read()
        to.seek(0)
        to.write(text + path.read())
    run("make", "-s", "-C", BUILT, "COPT=-Wno-error", "pgpool_stats.so")


def sessions(what, instances, pick):
    """A session at each of these, all at once: what a transaction took while
    all ran."""
    sql = "\n".join(["SELECT pg_advisory_lock_shared(1);"] +
                    [f"SELECT extract(epoch FROM clock_timestamp()), bench_path('{what}', {CHUNK});"] * CHUNKS)
    with open(LOG, "a", encoding="utf-8") as log:
        gate = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", "postgres"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=log, text=True)
        gate.stdin.write("SELECT pg_advisory_lock(1);\n")
        gate.stdin.flush()
        gate.stdout.readline()
        running = [subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", "postgres"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                    env={**os.environ, "PGOPTIONS": LABEL % instance})
                   for instance in instances]
        # side by side, not one after the other on one processor
        processors = sorted(os.sched_getaffinity(0))
        for n, process in enumerate(running):
            process.stdin.write("SELECT pg_backend_pid();\n")
            process.stdin.flush()
            os.sched_setaffinity(int(process.stdout.readline()),
                                 {processors[n % len(processors)]})
            process.stdin.write(sql)
            process.stdin.close()
        while int(psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                       "AND NOT granted")) < len(running):
            pass
        gate.communicate("SELECT pg_advisory_unlock(1);\n")
        rows = [[[float(x) for x in line.split("|")] for line in process.stdout
                 if "|" in line] for process in running]
        for process in running:
            process.wait()
    # a chunk counts if the others had not ended
    end = min(chunks[-1][0] for chunks in rows)
    return pick(ns for chunks in rows for at, ns in chunks if at <= end)


def path():
    build()
    seen = {}
    with Server(BUILT + "/pgpool_stats"):
        psql(f"CREATE OR REPLACE FUNCTION bench_path(text, bigint) RETURNS float8 "
             f"AS '{BUILT}/pgpool_stats', 'bench_path' LANGUAGE C")
        for name, what, instances in (
                ("one session", "all", ["a"]),
                ("the same with a clock that costs nothing", "without clock", ["a"]),
                ("the clock alone", "clock", ["a"]),
                ("two locked adds alone", "locked adds", ["a"]),
                ("two sessions, an instance each", "all", ["a", "b"]),
                ("two sessions of one instance", "all", ["a", "a"])):
            # what others do on the machine only adds to that of one session
            pick = min if len(instances) == 1 else statistics.median
            seen[name] = pick(sessions(what, instances, pick) for _ in range(3))
        psql("DROP FUNCTION bench_path(text, bigint)")
    table("Nanoseconds of CPU time of our path in a transaction, of 3 x "
          f"{CHUNKS} x {CHUNK:,} the least; of two sessions the median",
          ("", "ns"), [(name, number(ns, 1)) for name, ns in seen.items()])
    limit("nanoseconds of our path without the clock, one session",
          seen["the same with a clock that costs nothing"], 15, 1)


path()
