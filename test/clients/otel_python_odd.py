"""What an exporter of OpenTelemetry's metrics makes of odd figures and names, and
of what the resource says."""

import logging
import os
import socket
import sys

from common import Reporter, done, equal

try:
    from opentelemetry.metrics import Observation
    from opentelemetry.sdk.metrics import MeterProvider
except ImportError:
    print("there is no SDK of OpenTelemetry")
    sys.exit(77)
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from pgpool_stats_otel import PoolExporter

ME = "%s:%d" % (socket.gethostname(), os.getpid())
NAN, INF = float("nan"), float("inf")
PREFIX = "db.client.connection."
reporter = Reporter()
said = []


class Said(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())


logging.getLogger("pgpool_stats").addHandler(Said())


gauges = []                 # metric, figure, pool and other attributes


def gauge(metric, figure, pool, state=None, address="db"):
    attributes = {PREFIX + "pool.name": pool, "server.address": address}
    if state:
        attributes[PREFIX + "state"] = state
    gauges.append((metric, figure, attributes))


def observing(metric):
    return lambda options: [Observation(figure, attributes)
                            for of, figure, attributes in gauges if of == metric]


def measured(resource=None, **settings):
    provider = MeterProvider(
        [PeriodicExportingMetricReader(PoolExporter("user=app", **settings), 1e8)],
        Resource.create(resource))
    meter = provider.get_meter("odd")
    for metric in ("count", "max", "pending_requests", "timeouts"):
        meter.create_observable_up_down_counter(PREFIX + metric, [observing(metric)])
    return provider, meter.create_histogram(PREFIX + "wait_time", "s")


# no number is no figure, and neither is what adds up to none; the others are
provider, waited = measured()
gauge("count", 1, "odd", "used")
gauge("count", NAN, "odd", "idle")
gauge("max", INF, "odd")
gauge("pending_requests", -INF, "odd")
gauge("timeouts", 1e308, "odd", address="db-1")
gauge("timeouts", 1e308, "odd", address="db-2")
for seconds in 1e308, 1e308:
    waited.record(seconds, {PREFIX + "pool.name": "odd"})
provider.force_flush()
reporter.compare("no number", "odd", ME, {
    "dialect": "otel", "checked_out": 1, "checked_in": None, "max_size": None,
    "waiting": None, "timeouts": None, "checkouts": 2, "total_wait_time": None})

# two pools of a name are added up
for address, used, idle in ("db-1", 1, 3), ("db-2", 2, 1):
    gauge("count", used, "twice", "used", address)
    gauge("count", idle, "twice", "idle", address)
    gauge("max", 4, "twice", address=address)
for seconds in 0.5, 1.5:
    waited.record(seconds, {PREFIX + "pool.name": "twice", "server.address": str(seconds)})
provider.force_flush()
reporter.compare("two of a name", "twice", ME, {
    "checked_out": 3, "checked_in": 4, "max_size": 8, "checkouts": 2,
    "total_wait_time": 2000})

# a name is reported whole, whatever stands in it, or not at all
WHOLE = "postgresql+psycopg2://o'r:%2@db.example.com:5432/a\\b$1?x=".ljust(63, "y")
LONG = WHOLE + "y"
gauges.clear()
for name in WHOLE, LONG, "p\u00f6\u00f6l", "":
    gauge("count", len(name), name, "used")
for _ in range(2):
    before = reporter.one("SELECT clock_timestamp()")
    provider.force_flush()
    reporter.compare("63 bytes", WHOLE, ME, {"checked_out": 63})
    row = reporter.instance(WHOLE, ME)
    equal("63 bytes: each time", row and row["last_report"] > before, True)
equal("no other one", reporter.one(
    "SELECT count(*) FROM pgpool_stats.instances WHERE instance = %s"
    " AND pool NOT IN ('odd', 'twice', %s)", ME, WHOLE), 0)
equal("that is said, once for each", said, [
    "cannot report the pool %r: a name is 1 to 63 bytes of printable ASCII;"
    " PoolExporter(name=...) can give it another" % name
    for name in (LONG, "p\u00f6\u00f6l", "")])
provider.shutdown()
equal("all are forgotten", reporter.one(
    "SELECT count(*) FROM pgpool_stats.instances WHERE instance = %s", ME), 0)

# the version is that of the resource, unless it is said
gauges.clear()
gauge("count", 1, "odd", "used")
for resource, settings, version in (
        (None, {}, None), ({"service.version": "2.41.0"}, {}, "2.41.0"),
        ({"service.version": "2.41.0"}, {"app_version": "3"}, "3")):
    provider, waited = measured(resource, **settings)
    provider.force_flush()
    reporter.compare("version %s" % version, "odd", ME, {"app_version": version})
    provider.shutdown()
equal("nothing else to say", len(said), 3)
done()
