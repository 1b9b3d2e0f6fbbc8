"""Pools that the SDK of OpenTelemetry measures, forwarded by a metric exporter."""

import logging
import os
import socket
import sys

from common import Reporter, check, done, equal, label, until

try:
    from opentelemetry.metrics import Observation
    import opentelemetry.sdk.metrics
except ImportError:
    print("there is no SDK of OpenTelemetry")
    sys.exit(77)
from psycopg_pool import ConnectionPool, PoolTimeout

# docs: begin otel-python
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from pgpool_stats_otel import PoolExporter

exporter = PoolExporter("user=app")
provider = MeterProvider([PeriodicExportingMetricReader(exporter, 10000)])
# docs: end

ME = "%s:%d" % (socket.gethostname(), os.getpid())
reporter = Reporter()
said = []


class Said(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())


logging.getLogger("pgpool_stats").addHandler(Said())


def connects():
    return reporter.one("SELECT coalesce(sum(connects), 0)::int FROM"
                        " pgpool_stats.pools WHERE pool = 'reports'")


def measure(provider, pools):
    """Pools of psycopg_pool by the semantic conventions"""
    meter = provider.get_meter("test")

    def observe(figure, state=None):
        def observed(options):
            for name, pool in pools.items():
                attributes = {"db.client.connection.pool.name": name}
                if state is not None:
                    attributes["db.client.connection.state"] = state
                yield Observation(figure(pool, pool.get_stats()), attributes)
        return observed
    meter.create_observable_up_down_counter("db.client.connection.count", [
        observe(lambda pool, stats: stats["pool_available"], "idle"),
        observe(lambda pool, stats: stats["pool_size"] - stats["pool_available"],
                "used")])
    meter.create_observable_up_down_counter("db.client.connection.max", [
        observe(lambda pool, stats: pool.max_size)])
    meter.create_observable_up_down_counter(
        "db.client.connection.pending_requests", [
            observe(lambda pool, stats: stats["requests_waiting"])])
    meter.create_observable_counter("db.client.connection.timeouts", [
        observe(lambda pool, stats: stats.get("requests_errors", 0))])
    waited = meter.create_histogram("db.client.connection.wait_time", "s")
    return lambda name, seconds: waited.record(
        seconds, {"db.client.connection.pool.name": name})


def pool(name):
    return ConnectionPool("user=app", min_size=2, max_size=2, open=True, kwargs={
        "options": label(name, ME)})


pools = {"otel-py": pool("otel-py")}
waited = measure(provider, pools)
pools["otel-py"].wait()
taken = [pools["otel-py"].getconn(), pools["otel-py"].getconn()]
try:
    pools["otel-py"].getconn(timeout=0.1)
except PoolTimeout:
    pass
waited("otel-py", 0.5)
waited("otel-py", 1)
provider.force_flush()
reporter.compare("full", "otel-py", ME, {
    "dialect": "otel", "max_size": 2, "open": 2, "checked_out": 2,
    "checked_in": 0, "timeouts": 1, "checkouts": 2, "total_wait_time": 1500,
    "connections": 2, "notes": None})
check("full: the status", reporter.instance("otel-py", ME)["status"] in (
    "full", "exhausted"), reporter.instance("otel-py", ME))
for conn in taken:
    pools["otel-py"].putconn(conn)
pools["otel-py"].close()

# another one, without a line for it, on the same connection
pools["otel-py-2"] = pool("otel-py-2")
pools["otel-py-2"].wait()
before = connects()
provider.force_flush()
reporter.compare("another pool", "otel-py-2", ME, {
    "dialect": "otel", "max_size": 2, "open": 2, "checked_out": 0,
    "status": "ok"})
until("a connection for both", lambda: connects() > before)
equal("one connection for both", connects() - before, 1)

provider.shutdown()
equal("shutdown: forgotten", reporter.one(
    "SELECT count(*) FROM pgpool_stats.instances WHERE instance = %s"
    " AND last_report IS NOT NULL", ME), 0)
equal("nothing to say", said, [])

# names, failures, a database without the extension
dsn = {"dsn": "user=app"}
named = MeterProvider([PeriodicExportingMetricReader(PoolExporter(
    lambda: dsn["dsn"], name={"otel-py-2": "otel-named"}.get), 100000)])
measure(named, pools)
named.force_flush()
reporter.compare("a name of its own", "otel-named", ME, {"checked_out": 0})
equal("no name: not reported", reporter.instance("otel-py", ME), None)
dsn["dsn"] = "user=app port=1"
for _ in range(3):
    named.force_flush()
equal("a failure is said once", len(said), 1)
check("what is said", said[0].startswith(
    "cannot report the pools of OpenTelemetry: "), said)
dsn["dsn"] = "user=app"


def again():
    named.force_flush()
    return len(said) > 1


until("it is reported again", again)
equal("and that", said[1:], ["the pools of OpenTelemetry are reported again"])
dsn["dsn"] = "user=app dbname=postgres"
named.force_flush()
equal("without the extension: nothing is said", len(said), 2)
dsn["dsn"] = "user=app"
named.shutdown()
equal("goodbye", reporter.instance("otel-named", ME), None)
pools["otel-py-2"].close()

# what instruments SQLAlchemy, where it is here
try:
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
except ImportError:
    print("there is no instrumentation of SQLAlchemy")
    done()
import sqlalchemy                                       # noqa: E402

provider = MeterProvider([PeriodicExportingMetricReader(
    PoolExporter("user=app"), 10000)])
engine = sqlalchemy.create_engine(
    "postgresql+psycopg2://app@/", pool_size=2, pool_logging_name="otel-sa",
    connect_args={"options": label("otel-sa", ME)})
SQLAlchemyInstrumentor().instrument(engine=engine, meter_provider=provider)
with engine.connect():
    provider.force_flush()
    reporter.compare("SQLAlchemy", "otel-sa", ME, {
        "dialect": "otel", "checked_out": 1, "connections": 1})
provider.shutdown()
equal("SQLAlchemy: goodbye", reporter.one(
    "SELECT count(*) FROM pgpool_stats.instances WHERE pool = 'otel-sa'"
    " AND last_report IS NOT NULL"), 0)
done()
