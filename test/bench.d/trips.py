"""Round trips per second."""

import collections
import json
import os
import re
import statistics

from common import (NATIVE, Server, number, pgbench, report_args, report_script,
                    script, table)


def trips():
    rounds, n = int(os.environ.get("BENCH_TRIPS", "20")), 20000
    select1 = script("select1", "SELECT 1;\n")
    literal = f"('bench', '{json.dumps(NATIVE)}', 'web-1:4711');\n"
    simple = "simple protocol, "
    runs = {
        "SELECT 1": [select1],
        "no-op function, native": [report_script("bench_noop"), *report_args(NATIVE)],
        "report, native": [report_script("pgpool_stats.report"), *report_args(NATIVE)],
        simple + "SELECT 1": [select1],
        simple + "no-op function, native":
            [script("noop_simple", "SELECT bench_noop" + literal)],
        simple + "report, native":
            [script("report_simple", "SELECT pgpool_stats.report" + literal)],
    }
    rates = collections.defaultdict(list)
    with Server("pgpool_stats"):
        for _ in range(rounds):
            for name, args in runs.items():
                out = pgbench("-M", "simple" if name.startswith(simple) else "prepared",
                              "-f", *args, "-c", "2", "-j", "2", "-t", str(n))
                rates[name].append(float(re.search(r"tps = ([\d.]+)", out).group(1)))
    rows = []
    for name, values in rates.items():
        to = rates[simple + "SELECT 1" if name.startswith(simple) else "SELECT 1"]
        ratio = statistics.median(a / b for a, b in zip(to, values))
        rows.append((name, number(statistics.median(values)), f"{ratio:.2f}"))
    table(f"Round trips per second at 2 clients, local socket, prepared unless said; "
          f"median of {rounds} x 2 x {n:,} in turn",
          ("", "per second", "SELECT 1 is faster by"), rows)


trips()
