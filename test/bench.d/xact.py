"""Instructions per transaction."""

import os

from callgrind import OURS, Slope, middle, spread, variants, warm_up
from common import Server, number, pgbench, table

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))


def xact():
    short, long = 2000, 6000
    rows = []
    profiles = {}
    base = plain = None
    for name, preload, options in variants():
        slopes = []
        for _ in range(ROUNDS):
            with Server(preload, callgrind=True) as server:
                server.profiles(warm_up)
                slopes.append(Slope(
                    server,
                    lambda n, o=options: pgbench(
                        "-S", "-M", "prepared", "-c", "1", "--random-seed=1",
                        "-t", str(n), env={"PGOPTIONS": o}),
                    short, long))
        base = base or middle(slopes)
        plain = plain or slopes[-1]
        functions = slopes[-1].functions()
        if functions:
            profiles[name] = functions, slopes[-1].elsewhere(plain)
        rows.append((name, number(middle(slopes)), number(spread(slopes)),
                     number(middle(slopes) - base) if len(rows) else "",
                     number(sum(f[0] for f in functions)) if OURS[:-3] in preload
                     else ""))
    table(f"Instructions per transaction, `pgbench -S -M prepared`, without waiting for "
          f"the client; {ROUNDS} runs of {long:,} less {short:,}",
          ("", "per transaction", "spread", "added", "our functions and what they call"),
          rows)
    for name, (functions, others) in profiles.items():
        table(f"Of these, by function: {name}", ("function", "instructions"),
              [(f"`{f}`", number(n, 1)) for n, f in functions])
        table("Functions of the server that take more or less than without",
              ("function", "instructions"),
              [(f"`{f}`", number(n, 1)) for n, f in others])


xact()
