"""Saving: how large the file is, what it takes, and whether passes wait."""

import os
import time

from common import (DATA, Server, cpu_seconds, limit, number, populate, psql,
                    reset_settings, table)

SECONDS = 20
INTERVAL = 0.1


def watch(save_interval):
    """CPU of the collector in a second, and the longest time that it made no
    pass."""
    psql(f"ALTER SYSTEM SET pgpool_stats.save_interval = '{save_interval}'; "
         "SELECT pg_reload_conf()")
    time.sleep(1)
    pid = int(psql("SELECT collector_pid FROM pgpool_stats.info"))
    end = time.monotonic() + SECONDS
    t0, c0 = time.monotonic(), cpu_seconds(pid)
    ages = []
    while time.monotonic() < end:
        ages.append(float(psql("SELECT extract(epoch FROM clock_timestamp() - last_pass) "
                               "FROM pgpool_stats.info")))
    t1, c1 = time.monotonic(), cpu_seconds(pid)
    return (c1 - c0) / (t1 - t0), max(ages)


def save():
    rows = []
    for instances in (100, 1000, 10000):
        # also what is written must reach the disk
        with Server("pgpool_stats", "fsync=on", "pgpool_stats.max_instances=12000",
                    "pgpool_stats.max_instances_per_role=12000",
                    "pgpool_stats.stale_after=1h",
                    f"pgpool_stats.sample_interval={INTERVAL}s"):
            populate(instances)
            quiet, quiet_age = watch("3600s")
            busy, busy_age = watch("1s")
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
