"""Reads of the views with many instances, and the passes of the collector."""

import json
import os
import re
import statistics
import subprocess
import sys
import time

from common import LOG, NATIVE, Server, cpu_seconds, psql, script, table, ticks

READS = {
    "pg_stat_activity": "SELECT application_name, state, count(*) "
                        "FROM pg_stat_activity GROUP BY 1, 2",
    "overview": "SELECT * FROM pgpool_stats.overview",
    "pools": "SELECT * FROM pgpool_stats.pools",
    "instances": "SELECT * FROM pgpool_stats.instances",
    "connections": "SELECT * FROM pgpool_stats.connections",
    "metrics": "SELECT * FROM pgpool_stats.metrics",
    "metrics_instances": "SELECT * FROM pgpool_stats.metrics_instances",
    "openmetrics()": "SELECT pgpool_stats.openmetrics()",
    "check_status()": "SELECT * FROM pgpool_stats.check_status()",
}


def exporter_queries():
    """What postgres_exporter asks for each scrape."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(top + "/docs/monitoring/postgres_exporter.yml", encoding="ascii") as f:
        text = f.read()
    found = re.findall(r'^  query: (?:"(.*)"|>-\n((?:    .*\n)+))', text, re.M)
    return [(one or more).strip() for one, more in found]


def read():
    clients, rounds = 1000, int(os.environ.get("BENCH_READS", "60"))
    stats = json.dumps(NATIVE)
    hold = script("hold", f"""\
SELECT set_config('application_name', 'app-' || chr(97 + :client_id % 20), false),
	set_config('pgpool_stats.pool', 'app-' || chr(97 + :client_id % 20), false),
	set_config('pgpool_stats.instance', 'web-' || :client_id || ':4711', false),
	set_config('pgpool_stats.pool_size', '5', false);
SELECT pgpool_stats.report('app-' || chr(97 + :client_id % 20), '{stats}',
	'web-' || :client_id || ':4711');
\\if :client_id % 10 = 0
BEGIN;
SELECT 1;
\\endif
\\sleep 100000 s
""")
    with Server("pgpool_stats", "max_connections=1100", "shared_buffers=128MB",
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
            size = psql("SELECT (SELECT count(*) FROM pgpool_stats.instances) || ' instances, ' "
                        "|| (SELECT count(*) FROM pgpool_stats.pools) || ' pools, ' "
                        "|| (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') "
                        "|| ' client backends'")
            have = {name: sql for name, sql in READS.items()
                    if name == "pg_stat_activity" or
                    psql("SELECT coalesce(to_regclass(n)::oid, to_regproc(n)::oid) IS NOT NULL "
                         f"FROM CAST('pgpool_stats.{name.rstrip('()')}' AS text) n") == "t"}
            scrape = exporter_queries()
            text = "\\timing on\n\\o /dev/null\n" + \
                "".join(sql + ";\n" for sql in [*have.values(), *scrape]) * (rounds + 3)
            out = psql(text)
            times = [float(t) for t in re.findall(r"^Time: ([\d.]+) ms", out, re.M)]
            every = len(have) + len(scrape)
            per = {name: times[i::every][3:] for i, name in enumerate(have)}
            per[f"a scrape: {len(scrape)} queries"] = [
                sum(times[i + len(have):i + every])
                for i in range(3 * every, len(times), every)]
            rows = []
            for name, values in per.items():
                ratio = statistics.median(
                    a / b for a, b in zip(values, per["pg_stat_activity"]))
                rows.append((name, f"{statistics.median(values):.2f}", f"{ratio:.2f}"))
            table(f"Full reads with {size}, median of {rounds} in turn, "
                  "with the transfer to psql", ("", "ms", "to pg_stat_activity"), rows)

            pid = int(psql("SELECT collector_pid FROM pgpool_stats.info"))
            t0, c0, k0 = time.monotonic(), cpu_seconds(pid), ticks(pid)
            time.sleep(30)
            t1, c1, k1 = time.monotonic(), cpu_seconds(pid), ticks(pid)
            passes = (t1 - t0 - (c1 - c0)) / 0.1
            table(f"The collector with {size}, {passes:.0f} passes",
                  ("", "ms"),
                  [("CPU per pass (scheduler's clock)", f"{1000 * (c1 - c0) / passes:.2f}"),
                   ("CPU per pass (utime + stime)", f"{1000 * (k1 - k0) / passes:.2f}"),
                   ("of one CPU at the default interval of 1 s",
                    f"{100 * (c1 - c0) / passes:.3f} %")])
        finally:
            holder.terminate()
            holder.wait()


read()
