"""Names: what is new beside what is known, in an empty and in a full registry.

CPU time of the backend that reports; of connections, which are processes of
their own, that of all that the server starts.  The instructions of a report,
too: they do not have what the system takes to hand out memory that is touched
for the first time.
"""

import collections
import json
import statistics

from callgrind import Slope
from common import (DATA, NATIVE, Server, children_cpu, limit, number, populate,
                    psql, table)
from wire import connect, startup

ROUNDS = 5
REPORTS = 400
CONNECTS = 200
FULL = 10000
POOLS = 4096
STATES = ("empty", "full")


def reports(pool, instance):
    """Microseconds of a report, the same expressions for all.  Known is one
    pool of as many instances, so that those touch as much memory as new ones."""
    number_of = {"pool": {"known": "0 * turn + 0 * n", "new": "1000 * turn + n"},
                 "instance": {"known": "0 * turn + n", "new": "1000 * turn + n"}}
    words = [f"'{word}-' || {number_of[kind][word]}"
             for kind, word in (("pool", pool), ("instance", instance))]

    def once(turn):
        out = psql(f"""SELECT bench_cpu();
            SELECT count(pgpool_stats.report({words[0]}, '{json.dumps(NATIVE)}', {words[1]}))
            FROM generate_series(1, {REPORTS}) n, (SELECT {turn} AS turn) t;
            SELECT bench_cpu()""").split()
        return 1000 * (float(out[2]) - float(out[0])) / REPORTS
    return once


def connects(server, user, name):
    """Microseconds of a connection, accepted or not; role and application are
    of n and of the round."""
    def once(turn):
        server.settle()
        before = children_cpu(server.process.pid)
        for n in range(CONNECTS):
            connect(DATA, startup(user(turn, n), application_name=name(turn, n)))
        server.settle()
        return 1e6 * (children_cpu(server.process.pid) - before) / CONNECTS
    return once


def letters(turn, n):
    """Digits would be taken for the number of a process."""
    return "".join(chr(97 + int(digit)) for digit in f"{turn}{n:04}")


def cases(server, state):
    one = lambda *_: "names"
    return {
        "a report": (
            reports("known", "known"),
            {"a new instance": reports("known", "new"),
             "a new pool": reports("new", "known")}),
        "a connection": (
            connects(server, lambda *_: "known", one),
            {"a new role": connects(server, lambda turn, n: f"{state}_{turn}_{n}", one),
             "a new pool": connects(server, lambda *_: "known", letters)}),
        "a rejected connection": (
            connects(server, lambda *_: "shut", one),
            {"a new application": connects(server, lambda *_: "shut", letters)}),
    }


def fill():
    """Registry and rejections have no room left: two roles have their shares."""
    for options in ((), ("-U", "known")):
        psql(f"""SELECT count(pgpool_stats.report('fill-' || n, '{json.dumps(NATIVE)}', 'a'))
            FROM generate_series(1, {POOLS}) n""", *options)
    populate(FULL + 200, exactly=False)
    for n in range(2000):
        connect(DATA, startup("shut", application_name=letters(9, n)))


SETTINGS = (f"pgpool_stats.max_instances={FULL}",
            f"pgpool_stats.max_instances_per_role={FULL}",
            f"pgpool_stats.max_pools={POOLS}",
            f"pgpool_stats.max_discovered_pools={POOLS}",
            "pgpool_stats.save_interval=3600")
STILL = "pgpool_stats.stale_after=1h"   # who has reported still does
LATE = "pgpool_stats.stale_after=1s"    # not those that others came after


def instructions():
    """Of a report: so many instances of one pool, and the same ones again"""
    def report(n):
        psql(f"""SELECT count(pgpool_stats.report('names', '{json.dumps(NATIVE)}', 'i-{n}-' || i))
            FROM generate_series(1, {n}) i""")

    rows = []
    for state, stale_after, instances in (
            ("empty", STILL, 1),
            (f"full of {FULL:,} that report: (other) takes it", STILL, FULL + 200),
            (f"full of {FULL:,} that are late: one gives way", LATE, FULL + 200)):
        with Server("pgpool_stats", *SETTINGS, stale_after, callgrind=True) as server:
            server.profiles(lambda n=instances: populate(n, exactly=False))
            new = Slope(server, report, 200, 1000).total
            if not rows:
                # now they are there
                known = Slope(server, report, 200, 1000).total
                rows.append(("of a known instance", number(known), ""))
        rows.append((f"of a new one, registry {state}", number(new), number(new / known, 2)))
        limit(f"instructions of a report of a new instance to one of a known, registry {state}",
              new / known, 1.2)
    table("Instructions of a report, 1,000 less 200", ("", "instructions", "to known"), rows)


def names():
    with Server("pgpool_stats"):
        psql("CREATE ROLE known LOGIN; CREATE ROLE shut LOGIN CONNECTION LIMIT 0;" +
             "".join(f"CREATE ROLE {state}_{turn}_{n} LOGIN;" for state in STATES
                     for turn in range(ROUNDS) for n in range(CONNECTS)))
    found = collections.defaultdict(dict)
    for state in STATES:
        with Server("pgpool_stats", *SETTINGS, STILL) as server:
            if state == "full":
                fill()
            for what, (known, new) in cases(server, state).items():
                known(0)        # from now on it is known
                seen = collections.defaultdict(list)
                for turn in range(ROUNDS):
                    seen[f"{what}, known"].append(known(turn))
                    for name, once in new.items():
                        seen[f"{what}, {name}"].append(once(turn))
                for name, values in seen.items():
                    found[name][state] = statistics.median(values)
    rows = []
    for name, us in found.items():
        known = found[name.partition(",")[0] + ", known"]
        rows.append((name, *(text for state in STATES for text in
                             (number(us[state], 1), f"{us[state] / known[state]:.2f}")),
                     f"{us['full'] / us['empty']:.2f}"))
        if us is not known:
            limit(f"{name}: full registry to empty", us["full"] / us["empty"], 1.2)
    table(f"Microseconds of CPU of what is known and of what is new, median of {ROUNDS} x "
          f"{REPORTS} reports or {CONNECTS} connections; an empty registry, and a full one of "
          f"{FULL:,} instances and {POOLS:,} pools",
          ("", "empty", "to known", "full", "to known", "full to empty"), rows)
    new, known = found["a report, a new instance"], found["a report, known"]
    for state in STATES:
        limit(f"a report of a new instance to one of a known, {state} registry",
              new[state] / known[state], 1.2)


instructions()
names()
