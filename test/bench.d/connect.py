"""Connections: instructions of one."""

import statistics

from callgrind import total, variants, warm_up
from common import Server, number, pgbench, script, table


def connect():
    n = 20
    path = script("select1", "SELECT 1;\n")
    rows = []
    base = None
    for name, preload, options in variants():
        with Server(preload, callgrind=True) as server:
            server.profiles(warm_up)
            totals = []
            for _ in range(2):
                files = server.profiles(lambda o=options: pgbench(
                    "-C", "-f", path, "-c", "1", "-t", str(n),
                    env={"PGOPTIONS": o}), n)
                totals.append(statistics.median(total(f) for f in files))
        value = statistics.mean(totals)
        base = base or value
        rows.append((name, number(value), number(max(totals) - min(totals)),
                     number(value - base) if len(rows) else "",
                     f"{100 * (value - base) / base:.2f} %" if len(rows) else ""))
    table(f"Instructions per connection that runs `SELECT 1`, median of {n}",
          ("", "per connection", "spread", "added", "of it"), rows)


connect()
