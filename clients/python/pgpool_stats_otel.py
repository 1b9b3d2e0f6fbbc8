"""Forward an application's OpenTelemetry metrics of pools to PostgreSQL.

    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from pgpool_stats_otel import PoolExporter

    exporter = PoolExporter("postgresql://app@db/shop")
    MeterProvider([PeriodicExportingMetricReader(exporter, 10000)])

For an application whose pools are measured already: what stands in
db.client.connection.* (or, of older instrumentations, db.client.connections.*)
is reported as the dialect otel, without a line for each pool.  A pool that
watch() reports is not to be told twice.

What it does
    Each export is a short connection of psycopg, psycopg2 or asyncpg, whichever
    is here, with the label "reports" and the application_name "watch orders";
    it reports each pool under its name, as host:pid.  The timer is the reader's.
    At the provider's shutdown it says goodbye, for at most a second, unless the
    last report failed.  Where a report fails, up to five exports are left out.
    It raises nothing.  logging.getLogger("pgpool_stats") is told the first
    failure and the first success after it, and each name that no pool can have;
    a server without the extension is no failure.

Settings
    PoolExporter(dsn, name=None, app_version=None)
    dsn     a connection string (a URL for asyncpg), or a function that returns one
    name    a function from the pool's name there, db.client.connection.pool.name,
            to that in pgpool_stats, 1 to 63 bytes of printable ASCII; what it
            makes None is not reported
    app_version     else service.version of the resource
    in the environment, PGPOOL_STATS_INSTANCE and PGPOOL_STATS_OFF as of watch()

Notes
    It cannot label connections: put the label into what the pool connects with,
    -c pgpool_stats.pool=orders, with the name that is reported.
    Pools of one name are added up.  A sum that is infinite is left out.

Copyright (c) 2026, the pgpool_stats authors
"""

import json
import math
import os
import re
import socket
import threading

from opentelemetry.sdk.metrics.export import (MetricExporter,
                                              MetricExportResult)

import pgpool_stats
from pgpool_stats import INSTALLED, PATIENCE, TIMEOUT, log

__all__ = ["PoolExporter"]

PREFIX = "db.client.connection"     # and db.client.connections
NAMES = ("db.client.connection.pool.name", "pool.name")
STATES = ("db.client.connection.state", "state")
VALID = re.compile("[ -~]{1,63}")   # names, as the server takes them
PAUSE = 6                           # exports, of which one is tried


class PoolExporter(MetricExporter):
    def __init__(self, dsn, name=None, app_version=None):
        super().__init__()          # sums since the beginning, as we want them
        self.dsn = dsn if callable(dsn) else lambda: dsn
        self.name = name or (lambda pool: pool)
        self.app_version = app_version
        self.accepted = True        # does the server take the label?
        self.failures = 0           # in a row
        self.pause = 0              # exports to leave out
        self.told = {}              # pools that have a report, as whom
        self.unnamed = set()        # names that no pool can have
        self.pid = None             # of the process that told
        self.ending = threading.Event()
        self.goodbye = None         # the thread that waits for it

    def export(self, metrics_data, timeout_millis=10000, **kwargs):
        if os.environ.get("PGPOOL_STATS_OFF"):
            return MetricExportResult.SUCCESS
        if self.pause:
            self.pause -= 1
            return MetricExportResult.FAILURE
        try:
            documents = self.documents(metrics_data)
            if documents:
                self.report(documents)
        except Exception as error:      # monitoring takes nothing down
            if not self.failures:
                log.warning("cannot report the pools of OpenTelemetry: %s",
                            " ".join(str(error).split()) or repr(error))
            self.failures += 1
            self.pause = min(2 ** min(self.failures, 10), PAUSE) - 1
            return MetricExportResult.FAILURE
        if self.failures:
            log.warning("the pools of OpenTelemetry are reported again")
        self.failures = 0
        return MetricExportResult.SUCCESS

    def documents(self, metrics_data):
        """What to report of each pool"""
        documents = {}
        for resource in metrics_data.resource_metrics:
            version = self.app_version or resource.resource.attributes.get(
                "service.version")
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name.startswith(PREFIX):
                        for point in metric.data.data_points:
                            self.add(documents, metric.name, point, version)
        return {pool: self.finite(document)
                for pool, document in documents.items()}

    def add(self, documents, key, point, version):
        def attribute(names):
            return next((point.attributes[name] for name in names
                         if name in point.attributes), None)
        pool = self.name(attribute(NAMES))
        if pool is None or not self.is_name(str(pool)):
            return
        document = documents.setdefault(
            str(pool), {"app_version": version} if version else {})
        state = attribute(STATES)
        if state is not None:
            key = "%s{%s}" % (key, state)
        if hasattr(point, "count"):     # a histogram
            sums = document.setdefault(key, {"sum": 0, "count": 0})
            sums["sum"] += point.sum
            sums["count"] += point.count
        else:
            document[key] = document.get(key, 0) + point.value

    def is_name(self, pool):
        if VALID.fullmatch(pool):
            return True
        if pool not in self.unnamed:
            self.unnamed.add(pool)
            log.warning("cannot report the pool %r: a name is 1 to 63 bytes of"
                        " printable ASCII; PoolExporter(name=...) can give it"
                        " another", pool)
        return False

    def finite(self, document):
        """Without sums that are beyond all numbers, which JSON has not"""
        return {key: self.finite(value) if isinstance(value, dict) else value
                for key, value in document.items()
                if not isinstance(value, float) or math.isfinite(value)}

    def report(self, documents):
        me = os.environ.get("PGPOOL_STATS_INSTANCE") or "%s:%d" % (
            socket.gethostname(), os.getpid())
        more = {"dialect": "otel", "host": socket.gethostname(),
                "pid": os.getpid()}
        problem = None
        self.begin()
        connection = self.connect(next(iter(documents)))
        try:
            if connection.run(INSTALLED) == 0:
                return
            for pool, document in documents.items():
                try:
                    self.run(connection, "report", pool, json.dumps(
                        dict(document, **more), allow_nan=False), me)
                    self.told[pool] = me
                except Exception as error:
                    problem = error     # the others may be well
        finally:
            connection.close()
        if problem is not None:
            raise problem

    @staticmethod
    def run(connection, function, *values):
        connection.run("SELECT pgpool_stats.%s(%s)" % (
            function, ", ".join(map(pgpool_stats._quoted, values))))

    def connect(self, pool):
        """A connection of our own, on behalf of a pool"""
        try:
            return self.open(pool, self.accepted)
        except Exception as error:
            if (not self.accepted or
                    "unsupported startup parameter" not in str(error)):
                raise
        self.accepted = False
        return self.open(pool, False)

    def open(self, pool, labelled):
        dsn = self.dsn()
        labels = {"pgpool_stats.pool": "reports"} if labelled else {}
        own = {"application_name": "watch " + pool}
        try:
            import psycopg as driver
            from psycopg.conninfo import conninfo_to_dict as parsed
        except ImportError:
            try:
                import psycopg2 as driver
                from psycopg2.extensions import parse_dsn as parsed
            except ImportError:
                import asyncpg
                return pgpool_stats._Awaited(lambda: asyncpg.connect(
                    dsn, server_settings=dict(own, **labels), timeout=TIMEOUT))
        return pgpool_stats._Blocking(driver.connect(
            dsn, connect_timeout=TIMEOUT, **own, **pgpool_stats._libpq_options(
                parsed(dsn).get("options"), labels)))

    def force_flush(self, timeout_millis=10000):
        return True                 # nothing is kept

    def begin(self):
        """Once in a process, a forked one too: at exit there are no new
        threads, so the one that says goodbye waits from now on."""
        if self.pid == os.getpid():
            return
        self.pid = os.getpid()
        self.told = {}
        self.ending = threading.Event()
        self.goodbye = threading.Thread(target=self.forget, daemon=True)
        self.goodbye.start()

    def shutdown(self, timeout_millis=30000, **kwargs):
        if not self.told or self.failures or self.pid != os.getpid():
            return
        self.ending.set()
        self.goodbye.join(PATIENCE)

    def forget(self):
        self.ending.wait()
        try:
            connection = self.connect(next(iter(self.told)))
            try:
                while self.told:
                    self.run(connection, "forget", *self.told.popitem())
            finally:
                connection.close()
        except Exception:
            pass                    # its rows go by themselves
