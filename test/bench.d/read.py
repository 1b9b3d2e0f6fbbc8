"""Reading: the views with many instances, and the passes of the collector.

All is CPU time of the backend that reads, forming what it sends included; how
it is made up is instructions.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time

from callgrind import Slope
from common import (LOG, NATIVE, Server, cpu_seconds, limit, number, populate,
                    psql, run, script, table)

ROUNDS = int(os.environ.get("BENCH_READS", "20"))
SIZES = (100, 1000, 10000)
SAME_ROWS = "the rows of metrics_instances, from a table"

# the same when all have had connections here: figures of the server are added
SEEN = "{}, of instances with connections"

ACTIVITY = ("SELECT application_name, state, count(*) "
            "FROM pg_stat_activity GROUP BY 1, 2")


def reads():
    """All views, and what reads several of them."""
    views = psql("SELECT relname FROM pg_class WHERE relkind = 'v' AND "
                 "relnamespace = 'pgpool_stats'::regnamespace ORDER BY 1")
    found = {name: f"SELECT * FROM pgpool_stats.{name}" for name in views.split()}
    found["openmetrics()"] = "SELECT pgpool_stats.openmetrics()"
    found["check_status()"] = "SELECT * FROM pgpool_stats.check_status()"
    return found


def exporter_queries():
    """What postgres_exporter asks for each scrape."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(top + "/docs/monitoring/postgres_exporter.yml", encoding="ascii") as f:
        text = f.read()
    found = re.findall(r'^  query: (?:"(.*)"|>-\n((?:    .*\n)+))', text, re.M)
    return [(one or more).strip() for one, more in found]


def times(queries, rounds):
    """Milliseconds of each in turn, in one session, the first time left out;
    a query may be several."""
    text = "SELECT bench_cpu();\n"
    for _ in range(rounds + 1):
        for sql in queries.values():
            text += f"\\o /dev/null\n{sql};\n\\o\nSELECT bench_cpu();\n"
    clock = [float(line) for line in psql(text).split()]
    took = [b - a for a, b in zip(clock, clock[1:])]
    return {name: took[len(queries) + i::len(queries)]
            for i, name in enumerate(queries)}


def medians(found):
    return {name: statistics.median(values) for name, values in found.items()}


def first_time(sql):
    """Milliseconds of the first statement of a session."""
    def once():
        out = run("psql", "-X", "-q", "-A", "-t", "-d", "postgres",
                  "-c", "SELECT bench_cpu()", "-c", "\\o /dev/null", "-c", sql,
                  "-c", "\\o", "-c", "SELECT bench_cpu()").split()
        return float(out[1]) - float(out[0])
    return statistics.median(once() for _ in range(7))


def collector(seconds):
    """Milliseconds of a pass; it waits for 0.1 s between two."""
    pid = int(psql("SELECT collector_pid FROM pgpool_stats.info"))
    t0, c0 = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    t1, c1 = time.monotonic(), cpu_seconds(pid)
    return 1000 * (c1 - c0) / ((t1 - t0 - (c1 - c0)) / 0.1)


def with_backends(clients=1000):
    """As many backends as instances."""
    hold = script("hold", f"""\
SELECT set_config('application_name', 'app-' || chr(97 + :client_id % 20), false),
	set_config('pgpool_stats.pool', 'app-' || chr(97 + :client_id % 20), false),
	set_config('pgpool_stats.instance', 'web-' || :client_id || ':4711', false),
	set_config('pgpool_stats.pool_size', '5', false);
SELECT pgpool_stats.report('app-' || chr(97 + :client_id % 20), '{json.dumps(NATIVE)}',
	'web-' || :client_id || ':4711');
\\if :client_id % 10 = 0
BEGIN;
SELECT 1;
\\endif
\\sleep 100000 s
""")
    with Server("pgpool_stats", "max_connections=1100",
                "pgpool_stats.sample_interval=100ms",
                "pgpool_stats.save_interval=3600"):
        with open(LOG, "a", encoding="utf-8") as log:
            # pylint: disable=consider-using-with
            holder = subprocess.Popen(
                ["pgbench", "-n", "-f", hold, "-c", str(clients), "-j", "1",
                 "-t", "1", "postgres"], stdout=log, stderr=log)
        try:
            for _ in range(600):
                if holder.poll() is not None:
                    sys.exit("pgbench ended early, see " + LOG)
                if psql("SELECT count(*) FROM pgpool_stats.instances "
                        "WHERE connections = 1 AND last_report IS NOT NULL") == str(clients):
                    break
                time.sleep(0.5)
            scrape = exporter_queries()
            found = medians(times(
                {"pg_stat_activity, grouped": ACTIVITY, **reads(),
                 f"a scrape by postgres_exporter: {len(scrape)} queries": ";\n".join(scrape)},
                ROUNDS))
            base = found["pg_stat_activity, grouped"]
            table(f"Full reads with {clients:,} backends, each an instance, in 20 pools; "
                  f"CPU of the backend, median of {ROUNDS} in turn",
                  ("", "ms", "to the first"),
                  [(name, f"{ms:.2f}", f"{ms / base:.2f}") for name, ms in found.items()])
            table("The collector with these", ("", "ms"),
                  [("CPU of a pass", f"{collector(10):.2f}")])
            for name in ("overview", "pools"):
                limit(f"`{name}` to grouping pg_stat_activity, {clients:,} backends",
                      found[name] / base, 1)
        finally:
            holder.terminate()
            holder.wait()


def at_size(instances):
    with Server("pgpool_stats", "pgpool_stats.max_instances=12000",
                "pgpool_stats.max_instances_per_role=12000",
                "pgpool_stats.sample_interval=100ms",
                "pgpool_stats.stale_after=1h",
                "pgpool_stats.save_interval=3600"):
        populate(instances)
        queries = reads()
        queries["instances of one pool"] = \
            "SELECT * FROM pgpool_stats.instances WHERE pool = 'app-0'"
        psql("DROP TABLE IF EXISTS bench_rows; CREATE UNLOGGED TABLE bench_rows AS "
             "SELECT * FROM pgpool_stats.metrics_instances; VACUUM bench_rows")
        queries[SAME_ROWS] = "SELECT * FROM bench_rows"
        found = medians(times(queries, ROUNDS))
        found["collector, a pass"] = collector(10)
        for name in ("pools", "check_status()"):
            found[f"{name}, a session's first"] = first_time(queries[name])
        connect_to_all(instances)
        found.update(medians(times(
            {SEEN.format(view): f"SELECT * FROM pgpool_stats.{view}"
             for view in ("instances", "metrics_instances")}, ROUNDS)))
        return found


def connect_to_all(instances):
    """A session that has been a connection of each of them."""
    psql(f"""DO $$
        BEGIN
            FOR n IN 0 .. {instances - 1} LOOP
                PERFORM set_config('pgpool_stats.pool', 'app-' || n / 100, false),
                    set_config('pgpool_stats.instance', 'web-' || n || ':4711', false);
                COMMIT;
            END LOOP;
        END $$""")
    found = psql("SELECT count(*) FROM pgpool_stats.metrics_instances "
                 "WHERE name = 'pgpool_stats_instance_server_connections' "
                 "AND labels ->> 'pool' LIKE 'app-%'")
    if found != str(instances):
        sys.exit(f"{found} of {instances} instances have had a connection")


def sent_and_made(instances=1000):
    """What of reading them is ours: instructions of each instance"""
    rows = []
    with Server("pgpool_stats", "pgpool_stats.max_instances_per_role=2000",
                "pgpool_stats.stale_after=1h", "pgpool_stats.save_interval=3600",
                callgrind=True) as server:
        def have():
            populate(instances)
            connect_to_all(instances)

        server.profiles(have)
        for view, functions in (("instances", ["pgps_get_instances"]),
                                ("metrics_instances", ["pgps_get_metrics"])):
            slope = Slope(server, lambda n, view=view: psql(
                "\\o /dev/null\n" + f"SELECT * FROM pgpool_stats.{view};\n" * n), 2, 6)
            rows.append((view, *(number(sum(map(slope.inside, of)) / instances) for of in (
                ["PostgresMain"], functions + ["pgps_get_pool_names"],
                ["OutputFunctionCall"], ["jsonb_out"]))))
    table(f"Instructions of reading an instance whose connections were here, of {instances:,}, 100 a pool; text is sent",
          ("", "all", "our functions", "output functions", "of these jsonb_out"), rows)


def by_size():
    seen = {size: at_size(size) for size in SIZES}
    small, middle, large = (seen[size] for size in SIZES)
    rows = []
    for name, ms in large.items():
        rows.append((name, *(f"{seen[size][name]:.2f}" for size in SIZES),
                     f"{1000 * (middle[name] - small[name]) / (SIZES[1] - SIZES[0]):.2f}",
                     f"{1000 * (ms - middle[name]) / (SIZES[2] - SIZES[1]):.2f}",
                     f"{ms / large['pools']:.2f}"))
    table("Full reads by the number of instances, 100 a pool: CPU of the backend in ms, "
          f"median of {ROUNDS} in turn; slope in microseconds an instance",
          ("", *(f"{size:,}" for size in SIZES), f"slope to {SIZES[1]:,}",
           f"slope to {SIZES[2]:,}", "to `pools`"), rows)
    for what, a, b, most in (
            ("`metrics_instances` to `instances`, of instances that only report",
             "metrics_instances", "instances", 3),
            ("`metrics_instances` to `instances`, of instances with connections",
             SEEN.format("metrics_instances"), SEEN.format("instances"), 3),
            ("`metrics_instances` to the same rows from a table, both sent",
             "metrics_instances", SAME_ROWS, 1.5),
            ("`check_status()` to `pools`", "check_status()", "pools", 4),
            ("the same as a session's first statement",
             "check_status(), a session's first", "pools, a session's first", 4),
            ("a pass of the collector to `pools`", "collector, a pass", "pools", 1.5),
            ("`instances` of one pool of 100 to all", "instances of one pool", "instances", 0.1)):
        limit(f"{what}, {SIZES[2]:,} instances", large[a] / large[b], most)
    worst = max(large, key=lambda name: large[name] / middle[name])
    limit(f"growth of any read from {SIZES[1]:,} to {SIZES[2]:,} ({worst})",
          large[worst] / middle[worst], 1.2 * SIZES[2] / SIZES[1], 1)


with_backends()
by_size()
sent_and_made()
