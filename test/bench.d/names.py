"""What is new beside what is known, in an empty and in a full registry.

CPU time of the backend that reports; of connections, which are processes of
their own, that of all that the server starts.
"""

import collections
import json
import os
import statistics

from common import DATA, NATIVE, Server, limit, number, populate, psql, table
from wire import connect, startup

ROUNDS = 5
COUNT = 200
FULL = 10000
POOLS = 1024
STATES = ("empty", "full")


def reports(pool, instance):
    """Microseconds of a report; pool and instance are of n and of the round."""
    def once(turn):
        out = psql(f"""SELECT bench_cpu();
            SELECT count(pgpool_stats.report({pool}, '{json.dumps(NATIVE)}', {instance}))
            FROM generate_series(1, {COUNT}) n, (SELECT {turn} AS turn) t;
            SELECT bench_cpu()""").split()
        return 1000 * (float(out[2]) - float(out[0])) / COUNT
    return once


def children_cpu(pid):
    """Seconds of CPU of the processes that it has started and that ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def connects(server, user, name):
    """Microseconds of a connection, accepted or not; role and application are
    of n and of the round."""
    def once(turn):
        server.settle()
        before = children_cpu(server.process.pid)
        for n in range(COUNT):
            connect(DATA, startup(user(turn, n), application_name=name(turn, n)))
        server.settle()
        return 1e6 * (children_cpu(server.process.pid) - before) / COUNT
    return once


def letters(turn, n):
    """Digits would be taken for the number of a process."""
    return "".join(chr(97 + int(digit)) for digit in f"{turn}{n:04}")


def cases(server, state):
    one = lambda *_: "names"
    return {
        "a report": (
            reports("'known'", "'web-1'"),
            {"a new instance": reports("'known'", "'new-' || turn || '-' || n"),
             "a new pool": reports("'new-' || turn || '-' || n", "'web-1'")}),
        "a connection": (
            connects(server, lambda *_: "known", one),
            {"a new role": connects(server, lambda turn, n: f"{state}_{turn}_{n}", one),
             "a new pool": connects(server, lambda *_: "known", letters)}),
        "a rejected connection": (
            connects(server, lambda *_: "shut", one),
            {"a new application": connects(server, lambda *_: "shut", letters)}),
    }


def fill():
    """Registry and rejections have no room left."""
    psql(f"""SELECT count(pgpool_stats.report('fill-' || n, '{json.dumps(NATIVE)}', 'a'))
        FROM generate_series(1, {POOLS}) n""")
    populate(FULL + 200, exactly=False)
    for n in range(2000):
        connect(DATA, startup("shut", application_name=letters(9, n)))


def names():
    with Server("pgpool_stats"):
        psql("CREATE ROLE known LOGIN; CREATE ROLE shut LOGIN CONNECTION LIMIT 0;" +
             "".join(f"CREATE ROLE {state}_{turn}_{n} LOGIN;" for state in STATES
                     for turn in range(ROUNDS) for n in range(COUNT)))
    rows = collections.defaultdict(list)
    for state in STATES:
        with Server("pgpool_stats", f"pgpool_stats.max_instances={FULL}",
                    f"pgpool_stats.max_instances_per_role={FULL}",
                    f"pgpool_stats.max_pools={POOLS}", "pgpool_stats.stale_after=1h",
                    "pgpool_stats.save_interval=3600") as server:
            if state == "full":
                fill()
            for what, (known, new) in cases(server, state).items():
                known(0)        # from now on it is known
                seen = collections.defaultdict(list)
                for turn in range(ROUNDS):
                    seen[what, "known"].append(known(turn))
                    for name, once in new.items():
                        seen[what, name].append(once(turn))
                base = statistics.median(seen[what, "known"])
                for key, values in seen.items():
                    us = statistics.median(values)
                    rows[key] += [number(us, 1), f"{us / base:.2f}"]
                    if key[1] != "known":
                        limit(f"{what}, {key[1]} to known, {state} registry", us / base, 1.2)
    table(f"Microseconds of CPU of what is known and of what is new, median of {ROUNDS} x {COUNT}; "
          f"an empty registry, and a full one of {FULL:,} instances and {POOLS:,} pools",
          ("", "empty", "to known", "full", "to known"),
          [(f"{what}, {which}", *cells) for (what, which), cells in rows.items()])


names()
