"""Saving: how large the file is, what it takes, and whether passes wait."""

import os
import subprocess
import time

from common import (DATA, Server, children_cpu, limit, number, populate, psql,
                    reset_settings, table)

SECONDS = 20
INTERVAL = 0.1


AGE = "SELECT extract(epoch FROM clock_timestamp() - last_pass) FROM pgpool_stats.info;\n"


def watch(server, save_interval):
    """CPU of the workers that saved, in a second, and the longest time that the
    collector made no pass."""
    psql(f"ALTER SYSTEM SET pgpool_stats.save_interval = '{save_interval}'; "
         "SELECT pg_reload_conf()")
    time.sleep(1)
    # one session, so that nobody else ends meanwhile
    with subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", "postgres"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as session:
        end = time.monotonic() + SECONDS
        t0, c0 = time.monotonic(), children_cpu(server.process.pid)
        ages = []
        while time.monotonic() < end:
            session.stdin.write(AGE)
            session.stdin.flush()
            ages.append(float(session.stdout.readline()))
            time.sleep(INTERVAL / 10)
        t1, c1 = time.monotonic(), children_cpu(server.process.pid)
        session.stdin.close()
    return (c1 - c0) / (t1 - t0), max(ages)


def save():
    rows = []
    for instances in (100, 1000, 10000):
        # also what is written must reach the disk
        with Server("pgpool_stats", "fsync=on", "pgpool_stats.max_instances=12000",
                    "pgpool_stats.max_instances_per_role=12000",
                    "pgpool_stats.stale_after=1h",
                    f"pgpool_stats.sample_interval={INTERVAL}s") as server:
            populate(instances)
            quiet, quiet_age = watch(server, "3600s")
            busy, busy_age = watch(server, "1s")
            size = os.path.getsize(DATA + "/pg_stat_tmp/pgpool_stats.stat")
        reset_settings()
        rows.append((f"{instances:,}", number(size / 1e6, 2),
                     number(1000 * (busy - quiet), 1),
                     number(quiet_age, 2), number(busy_age, 2)))
    table(f"Saving each second, by instances; passes each {INTERVAL} s, fsync on",
          ("instances", "file, MB", "CPU of a save, ms", "oldest pass seen without saving, s",
           "oldest pass seen with it, s"), rows)
    limit("seconds that saving 10,000 instances holds up a pass",
          max(busy_age - quiet_age, 0), 0.5)


save()
