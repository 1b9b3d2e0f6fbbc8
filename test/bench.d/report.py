"""Reports: instructions of one."""

import json

from callgrind import Slope
from common import (NATIVE, Server, limit, number, pgbench, report_args,
                    report_script, script, table, wanted)

DIALECTS = {name: json.loads(text) for name, text in {
    "psycopg_pool": """{"connections_num": 3, "connections_ms": 10, "requests_num": 6, "usage_ms": 50,
        "requests_queued": 2, "requests_wait_ms": 303, "requests_errors": 1, "pool_min": 2, "pool_max": 3,
        "pool_size": 3, "pool_available": 0, "requests_waiting": 1}""",
    "sqlalchemy": """{"size": 2, "checkedin": 0, "checkedout": 3, "overflow": 1, "max_overflow": 1}""",
    "psycopg2": """{"minconn": 1, "maxconn": 3, "idle": 0, "used": 2, "keys": 2}""",
    "asyncpg": """{"size": 1, "min_size": 1, "max_size": 2, "idle_size": 1}""",
    "database_sql": """{"MaxOpenConnections": 1, "OpenConnections": 1, "InUse": 1, "Idle": 0, "WaitCount": 1,
        "WaitDuration": 100319305, "MaxIdleClosed": 0, "MaxIdleTimeClosed": 0, "MaxLifetimeClosed": 0}""",
    "pgxpool": """{"AcquireCount": 5, "AcquireDuration": 109181445, "AcquiredConns": 0, "CanceledAcquireCount": 0,
        "ConstructingConns": 0, "EmptyAcquireCount": 3, "IdleConns": 2, "MaxConns": 2, "TotalConns": 2}""",
    "node_pg": """{"totalCount": 2, "idleCount": 0, "waitingCount": 1, "expiredCount": 0, "max": 2}""",
    "tarn": """{"numUsed": 0, "numFree": 1, "numPendingAcquires": 0, "numPendingCreates": 0, "min": 0, "max": 2}""",
    "sequelize_pool": """{"size": 1, "available": 1, "using": 0, "waiting": 0, "maxSize": 3, "minSize": 0}""",
    "hikaricp": """{"idleConnections": 1, "activeConnections": 1, "totalConnections": 2,
        "threadsAwaitingConnection": 0}""",
    "activerecord": """{"size": 3, "connections": 3, "busy": 1, "dead": 2, "idle": 0, "waiting": 0,
        "checkout_timeout": 0.2}""",
    "bb8": """{"connections": 10, "idle_connections": 3, "statistics": {"get_started": 5, "get_direct": 4,
        "get_waited": 1, "get_timed_out": 0, "get_wait_time": {"secs": 0, "nanos": 1200000},
        "connections_created": 10, "connections_closed_broken": 0, "connections_closed_invalid": 0,
        "connections_closed_max_lifetime": 0, "connections_closed_idle_timeout": 0}}""",
    "pgbouncer_pools": """{"database": "app", "user": "app", "cl_active": 0, "cl_waiting": 0,
        "cl_active_cancel_req": 0, "cl_waiting_cancel_req": 0, "sv_active": 0, "sv_active_cancel": 0,
        "sv_being_canceled": 0, "sv_idle": 1, "sv_used": 0, "sv_tested": 0, "sv_login": 0, "maxwait": 0,
        "maxwait_us": 0, "pool_mode": "session", "load_balance_hosts": null}""",
    "prisma": """{"counters": [{"key": "prisma_pool_connections_opened_total", "labels": {}, "value": 1}],
        "gauges": [{"key": "prisma_pool_connections_busy", "labels": {}, "value": 0},
        {"key": "prisma_pool_connections_idle", "labels": {}, "value": 3}],
        "histograms": [{"key": "prisma_client_queries_wait_histogram_ms", "labels": {}, "value":
        {"buckets": [[0, 0], [1, 1], [5, 0]], "sum": 0.1, "count": 1}}]}""",
    "php_fpm": """{"pool": "www", "process manager": "dynamic", "start time": 1787043628, "start since": 12842,
        "accepted conn": 1, "listen queue": 0, "max listen queue": 0, "listen queue len": 0, "idle processes": 3,
        "active processes": 1, "total processes": 4, "max active processes": 1, "max children reached": 0,
        "slow requests": 0}""",
}.items()}


def report():
    short, long = 400, 2400
    select1 = script("select1", "SELECT 1;\n")
    runs = [("SELECT 1", select1, []),
            ("no-op function, native", report_script("bench_noop"), NATIVE),
            ("report, native", report_script("pgpool_stats.report"), NATIVE)]
    for dialect, stats in DIALECTS.items():
        if wanted(dialect):
            runs.append((f"report, {dialect}", report_script("pgpool_stats.report"), stats))
    rows = []
    seen = {}
    with Server("pgpool_stats", callgrind=True) as server:
        for name, path, stats in runs:
            seen[name] = Slope(server, lambda n, p=path, s=stats: pgbench(
                "-M", "prepared", "-f", p, "-c", "1", "-t", str(n),
                *(report_args(s) if s else [])), short, long)
    for name, _, stats in runs:
        slope = seen[name]
        noop = seen.get(name.replace("report", "no-op function"))
        native = seen["report, native"]
        is_report = name.startswith("report")
        rows.append((
            name, str(len(stats)) if stats else "",
            number(slope.total), number(slope.per_call("jsonb_in")),
            number(slope.per_call("pgps_report" if is_report else "bench_noop")),
            f"{slope.total / noop.total:.2f}" if is_report and noop else "",
            f"{slope.total / seen['SELECT 1'].total:.2f}" if stats else "",
            f"{slope.total / native.total:.2f}" if is_report else ""))
    table(f"Instructions per call, `-M prepared`, JSON sent as text; {long:,} less {short:,}",
          ("", "keys", "per statement", "of it jsonb_in", "of it the function",
           "to no-op", "to SELECT 1", "to native"), rows)
    table("Of these, by function: report, native", ("function", "instructions"),
          [(f"`{f}`", number(n)) for n, f in seen["report, native"].functions()
           if n >= 20])
    native = seen["report, native"].total
    limit("a native report to a no-op function, instructions of the statement",
          native / seen["no-op function, native"].total, 1.5)
    limit("a report of any dialect to a native one",
          max(slope.total for name, slope in seen.items()
              if name.startswith("report")) / native, 2)


report()
