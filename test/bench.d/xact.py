"""Transactions: instructions of one."""

import os

from callgrind import NO_HOOKS, OURS, Slope, middle, spread, variants, warm_up
from common import Server, limit, number, pgbench, table

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))
AGREE = 15      # the sum of the parts and the difference of totals


def measure(preload, options):
    short, long = 2000, 6000
    slopes = []
    for _ in range(ROUNDS):
        with Server(preload, callgrind=True) as server:
            server.profiles(warm_up)
            slopes.append(Slope(
                server,
                lambda n: pgbench("-S", "-M", "prepared", "-c", "1",
                                  "--random-seed=1", "-t", str(n),
                                  env={"PGOPTIONS": options}),
                short, long))
    return slopes


def xact():
    rows = []
    base = labelled = None
    surprises = {}
    for name, preload, options in variants():
        slopes = measure(preload, options)
        base = base or slopes
        added = middle(slopes) - middle(base)
        row = [name, number(middle(slopes)), number(spread(slopes)),
               number(added) if slopes is not base else ""]
        if preload == OURS[:-3]:
            ours, called, loops = slopes[-1].ours(base[-1])
            parts = ours + called + loops
            row += [number(ours), number(called), number(loops), number(parts),
                    "yes" if abs(added - parts) <= AGREE else "no"]
            if abs(added - parts) > AGREE:
                surprises[name] = slopes[-1]
            if name == "pgpool_stats, labelled":
                labelled = slopes[-1]
                limit("instructions of a labelled transaction, all included", parts, 240, 0)
                limit("the same as a difference of totals", added, 240, 0)
                limit("their difference", abs(added - parts), AGREE, 0)
        else:
            row += [""] * 5
        rows.append(row)
        # to load any library moves what is allocated, and what free() then does
        if name == NO_HOOKS:
            base = slopes
    table("Instructions per transaction, `pgbench -S -M prepared`, without waiting for "
          f"the client and without pgstat's flush; runs of 6,000 less 2,000: {ROUNDS}; "
          f"what a library without hooks adds is to the first row, what others do is to that library",
          ("", "per transaction", "spread", "added", "ours", "called by us",
           "loops over our callbacks", "sum", f"within {AGREE} of added"), rows)
    if labelled:
        table("Of these, by function: pgpool_stats, labelled", ("function", "instructions"),
              [(f"`{f}`", number(n, 1)) for n, f in labelled.functions()])
    for name, slope in surprises.items():
        table(f"Why sum and difference do not agree: functions of the server, {name} less {NO_HOOKS}",
              ("function", "instructions"),
              [(f"`{f}`", number(n, 1)) for n, f in slope.elsewhere(base[-1])])


xact()
