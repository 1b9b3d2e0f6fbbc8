"""Connections: instructions of one."""

import statistics

from callgrind import LABEL, OURS, Profile, total, variants, warm_up
from common import Server, limit, number, pgbench, script, table, wanted

LIMITED = "pgpool_stats, labelled, with a limit"


def calls(profile, function):
    return sum(n for (_, callee), n in profile.calls.items()
               if callee == (OURS, function))


def connect():
    n = 20
    path = script("select1", "SELECT 1;\n")
    rows = []
    base = None
    asked = {}
    found = [(*variant, ()) for variant in variants()]
    if wanted(LIMITED):
        found.append((LIMITED, "pgpool_stats", LABEL, ["pgpool_stats.pool_limits=*: 50"]))
    for name, preload, options, settings in found:
        with Server(preload, *settings, callgrind=True) as server:
            server.profiles(warm_up)
            totals = []
            for _ in range(2):
                files = server.profiles(lambda o=options: pgbench(
                    "-U", "bench", "-C", "-f", path, "-c", "1", "-t", str(n),
                    env={"PGOPTIONS": o}), n)
                totals.append(statistics.median(total(f) for f in files))
            asked[name] = calls(Profile.of_biggest(files), "pgps_limit_of")
        value = statistics.mean(totals)
        base = base or value
        rows.append((name, number(value), number(max(totals) - min(totals)),
                     number(value - base) if len(rows) else "",
                     f"{100 * (value - base) / base:.2f} %" if len(rows) else ""))
    table(f"Instructions per connection that runs `SELECT 1`, median of {n}",
          ("", "per connection", "spread", "added", "of it"), rows)
    if asked.get(LIMITED):
        limit("limits looked for by a connection while pool_limits is empty",
              asked.get("pgpool_stats, labelled", 0), 0, 0)


connect()
