"""Connects beside readers of many instances."""

import collections
import multiprocessing
import os
import statistics
import subprocess
import threading
import time

from common import (DATA, LOG, Server, limit, number, populate, psql, script,
                    table)
from wire import connect, startup

INSTANCES = 10000
CLIENTS = 20
READERS = 10
SECONDS = float(os.environ.get("BENCH_SECONDS", "12"))
ROUNDS = 3


PACKET = startup("postgres", application_name="crowd",
                 options="-c pgpool_stats.pool=crowd -c pgpool_stats.instance=web-1")


def connect_all(queue, end):
    """Half of the clients: each connects again and again."""
    took = []

    def client():
        while time.monotonic() < end:
            took.append(connect(DATA, PACKET))

    threads = [threading.Thread(target=client) for _ in range(CLIENTS // 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(took)


def measure(beside):
    """What connects take beside something, and the share of the time of the
    clients in our lock."""
    end = time.monotonic() + SECONDS
    queue = multiprocessing.Queue()
    halves = [multiprocessing.Process(target=connect_all, args=(queue, end))
              for _ in range(2)]
    for half in halves:
        half.start()
    stop = beside(end)
    sampler = subprocess.Popen(
        ["psql", "-X", "-q", "-A", "-t", "-d", "postgres"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    samples = waiting = 0
    while time.monotonic() < end:
        sampler.stdin.write("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'LWLock' "
                            "AND wait_event LIKE 'pgpool_stats%' AND application_name = 'crowd';\n")
        sampler.stdin.flush()
        waiting += int(sampler.stdout.readline())
        samples += CLIENTS
        time.sleep(0.02)
    sampler.communicate()
    took = sorted(queue.get() + queue.get())
    for half in halves:
        half.join()
    stop()
    return {"rate": len(took) / SECONDS, "p50": 1000 * took[len(took) // 2],
            "p95": 1000 * took[len(took) * 95 // 100], "worst": 1000 * took[-1],
            "waiting": 100 * waiting / samples}


def nothing(_):
    return lambda: None


def fresh_client(end):
    """A client that comes each second to read one view."""
    def client():
        while time.monotonic() < end:
            connect(DATA, PACKET, "SELECT count(*) FROM pgpool_stats.overview")
            time.sleep(1)

    thread = threading.Thread(target=client)
    thread.start()
    return thread.join


def sessions(path):
    """Sessions that run a script again and again."""
    def beside(_):
        with open(LOG, "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                ["pgbench", "-n", "-f", path, "-c", str(READERS), "-T", "1000", "postgres"],
                stdout=log, stderr=log)

        def stop():
            process.terminate()
            process.wait()
            psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE application_name = 'pgbench'")
        return stop
    return beside


def crowd():
    views = psql("SELECT relname FROM pg_class WHERE relkind = 'v' AND "
                 "relnamespace = 'pgpool_stats'::regnamespace").split()
    # all columns are formed, and nothing is sent
    readers = script("readers", "".join(
        f"SELECT count(v) FROM pgpool_stats.{view} v;\n" for view in views))
    burners = script("burners", "DO $$ BEGIN FOR i IN 1 .. 1000000 LOOP END LOOP; END $$;\n")
    cases = {"nothing": nothing,
             "a fresh client a second that reads `overview`": fresh_client,
             f"{READERS} sessions that only use CPU": sessions(burners),
             f"{READERS} readers of all views": sessions(readers)}
    seen = collections.defaultdict(list)
    for _ in range(ROUNDS):
        for name, beside in cases.items():
            seen[name].append(measure(beside))
    found = {name: {key: statistics.median(one[key] for one in several)
                    for key in several[0]}
             for name, several in seen.items()}
    table(f"{CLIENTS} clients that connect again and again beside ..., {INSTANCES:,} instances; "
          f"median of {ROUNDS} x {SECONDS:.0f} s in turn",
          ("beside", "connects a second", "p50, ms", "p95, ms", "worst, ms",
           "of the clients' time in our lock"),
          [(name, number(one["rate"]), number(one["p50"], 1), number(one["p95"], 1),
            number(one["worst"]), f"{one['waiting']:.1f} %") for name, one in found.items()])
    alone, fresh, burn, read = found.values()
    limit("p95 of connects, one fresh client a second to none", fresh["p95"] / alone["p95"], 1.2)
    limit(f"worst connect, {READERS} readers of all views to {READERS} that use CPU",
          read["worst"] / burn["worst"], 2)
    limit(f"% of the clients' time in our lock, {READERS} readers", read["waiting"], 2)


def main():
    with Server("pgpool_stats", "pgpool_stats.max_instances=12000",
                "pgpool_stats.max_instances_per_role=12000",
                "pgpool_stats.stale_after=1h",
                "pgpool_stats.save_interval=3600"):
        populate(INSTANCES)
        crowd()


main()
